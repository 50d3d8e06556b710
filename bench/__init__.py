"""Benchmarks of speed and memory against a baseline of the same run. `python -m bench` or `make bench`."""
