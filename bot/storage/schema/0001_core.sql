-- Instants are UTC milliseconds since 1970.

CREATE TABLE position (          -- one row: how far the bot has read
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    token     TEXT NOT NULL,
    synced_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rooms (             -- Matrix rooms the bot is in, or was
    id     TEXT PRIMARY KEY,
    joined INTEGER NOT NULL,     -- 0 or 1
    direct INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE aliases (           -- where a configured alias led when the bot first followed it
    alias TEXT PRIMARY KEY,
    room  TEXT NOT NULL
) STRICT;

CREATE TABLE room_state (        -- as we parsed it ourselves; never from anything that arrived encrypted
    room      TEXT NOT NULL,
    type      TEXT NOT NULL,
    state_key TEXT NOT NULL,
    content   TEXT NOT NULL,     -- JSON
    PRIMARY KEY (room, type, state_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (           -- who is joined now, of rooms whose members are needed
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_user ON members (user);

CREATE TABLE people (
    user     TEXT PRIMARY KEY,
    language TEXT NOT NULL
) STRICT;

CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    key        TEXT NOT NULL UNIQUE,   -- also the Matrix transaction id
    room       TEXT NOT NULL,
    action     TEXT NOT NULL CHECK (action IN ('send', 'redact')),
    type       TEXT NOT NULL,
    content    TEXT NOT NULL,          -- JSON; emptied once sent
    replaces   TEXT,                   -- key of the row whose event this edits or redacts
    target     TEXT,                   -- event id this edits or redacts
    cause      TEXT,                   -- event that caused it
    asker      TEXT,                   -- who sent that event
    state      TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    event_id   TEXT,
    first_try  INTEGER,
    device     TEXT,
    tries      INTEGER NOT NULL DEFAULT 0,
    reason     TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_pending ON outbox (room, id) WHERE state = 'pending';
CREATE INDEX outbox_cause ON outbox (cause) WHERE cause IS NOT NULL;

CREATE TABLE alarms (
    plugin  TEXT NOT NULL,
    key     TEXT NOT NULL,
    name    TEXT NOT NULL,
    hub     TEXT NOT NULL,
    due     INTEGER NOT NULL,
    payload TEXT NOT NULL,             -- JSON object
    done_at INTEGER,                   -- kept after it rang, so that its key is never armed again
    PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX alarms_due ON alarms (due) WHERE done_at IS NULL;

CREATE TABLE jobs (
    id      INTEGER PRIMARY KEY,
    plugin  TEXT NOT NULL,
    key     TEXT NOT NULL,
    name    TEXT NOT NULL,
    payload TEXT NOT NULL,             -- JSON object
    cause   TEXT,                      -- JSON of the message that asked, if it waits for an answer
    due     INTEGER NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (plugin, key)
) STRICT;
CREATE INDEX jobs_due ON jobs (due);
