"""`audit`: who did what, and the account that commands of this machine are noted under."""

import getpass
import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

from bot.store import audit
from bot.store.database import Database, Transaction
from models.errors import UserFacing
from models.issue import named_ref


def account() -> str:
    """The account that runs this command; its number where it has no name, as in a container."""
    try:
        import pwd

        # Not $USER, which anybody may set.
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
    except ImportError:
        return getpass.getuser()


def note(connection: Transaction, action: str, subject: str, **detail: Any) -> None:
    """Write down what a person did from the command line."""
    audit.note(
        connection, time.time(), actor=account(), via="cli", action=action, subject=subject, detail=detail
    )


def list_audit(
    database: Database, issue: str | None, actor: str | None, since: str | None, limit: int, as_json: bool
) -> None:
    """Entries, the newest first."""
    start = _time(since) if since is not None else None
    if issue is not None:
        try:
            issue = named_ref(issue)
        except ValueError as error:
            raise UserFacing(f"audit: {error}") from None
    with database.read() as connection:
        found = audit.entries(connection, limit=limit, actor=actor, subject=issue, since=start)
    if as_json:
        sys.stdout.write(json.dumps({"entries": found}, indent=2) + "\n")
        return
    if not found:
        print("nothing of this kind was noted")
    for entry in found:
        words = " ".join(f"{name}={value}" for name, value in audit.telling(entry["detail"]).items())
        line = f"{entry['at']}  {entry['actor']} ({entry['via']})  {entry['action']}  {entry['subject']}  {words}"
        print("".join(ch for ch in line.rstrip() if ch.isprintable()))


def _time(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserFacing(
            f"--since: {text!r} is not a time; write 2026-11-20 or 2026-11-20T02:00:00Z"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
