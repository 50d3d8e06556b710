"""Pure rules and data: no await, no input or output, no third-party import."""
