"""Links brought in from files, taken back, and handed out as files."""
