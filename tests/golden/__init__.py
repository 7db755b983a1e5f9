"""What people rely on, one name a line in `data/`: a change that drops or renames one of them fails a test.

A new name fails, too, until it is written down: `SWITCHYARD_UPDATE_GOLDEN=1 .venv/bin/pytest tests/golden` adds it.
It never takes a name away. Where one is to go after all, delete its line by hand, and say in the commit why.
"""
