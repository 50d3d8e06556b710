ALTER TABLE rooms ADD COLUMN heard_at INTEGER;   -- when the bot last read a message of somebody there

ALTER TABLE outbox ADD COLUMN plain INTEGER NOT NULL DEFAULT 0;   -- 1: sent readable even into an encrypted room

CREATE TABLE invited (           -- who is asked in and has not come yet; they need the keys of what is said meanwhile
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE undecryptable (     -- encrypted events whose key is missing; it may come later
    id         INTEGER PRIMARY KEY,
    room       TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    sender     TEXT NOT NULL,
    sent_at    INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    raw        TEXT NOT NULL,    -- JSON, as the homeserver sent it
    kept_at    INTEGER NOT NULL,
    UNIQUE (room, event_id)
) STRICT;
CREATE INDEX undecryptable_session ON undecryptable (room, session_id);

CREATE TABLE withheld (          -- whose app does not give the bot its keys
    room     TEXT NOT NULL,
    user     TEXT NOT NULL,
    code     TEXT NOT NULL,      -- m.unverified, m.blacklisted…
    last_at  INTEGER NOT NULL,
    told_at  INTEGER,            -- when the bot last asked for them
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE crypto_status (     -- one row: what the encryption last found about the bot's own device
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    device       TEXT NOT NULL,
    cross_signed INTEGER NOT NULL,   -- 0 or 1
    at           INTEGER NOT NULL
) STRICT;

-- Member lists made before this step name nobody who is only invited: they are read again.
INSERT INTO jobs (plugin, key, name, payload, due)
SELECT 'core', 'members/' || id, 'members', json_object('room', id), 0 FROM rooms WHERE joined = 1
ON CONFLICT (plugin, key) DO NOTHING;
