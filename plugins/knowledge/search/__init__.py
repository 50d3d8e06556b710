"""Search: from the text of a question to ranked entries."""
