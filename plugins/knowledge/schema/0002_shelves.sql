-- What a hub's rooms share is found together: one shelf per hub, and one of its own for its coordinators' rooms.
CREATE TABLE shelves (
    id INTEGER PRIMARY KEY,
    hub TEXT NOT NULL,
    circle TEXT NOT NULL CHECK (circle IN ('members', 'coordinators')),
    last INTEGER NOT NULL DEFAULT 0,           -- the last number given: numbers are never given twice
    made_with TEXT NOT NULL DEFAULT '',        -- digest of all that its entries were made with, beside what was said
    UNIQUE (hub, circle)
) STRICT;

-- People and Matrix rooms, named once: their ids are long, and stand in many rows.
CREATE TABLE sharers (id INTEGER PRIMARY KEY, user TEXT NOT NULL UNIQUE) STRICT;
CREATE INDEX sharers_by_name ON sharers (lower(user));
CREATE TABLE places (id INTEGER PRIMARY KEY, room TEXT NOT NULL UNIQUE) STRICT;

ALTER TABLE resources RENAME TO old_resources;
ALTER TABLE shares RENAME TO old_shares;
ALTER TABLE curations RENAME TO old_curations;
ALTER TABLE entries RENAME TO old_entries;
DROP TABLE entry_words;
DROP INDEX shares_by_resource;
DROP INDEX shares_by_sender;
DROP INDEX shares_by_text;
DROP INDEX entries_by_date;
DROP INDEX entries_by_resource;
DROP INDEX curations_by_resource;

-- A page, whoever shared it. `key` is the digest of what canonical.py makes of its addresses by its rules `version`.
CREATE TABLE resources (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL
) STRICT;

-- What one shelf knows of a page, made only from what was said on it (see renewal.py). People call it by its number.
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    shelf INTEGER NOT NULL REFERENCES shelves (id),
    number INTEGER NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources (id),
    url TEXT,                                  -- NULL: as the newest share has it
    title TEXT,                                -- JSON by language; NULL: the newest share's label, if it has one
    languages TEXT,                            -- of the page and its other versions: 'es en'
    kind TEXT,                                 -- pdf, docx…; NULL for a web page
    curated INTEGER NOT NULL DEFAULT 0,
    pinned INTEGER NOT NULL DEFAULT 0,
    hidden INTEGER NOT NULL DEFAULT 0,
    label INTEGER NOT NULL DEFAULT 1,          -- TLP: 0 clear, 1 green, 2 amber
    votes INTEGER NOT NULL DEFAULT 0,
    shared_at INTEGER,                         -- the newest share
    shared_by INTEGER REFERENCES sharers (id),
    UNIQUE (shelf, number),
    UNIQUE (resource, shelf)
) STRICT;
CREATE INDEX entries_by_date ON entries (shelf, shared_at) WHERE shared_at IS NOT NULL;
CREATE INDEX entries_by_votes ON entries (shelf, votes) WHERE votes > 0;

CREATE TABLE merged (                          -- another page of the same shelf that a moderator joined to an entry
    shelf INTEGER NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources (id),
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,                   -- it had before
    PRIMARY KEY (shelf, resource)
) STRICT, WITHOUT ROWID;
CREATE INDEX merged_by_entry ON merged (entry);
CREATE INDEX merged_by_number ON merged (shelf, number);

-- One link in one message. `event` is the message; `said_in` the edit its present text came with, if one did.
CREATE TABLE shares (
    id INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entries (id),
    resource INTEGER NOT NULL REFERENCES resources (id),   -- of the address as posted
    place INTEGER REFERENCES places (id),      -- NULL: brought in from a file
    event TEXT,
    said_in TEXT,
    sender INTEGER REFERENCES sharers (id),
    sent_at INTEGER NOT NULL,
    url TEXT NOT NULL,                         -- as it was posted
    label TEXT,
    note TEXT,
    topics TEXT,                               -- JSON list of hashtags
    tlp INTEGER NOT NULL DEFAULT 1,
    file TEXT,                                 -- JSON {name, kind, type, size} of a shared file; its `url` is mxc:
    UNIQUE (event, resource)
) STRICT;
CREATE INDEX shares_by_entry ON shares (entry, sent_at);
CREATE INDEX shares_by_sender ON shares (sender);
CREATE INDEX shares_by_text ON shares (said_in) WHERE said_in IS NOT NULL;

-- What a hub's YAML says about a page. Texts are JSON objects by language; topics a JSON list of ids.
CREATE TABLE curations (
    entry INTEGER NOT NULL REFERENCES entries (id),
    resource INTEGER NOT NULL REFERENCES resources (id),
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL,
    language TEXT,
    topics TEXT NOT NULL,
    PRIMARY KEY (entry, resource)
) STRICT;

CREATE TABLE corrections (                     -- what people set by command; it counts above all else
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    field TEXT NOT NULL,                       -- title, note, url, hidden, pinned, label, topic:<id>
    value TEXT NOT NULL,
    by INTEGER REFERENCES sharers (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (entry, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX corrections_by ON corrections (by);

CREATE TABLE put_aside (                       -- corrections of a page before it was joined to an entry, as they were
    shelf INTEGER NOT NULL,
    resource INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    by INTEGER REFERENCES sharers (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (shelf, resource, field),
    FOREIGN KEY (shelf, resource) REFERENCES merged (shelf, resource) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX put_aside_by ON put_aside (by);

CREATE TABLE votes (
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    sharer INTEGER NOT NULL REFERENCES sharers (id),
    event TEXT,                                -- the reaction; NULL: said by command
    PRIMARY KEY (entry, sharer)
) STRICT, WITHOUT ROWID;
CREATE INDEX votes_by_event ON votes (event) WHERE event IS NOT NULL;
CREATE INDEX votes_by_sharer ON votes (sharer);

CREATE TABLE changes (                         -- who changed what; the words go when their author is forgotten
    id INTEGER PRIMARY KEY,
    shelf INTEGER NOT NULL REFERENCES shelves (id),
    entry INTEGER,
    number INTEGER NOT NULL,
    what TEXT NOT NULL,                        -- a field of corrections, or merge, split
    before TEXT,
    after TEXT,
    by INTEGER REFERENCES sharers (id),
    at INTEGER NOT NULL,
    event TEXT,                                -- the message that asked for it
    undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX changes_by_event ON changes (event) WHERE event IS NOT NULL;
CREATE INDEX changes_by_shelf ON changes (shelf, id);
CREATE INDEX changes_by ON changes (by);

CREATE TABLE choices (                         -- of people: not logged at all; may be asked about topics they know
    sharer INTEGER PRIMARY KEY REFERENCES sharers (id),
    unlogged INTEGER NOT NULL DEFAULT 0,
    askable INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE facts (                           -- what a page says of itself, where the hub lets it be asked
    entry INTEGER PRIMARY KEY REFERENCES entries (id) ON DELETE CASCADE,
    url TEXT NOT NULL,                         -- that was asked
    state TEXT NOT NULL,                       -- waiting, ok, or why it failed
    tries INTEGER NOT NULL DEFAULT 0,
    due INTEGER,                               -- NULL: not tried again
    final_url TEXT,                            -- after redirects
    canonical TEXT,                            -- as the page says
    title TEXT,
    description TEXT,
    site TEXT,
    author TEXT,
    published TEXT,                            -- ISO date
    language TEXT,
    kind TEXT,
    versions TEXT                              -- JSON list of digests of its addresses in other languages
) STRICT;
CREATE INDEX facts_due ON facts (due) WHERE due IS NOT NULL;

CREATE TABLE health (                          -- whether a page is still there, where the hub has it checked
    entry INTEGER PRIMARY KEY REFERENCES entries (id) ON DELETE CASCADE,
    state TEXT NOT NULL,                       -- waiting, ok, moved, gone, unsure
    since INTEGER NOT NULL,
    checked_at INTEGER,                        -- NULL: not yet
    fails INTEGER NOT NULL DEFAULT 0,          -- in a row, each on another day
    moved_to TEXT,
    due INTEGER NOT NULL
) STRICT;
CREATE INDEX health_due ON health (due);

-- The words of each entry (rowid = entries.id), folded as text.py does it. `facets` holds what can be filtered by as
-- single words (see facets.py); `stems` and `concepts` what the other columns also mean.
CREATE VIRTUAL TABLE entry_words USING fts5 (
    facets, title, topics, notes, about, address, stems, concepts, tokenize = "unicode61 remove_diacritics 0"
);

-- How many entries of each shelf have a word (or, as `=token`, a concept; as `#topic`, a topic; as `=`, anything):
-- corrections, weights and counts come from these, so that they tell nothing of other shelves. `shelf` is its id for
-- what is open, the negative for what is amber (TLP).
CREATE TABLE vocabulary (
    word TEXT NOT NULL,
    shelf INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (word, shelf)
) STRICT, WITHOUT ROWID;

-- Words by their traces (see spelling.py): where to look for what a misspelt word may be. Shared by all shelves;
-- what is found here is shown only if `vocabulary` has it for a shelf that may be seen.
CREATE TABLE traces (
    trace INTEGER NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (trace, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE stale (entry INTEGER PRIMARY KEY REFERENCES entries (id) ON DELETE CASCADE) STRICT;   -- to be made anew

CREATE TABLE imports (                         -- files that were begun to be brought in
    digest TEXT PRIMARY KEY,
    done INTEGER NOT NULL
) STRICT;

-- What was there before.
DELETE FROM searches;
INSERT INTO shelves (hub, circle, last) SELECT hub, 'members', last FROM entry_numbers;
INSERT INTO sharers (user) SELECT DISTINCT sender FROM old_shares;
INSERT INTO places (room) SELECT DISTINCT room FROM old_shares;
INSERT INTO resources (id, key, version) SELECT id, canonical, 0 FROM old_resources;
INSERT INTO entries (id, shelf, number, resource, url, title, languages, curated, shared_at)
SELECT e.id, s.id, e.number, e.resource, e.url, e.title, e.language, e.curated, e.shared_at
FROM old_entries e JOIN shelves s ON s.hub = e.hub;
INSERT INTO shares (id, entry, resource, place, event, said_in, sender, sent_at, url, label, note)
SELECT o.id, e.id, o.resource, p.id, o.event, nullif(o.said_in, o.event), u.id, o.sent_at, o.url, o.label, o.note
FROM old_shares o JOIN shelves s ON s.hub = o.hub JOIN entries e ON e.shelf = s.id AND e.resource = o.resource
JOIN places p ON p.room = o.room JOIN sharers u ON u.user = o.sender;
INSERT INTO curations (entry, resource, url, title, note, language, topics)
SELECT e.id, o.resource, o.url, o.title, o.note, o.language, o.topics
FROM old_curations o JOIN shelves s ON s.hub = o.hub JOIN entries e ON e.shelf = s.id AND e.resource = o.resource;
INSERT INTO stale SELECT id FROM entries;
DELETE FROM entry_topics;
DROP TABLE old_curations;
DROP TABLE old_shares;
DROP TABLE entry_topics;
DROP TABLE old_entries;
DROP TABLE old_resources;
DROP TABLE entry_numbers;

CREATE TABLE entry_topics (
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    PRIMARY KEY (entry, topic)
) STRICT, WITHOUT ROWID;
