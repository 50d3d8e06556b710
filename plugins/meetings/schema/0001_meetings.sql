CREATE TABLE meetings_asker_zones (   -- cached time zones from people's Matrix profiles (m.tz)
    user       TEXT PRIMARY KEY,
    zone       TEXT,                  -- NULL: the profile has none, or not a valid one
    fetched_at INTEGER NOT NULL       -- UTC milliseconds since 1970
) STRICT;
