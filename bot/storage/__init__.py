"""The database: one SQLite file, its tables and the functions that query them. The only package that imports aiosqlite."""
