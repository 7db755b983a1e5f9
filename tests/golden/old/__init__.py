"""A database as this program left it when it was killed in December 2026 (revision 0004), and the services of then.

The dumps were made once, from a run that was killed, and are not made again; `tests/golden/test_old_database.py` loads
them.
"""
