CREATE TABLE asker_zones (         -- time zones people have in their Matrix profile (m.tz), for a day
    user       TEXT PRIMARY KEY,
    zone       TEXT,               -- NULL: the profile names none, or none that is known
    fetched_at INTEGER NOT NULL    -- UTC ms
) STRICT;
