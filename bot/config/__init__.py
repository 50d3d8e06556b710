"""What can be set, and how YAML becomes it."""
