"""A database as this program left it in the middle of its work in December 2026, and the services as they stood then.

`make.py` made the dumps once; the test that loads them is `tests/golden/test_old_database.py`.
"""
