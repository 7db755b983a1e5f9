"""The times of recurring work that are not configured."""

from datetime import time, timedelta

RECONCILE = timedelta(minutes=5)
"""How often `serve` asks Shortcut what changed."""
MAIL_AT = time(7)
"""When mails of a day or a week go out, in the schedule's time zone; those of a week on Monday."""
