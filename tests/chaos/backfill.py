"""A backfill of many issues that is killed again and again: what was read is not read again."""

ISSUES = 0
