"""Turns messages into shares: their links and documents, with the words, hashtags and labels beside them."""
