"""The figures, measured; `make bench` prints them as a table."""
