"""How quick and how small: figures beside a floor measured in the same run. `python -m bench` or `make bench`."""
