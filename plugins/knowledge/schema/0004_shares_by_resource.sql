-- Before a page goes, it is looked whether a share still names it: without this, all shares are read for each.
CREATE INDEX shares_by_resource ON shares (resource);
