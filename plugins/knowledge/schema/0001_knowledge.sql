-- A page, whoever shared it: what several addresses have in common (see canonical.py).
CREATE TABLE resources (
    id INTEGER PRIMARY KEY,
    canonical TEXT NOT NULL UNIQUE,
    key_version INTEGER NOT NULL
) STRICT;

-- One link in one message. `event` is the message; `said_in` the event its present text came with (itself, or an edit).
CREATE TABLE shares (
    id INTEGER PRIMARY KEY,
    resource INTEGER NOT NULL REFERENCES resources (id),
    hub TEXT NOT NULL,
    room TEXT NOT NULL,
    event TEXT NOT NULL,
    said_in TEXT NOT NULL,
    sender TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    url TEXT NOT NULL,
    label TEXT,
    note TEXT,
    UNIQUE (room, event, resource)
) STRICT;
CREATE INDEX shares_by_resource ON shares (hub, resource, sent_at);
CREATE INDEX shares_by_sender ON shares (sender);
CREATE INDEX shares_by_text ON shares (room, said_in);

-- What a hub's YAML says about a page. Texts are JSON objects by language; topics a JSON list of ids.
CREATE TABLE curations (
    hub TEXT NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources (id),
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL,
    language TEXT,
    topics TEXT NOT NULL,
    topic_words TEXT NOT NULL,
    PRIMARY KEY (hub, resource)
) STRICT;
CREATE INDEX curations_by_resource ON curations (resource);

-- What one hub knows of a page, made only from its own shares and its own YAML. People call it by its number.
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    hub TEXT NOT NULL,
    number INTEGER NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources (id),
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    language TEXT,
    curated INTEGER NOT NULL,
    shared_at INTEGER,
    shared_by TEXT,
    UNIQUE (hub, number),
    UNIQUE (hub, resource)
) STRICT;
CREATE INDEX entries_by_date ON entries (hub, shared_at);
CREATE INDEX entries_by_resource ON entries (resource);

CREATE TABLE entry_topics (
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    PRIMARY KEY (entry, topic)
) STRICT, WITHOUT ROWID;

-- The last number given in a hub: numbers are never given twice.
CREATE TABLE entry_numbers (
    hub TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

-- The words of each entry (rowid = entries.id), folded as text.py does it. `scope` holds the hub as one token.
CREATE VIRTUAL TABLE entry_words USING fts5 (
    scope, title, topics, notes, address, tokenize = "unicode61 remove_diacritics 2"
);

-- The last search of a person in a room, for !more.
CREATE TABLE searches (
    room TEXT NOT NULL,
    sender TEXT NOT NULL,
    event TEXT NOT NULL,
    query TEXT NOT NULL,
    shown INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (room, sender)
) STRICT;
