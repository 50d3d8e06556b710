"""What people, moderators and files said, as rows in the database, and who may see it."""
