-- Versions of a page that a moderator joined are one entry: what each says of itself, and who found which useful, is kept
-- by page (`resource`), so that it goes with its page when the entry is joined or taken apart.
ALTER TABLE facts RENAME TO old_facts;
ALTER TABLE votes RENAME TO old_votes;
DROP INDEX facts_due;
DROP INDEX votes_by_event;
DROP INDEX votes_by_sharer;

CREATE TABLE facts (                           -- what a page says of itself, where the hub lets it be asked
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    resource INTEGER NOT NULL,                 -- the page: that of the entry, or one that was joined to it
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
    PRIMARY KEY (entry, resource)
) STRICT;
CREATE INDEX facts_due ON facts (due) WHERE due IS NOT NULL;

CREATE TABLE votes (                           -- one a person counts, however many pages of an entry they found useful
    entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
    sharer INTEGER NOT NULL REFERENCES sharers (id),
    resource INTEGER NOT NULL,                 -- the page: as in facts
    event TEXT,                                -- the reaction, or the message that said so by command
    PRIMARY KEY (entry, sharer, resource)
) STRICT, WITHOUT ROWID;
CREATE INDEX votes_by_event ON votes (event) WHERE event IS NOT NULL;
CREATE INDEX votes_by_sharer ON votes (sharer);

-- The page whose new address this is, as a person accepted that it moved; NULL: joined as another page.
ALTER TABLE merged ADD COLUMN moved_from INTEGER;

-- What a page said is its own whose address was asked.
INSERT INTO facts
SELECT f.entry, coalesce((SELECT resource FROM shares WHERE entry = f.entry AND url = f.url),
    (SELECT resource FROM curations WHERE entry = f.entry AND url = f.url), e.resource), f.url, f.state, f.tries, f.due,
    f.final_url, f.canonical, f.title, f.description, f.site, f.author, f.published, f.language, f.kind, f.versions
FROM old_facts f JOIN entries e ON e.id = f.entry;
INSERT INTO votes (entry, sharer, resource, event)
SELECT v.entry, v.sharer, e.resource, v.event FROM old_votes v JOIN entries e ON e.id = v.entry;
DROP TABLE old_facts;
DROP TABLE old_votes;
