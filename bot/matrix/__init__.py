"""The Matrix client. The only package that imports nio."""
