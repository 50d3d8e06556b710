"""The search index: entries derived from shares and statements, and rebuilt when those change."""
