"""The shell command `faro` and its subcommands."""
