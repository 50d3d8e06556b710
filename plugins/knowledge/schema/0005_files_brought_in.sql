-- A file that was brought in is one change: `what` is 'import', `after` the name of the file, `number` how many links it
-- brought, `by` NULL (the operator). What it added says so: `brought` is the id of that change, NULL for all else.
ALTER TABLE shares ADD COLUMN brought INTEGER;
ALTER TABLE corrections ADD COLUMN brought INTEGER;
ALTER TABLE put_aside ADD COLUMN brought INTEGER;
ALTER TABLE facts ADD COLUMN brought INTEGER;
ALTER TABLE merged ADD COLUMN brought INTEGER;
CREATE INDEX shares_brought ON shares (brought) WHERE brought IS NOT NULL;
CREATE INDEX corrections_brought ON corrections (brought) WHERE brought IS NOT NULL;
CREATE INDEX put_aside_brought ON put_aside (brought) WHERE brought IS NOT NULL;
CREATE INDEX facts_brought ON facts (brought) WHERE brought IS NOT NULL;
CREATE INDEX merged_brought ON merged (brought) WHERE brought IS NOT NULL;

CREATE TABLE given_way (                       -- corrections that gave way to the shares of a file: they come back with it
    brought INTEGER NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    by INTEGER REFERENCES sharers (id),
    at INTEGER NOT NULL,
    PRIMARY KEY (entry, field, brought)
) STRICT, WITHOUT ROWID;

ALTER TABLE imports ADD COLUMN change INTEGER;   -- NULL: nothing was added yet

-- The file whose value this change replaced: when the file is taken back, `before` goes.
ALTER TABLE changes ADD COLUMN replaced INTEGER;
CREATE INDEX changes_replaced ON changes (replaced) WHERE replaced IS NOT NULL;
