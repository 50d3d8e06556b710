"""How words are compared."""
