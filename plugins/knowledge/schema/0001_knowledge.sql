-- What was said is kept as rows that stay where they are (shares, statements); entries are derived from them
-- (store/resolve.py, index/). Every table carries its owner's name.

-- What the rooms of one circle of a hub share: what the plain ones do, what the encrypted ones do, and, where the hub
-- wants it, the addresses of the latter. `last_number` and `last_seq` only grow: no number is given twice.
CREATE TABLE knowledge_shelves (
    id INTEGER PRIMARY KEY,
    hub TEXT NOT NULL,
    circle TEXT NOT NULL CHECK (circle IN ('members', 'coordinators')),
    kind TEXT NOT NULL DEFAULT 'plain' CHECK (kind IN ('plain', 'encrypted', 'addresses')),
    last_number INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,       -- orders shares and statements of the shelf
    built_with TEXT NOT NULL DEFAULT '',       -- digest of the rules its entries were built with
    UNIQUE (hub, circle, kind)
) STRICT;

-- People and Matrix rooms, named once: their ids are long, and stand in many rows.
CREATE TABLE knowledge_people (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE) STRICT;
CREATE INDEX knowledge_people_by_name ON knowledge_people (lower(user_id));
CREATE TABLE knowledge_rooms (id INTEGER PRIMARY KEY, room TEXT NOT NULL UNIQUE) STRICT;

-- One page of one shelf. Its number is for good; its key is the digest of what urls/canonical.py makes of its addresses
-- by the rules `version`. A page without a key is gone, or was joined to another by newer rules.
CREATE TABLE knowledge_pages (
    id INTEGER PRIMARY KEY,
    shelf INTEGER NOT NULL REFERENCES knowledge_shelves (id),
    number INTEGER NOT NULL,
    key TEXT,
    version INTEGER NOT NULL,
    entry INTEGER NOT NULL REFERENCES knowledge_pages (id),   -- derived: the lead page of its group
    address_of INTEGER REFERENCES knowledge_pages (id),       -- derived: the page whose address this one shows
    UNIQUE (key, shelf),
    UNIQUE (shelf, number)
) STRICT;
CREATE INDEX knowledge_pages_by_entry ON knowledge_pages (entry);
CREATE INDEX knowledge_pages_address_of ON knowledge_pages (address_of) WHERE address_of IS NOT NULL;

-- One command that said something of pages: these are the changes that `!changes` lists.
CREATE TABLE knowledge_commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,      -- never given twice: what names a purged command finds no other
    shelf INTEGER NOT NULL REFERENCES knowledge_shelves (id),
    kind TEXT NOT NULL CHECK (kind IN ('edit', 'vote', 'import', 'rekey')),
    page INTEGER REFERENCES knowledge_pages (id),             -- the page it was said of; NULL: of many
    by INTEGER REFERENCES knowledge_people (id),              -- NULL: the operator, or somebody who was forgotten
    at INTEGER NOT NULL,
    event TEXT,                                -- the message or reaction that said it
    room INTEGER REFERENCES knowledge_rooms (id),
    state TEXT NOT NULL DEFAULT 'done' CHECK (state IN ('begun', 'done', 'undoing', 'undone')),
    undone_by TEXT,                            -- the message that undid it
    doubted INTEGER NOT NULL DEFAULT 0,        -- 1: its message may have been deleted unseen
    name TEXT,                                 -- of an imported file; with its digest, the items done and links added
    digest TEXT,
    items INTEGER NOT NULL DEFAULT 0,
    links INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX knowledge_commands_by_event ON knowledge_commands (event) WHERE event IS NOT NULL;
CREATE INDEX knowledge_commands_by_person ON knowledge_commands (by) WHERE by IS NOT NULL;
CREATE INDEX knowledge_commands_by_shelf ON knowledge_commands (shelf, id) WHERE kind IN ('edit', 'import');
CREATE INDEX knowledge_commands_by_digest ON knowledge_commands (digest) WHERE digest IS NOT NULL;

-- One link in one message, or in one file. `event` is the message; `said_in` the edit its present text came with.
CREATE TABLE knowledge_shares (
    id INTEGER PRIMARY KEY,
    page INTEGER NOT NULL REFERENCES knowledge_pages (id),
    seq INTEGER NOT NULL,                      -- kept by an edit that is not labelled more strictly
    room INTEGER REFERENCES knowledge_rooms (id),
    event TEXT,                                -- NULL: from a file
    said_in TEXT,
    sender INTEGER REFERENCES knowledge_people (id),
    sent_at INTEGER NOT NULL,
    url TEXT NOT NULL,                         -- as it was posted
    label TEXT,                                -- the words of the link
    note TEXT,                                 -- the words beside it
    topics TEXT,                               -- JSON list of hashtags
    tlp INTEGER NOT NULL DEFAULT 1,            -- 0 clear, 1 green, 2 amber
    attachment TEXT,                           -- JSON {name, kind, type, size} of a shared file; its `url` is mxc:
    command INTEGER REFERENCES knowledge_commands (id),       -- the import it came with
    bare INTEGER NOT NULL DEFAULT 0,           -- the address left of an undone import, while people vouch for the page
    doubted INTEGER NOT NULL DEFAULT 0,        -- 1: its message may have been deleted unseen
    UNIQUE (event, page)
) STRICT;
-- Covers what a page with thousands of shares is summed up from.
CREATE INDEX knowledge_shares_by_page ON knowledge_shares (page, sent_at, seq, tlp, sender, bare);
CREATE INDEX knowledge_shares_by_sender ON knowledge_shares (sender) WHERE sender IS NOT NULL;
CREATE INDEX knowledge_shares_by_text ON knowledge_shares (said_in) WHERE said_in IS NOT NULL;
CREATE INDEX knowledge_shares_doubted ON knowledge_shares (room, event) WHERE doubted = 1;
CREATE INDEX knowledge_shares_by_command ON knowledge_shares (command) WHERE command IS NOT NULL;

-- One thing said of one page. What is said of several pages at once has one `seq`. Never changed, except that it loses
-- its words or its standing: `withdrawn` says why it no longer counts.
CREATE TABLE knowledge_statements (
    page INTEGER NOT NULL REFERENCES knowledge_pages (id),
    seq INTEGER NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('title', 'note', 'topic', 'label', 'hidden', 'own_hidden', 'pinned', 'useful',
        'url', 'same_as', 'cut', 'not_same_as', 'stays')),
    key TEXT NOT NULL DEFAULT '',              -- topic: its name; title and note of a file: the language
    target INTEGER,                            -- same_as, not_same_as: a page; cut: the seq of an edge of this page;
                                               -- label, hidden: the first page of the entry it was said of
    value TEXT,
    command INTEGER NOT NULL REFERENCES knowledge_commands (id),
    withdrawn TEXT CHECK (withdrawn IN ('undone', 'redacted', 'forgotten', 'gone')),
    PRIMARY KEY (page, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX knowledge_statements_by_command ON knowledge_statements (command);
CREATE INDEX knowledge_statements_by_target ON knowledge_statements (target) WHERE target IS NOT NULL;

-- What a hub's YAML says of a page now. Texts are JSON objects by language; topics a JSON list of ids.
CREATE TABLE knowledge_recommendations (
    page INTEGER PRIMARY KEY REFERENCES knowledge_pages (id),
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL,
    language TEXT,
    topics TEXT NOT NULL
) STRICT;

-- What a page says of itself, where the hub lets it be asked, or what a file said of it.
CREATE TABLE knowledge_facts (
    page INTEGER PRIMARY KEY REFERENCES knowledge_pages (id),
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
    versions TEXT,                             -- JSON list of digests of its addresses in other languages
    command INTEGER REFERENCES knowledge_commands (id)        -- the import that said so; NULL: the network is asked
) STRICT;
CREATE INDEX knowledge_facts_due ON knowledge_facts (due) WHERE due IS NOT NULL;
CREATE INDEX knowledge_facts_by_command ON knowledge_facts (command) WHERE command IS NOT NULL;

CREATE TABLE knowledge_choices (               -- of people: not logged at all; may be asked about topics they know
    person INTEGER PRIMARY KEY REFERENCES knowledge_people (id),
    unlogged INTEGER NOT NULL DEFAULT 0,
    askable INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Derived from here on: may be rebuilt at any time.

-- What one shelf knows of a page and those joined to it; its id and number are those of the lead page.
CREATE TABLE knowledge_entries (
    id INTEGER PRIMARY KEY REFERENCES knowledge_pages (id),
    shelf INTEGER NOT NULL REFERENCES knowledge_shelves (id),
    number INTEGER NOT NULL,
    newest INTEGER,                            -- the newest share that is shown
    facts INTEGER,                             -- the page whose facts are shown
    url TEXT,                                  -- NULL: as the newest share has it
    title TEXT,                                -- JSON by language; NULL: the newest share's label, if it has one
    note TEXT,                                 -- JSON by language: why it is recommended; NULL: nobody said
    languages TEXT,                            -- of the page and its other versions: 'es en'
    kind TEXT,                                 -- pdf, docx…; NULL for a web page
    recommended INTEGER NOT NULL DEFAULT 0,
    pinned INTEGER NOT NULL DEFAULT 0,
    hidden INTEGER NOT NULL DEFAULT 0,
    label INTEGER NOT NULL DEFAULT 1,
    votes INTEGER NOT NULL DEFAULT 0,
    shared_at INTEGER                          -- of the newest share
) STRICT;
CREATE INDEX knowledge_entries_by_date ON knowledge_entries (shelf, shared_at) WHERE shared_at IS NOT NULL;
CREATE INDEX knowledge_entries_by_votes ON knowledge_entries (shelf, votes) WHERE votes > 0;

CREATE TABLE knowledge_entry_topics (
    entry INTEGER NOT NULL REFERENCES knowledge_entries (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    PRIMARY KEY (entry, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE knowledge_health (                -- whether its link still works, where the hub has it checked
    entry INTEGER PRIMARY KEY REFERENCES knowledge_entries (id) ON DELETE CASCADE,
    state TEXT NOT NULL,                       -- waiting, ok, moved, gone, unsure
    since INTEGER NOT NULL,
    checked_at INTEGER,                        -- NULL: not yet
    fails INTEGER NOT NULL DEFAULT 0,          -- in a row, each on another day
    moved_to TEXT,
    due INTEGER NOT NULL
) STRICT;
CREATE INDEX knowledge_health_due ON knowledge_health (due);

-- The words of each entry (rowid = entry), folded by text/folding.py. `facets` holds what can be filtered by as single
-- words (index/facets.py); `stems` and `concepts` what the other columns also mean.
CREATE VIRTUAL TABLE knowledge_entry_words USING fts5 (
    facets, title, topics, notes, about, address, stems, concepts, tokenize = "unicode61 remove_diacritics 0"
);

-- How many entries of each shelf have a word (or, as `=token`, a concept; as `#topic`, a topic; as `=`, anything):
-- corrections, weights and counts come from these, so that they tell nothing of other shelves. `shelf` is its id for
-- what is open, the negative for what is amber (TLP).
CREATE TABLE knowledge_vocabulary (
    word TEXT NOT NULL,
    shelf INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (word, shelf)
) STRICT, WITHOUT ROWID;

-- Where to look for what a misspelt word may be (search/typo_index.py). Shared by all shelves; what is found here is
-- shown only if the vocabulary has it for a shelf that may be seen.
CREATE TABLE knowledge_traces (
    trace INTEGER NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (trace, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE knowledge_stale (entry INTEGER PRIMARY KEY REFERENCES knowledge_entries (id) ON DELETE CASCADE) STRICT;

-- The last search of a person in a room, for !more.
CREATE TABLE knowledge_searches (
    room TEXT NOT NULL,
    sender TEXT NOT NULL,
    event TEXT NOT NULL,
    query TEXT NOT NULL,
    shown INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (room, sender)
) STRICT;
