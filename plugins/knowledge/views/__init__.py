"""How results and answers are loaded and written for people to read."""
