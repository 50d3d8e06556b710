"""Text processing without domain knowledge: word folding and stemming, an HTML tokenizer, text clean-up."""
