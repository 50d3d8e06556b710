"""Text without its meaning: how words are compared (`folding`), what HTML consists of (`html_tokens`)."""
