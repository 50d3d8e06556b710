"""The only folder that imports aiosqlite: the one file of data, its tables and who may read them."""
