-- The core's tables. All instants are UTC milliseconds since 1970.

CREATE TABLE core_sync_token (   -- one row: how far the bot has read
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    token     TEXT NOT NULL,
    synced_at INTEGER NOT NULL
) STRICT;

CREATE TABLE core_rooms (        -- Matrix rooms the bot is in, or used to be in
    id           TEXT PRIMARY KEY,
    joined       INTEGER NOT NULL,             -- 0 or 1
    direct       INTEGER NOT NULL DEFAULT 0,   -- 0 or 1: a chat with one person
    vouched      INTEGER NOT NULL DEFAULT 0,   -- 1: an operator invited the bot to it
    decrypted_at INTEGER                       -- when the bot last decrypted a message in it
) STRICT;

CREATE TABLE core_aliases (      -- the room a configured alias pointed to when the bot first resolved it
    alias     TEXT PRIMARY KEY,
    room      TEXT NOT NULL,
    elsewhere TEXT               -- the room it pointed to when it was last resolved, if that was another one
) STRICT;

CREATE TABLE core_successors (   -- rooms that were replaced (m.room.tombstone), and the rooms the bot followed to
    room      TEXT PRIMARY KEY,
    successor TEXT NOT NULL
) STRICT;

CREATE TABLE core_grants (       -- power the bot gave people in rooms it made: what humans change later stays
    room  TEXT NOT NULL,
    user  TEXT NOT NULL,
    level INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE core_invitations (  -- whom the bot invited to the rooms it made: nobody is invited twice
    alias TEXT NOT NULL,
    user  TEXT NOT NULL,
    PRIMARY KEY (alias, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE core_room_state (   -- current state, from unencrypted state events only
    room      TEXT NOT NULL,
    type      TEXT NOT NULL,
    state_key TEXT NOT NULL,
    content   TEXT NOT NULL,     -- JSON
    PRIMARY KEY (room, type, state_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE core_members (      -- joined members of the rooms whose member lists the bot needs
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX core_members_user ON core_members (user);

CREATE TABLE core_invited (      -- invited users who have not joined yet; they get the keys of new messages too
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE core_people (       -- the language each person chose
    user     TEXT PRIMARY KEY,
    language TEXT NOT NULL
) STRICT;

CREATE TABLE core_outbox (       -- messages to send, and redactions to make
    id         INTEGER PRIMARY KEY,
    key        TEXT NOT NULL UNIQUE,   -- also the Matrix transaction id
    room       TEXT NOT NULL,
    action     TEXT NOT NULL CHECK (action IN ('send', 'redact')),
    type       TEXT NOT NULL,
    content    TEXT NOT NULL,          -- JSON; emptied once sent
    replaces   TEXT,                   -- key of the row whose event this edits or redacts
    target     TEXT,                   -- id of the event this edits or redacts
    cause      TEXT,                   -- event that caused it
    asker      TEXT,                   -- sender of that event
    plain      INTEGER NOT NULL DEFAULT 0,   -- 1: sent unencrypted even into an encrypted room
    state      TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    event_id   TEXT,                   -- NULL until sent
    first_try  INTEGER,                -- when it was first tried
    device     TEXT,                   -- that made the first try: transaction ids count per device
    tries      INTEGER NOT NULL DEFAULT 0,
    reason     TEXT,                   -- why it failed
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX core_outbox_pending ON core_outbox (room, id) WHERE state = 'pending';
CREATE INDEX core_outbox_cause ON core_outbox (cause) WHERE cause IS NOT NULL;

CREATE TABLE core_outbox_files (       -- the file of an outbox message
    id       INTEGER PRIMARY KEY REFERENCES core_outbox (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    mimetype TEXT NOT NULL,
    content  BLOB                      -- NULL once sent; the row stays, because an edit must know there was a file
) STRICT;

CREATE TABLE core_alarms (
    plugin  TEXT NOT NULL,
    key     TEXT NOT NULL,
    name    TEXT NOT NULL,
    hub     TEXT NOT NULL,
    due     INTEGER NOT NULL,
    payload TEXT NOT NULL,             -- JSON object
    done_at INTEGER,                   -- the row stays after it fired, so that its key cannot be scheduled again
    PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX core_alarms_due ON core_alarms (due) WHERE done_at IS NULL;

CREATE TABLE core_jobs (
    id      INTEGER PRIMARY KEY,
    plugin  TEXT NOT NULL,
    key     TEXT NOT NULL,
    name    TEXT NOT NULL,
    payload TEXT NOT NULL,             -- JSON object
    cause   TEXT,                      -- JSON of the message that waits for the job's answer, if one does
    due     INTEGER NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (plugin, key)
) STRICT;
CREATE INDEX core_jobs_due ON core_jobs (due);

CREATE TABLE core_undecryptable (      -- encrypted events whose key is missing; it may still arrive
    id          INTEGER PRIMARY KEY,
    room        TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    sender      TEXT NOT NULL,
    sent_at     INTEGER NOT NULL,
    session_id  TEXT NOT NULL,
    raw         TEXT NOT NULL,         -- JSON, as the homeserver sent it
    received_at INTEGER NOT NULL,
    UNIQUE (room, event_id)
) STRICT;
CREATE INDEX core_undecryptable_session ON core_undecryptable (room, session_id);

CREATE TABLE core_withheld_keys (      -- people whose client does not share its room keys with the bot
    room        TEXT NOT NULL,
    user        TEXT NOT NULL,
    code        TEXT NOT NULL,         -- m.unverified, m.blacklisted…
    withheld_at INTEGER NOT NULL,      -- the last time
    notified_at INTEGER,               -- when the bot last asked the person for the keys
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE core_crypto_status (      -- one row: the bot's own device when its cross-signing was last checked
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    device       TEXT NOT NULL,
    cross_signed INTEGER NOT NULL,     -- 0 or 1
    at           INTEGER NOT NULL
) STRICT;

CREATE TABLE core_absent_plugins (     -- own tables, but the bot was started without them
    plugin TEXT PRIMARY KEY,
    since  INTEGER NOT NULL
) STRICT;

CREATE TABLE core_rechecks (           -- rooms whose stored messages are being checked after a gap
    room     TEXT PRIMARY KEY,
    total    INTEGER NOT NULL,         -- messages in doubt at the beginning; 0: through
    checked  INTEGER NOT NULL,
    unknown  INTEGER NOT NULL,         -- messages the homeserver does not know any more
    begun_at INTEGER NOT NULL
) STRICT;

CREATE TABLE core_redactions (         -- events that were redacted, so that a late edit of one does not count
    room     TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (room, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE core_missed_events (      -- edits and redactions that absent plugins must follow later; ids only
    id       INTEGER PRIMARY KEY,
    plugin   TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('edit', 'redaction')),
    room     TEXT NOT NULL,
    event_id TEXT NOT NULL,
    sender   TEXT NOT NULL,
    sent_at  INTEGER NOT NULL,
    target   TEXT NOT NULL,
    UNIQUE (plugin, event_id)
) STRICT;

CREATE TABLE core_missed_erasures (    -- people who asked to be forgotten while a plugin was absent
    plugin TEXT NOT NULL,
    user   TEXT NOT NULL,
    PRIMARY KEY (plugin, user)
) STRICT, WITHOUT ROWID;
