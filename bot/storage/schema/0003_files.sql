CREATE TABLE outbox_files (      -- what a message of the outbox brings with it
    id       INTEGER PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    mimetype TEXT NOT NULL,
    content  BLOB               -- NULL once sent; that there was a file still matters when its question is edited
) STRICT;
