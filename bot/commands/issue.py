"""`issue why`, `route`, `ignore`, `retry`: what people say about one issue, without Slack."""

import getpass
import json
import sys
from dataclasses import asdict

from bot import correct
from bot.store.database import Database
from models.errors import UserFacing
from models.issue import parse_ref


def why_command(database: Database, ref: str, as_json: bool) -> None:
    _require_ref(ref)
    with database.read() as connection:
        found = correct.why(connection, ref)
    if found is None:
        raise UserFacing(f"issue why: {ref} was not triaged here; `switchyard run --issue {ref}` does it")
    if as_json:
        sys.stdout.write(json.dumps(asdict(found), indent=2) + "\n")
        return
    print(f"{found.ref}: {'for review' if found.private else found.route}")
    for line in found.lines:
        print(f"  {line}")
    if found.story_url:
        print(f"  Story: {found.story_url}")


def change_command(database: Database, action: str, ref: str, route: str, as_json: bool) -> None:
    """Route, approve, ignore or retry; UserFacing where that cannot be done."""
    _require_ref(ref)
    if action == "route" and route not in (*correct.ANSWERS, "approve"):
        raise UserFacing(f"issue route: {route!r} is no route; write one of {', '.join(correct.ANSWERS)}")
    person = _person()
    with database.write() as connection:
        if action == "route":
            said = correct.reroute(connection, ref, route, person=person, via="cli")  # type: ignore[arg-type]
        elif action == "ignore":
            said = correct.ignore(connection, ref, person=person, via="cli")
        else:
            said = correct.retry(connection, ref, person=person, via="cli")
    if not said.done:
        raise UserFacing(f"issue {action}: {said.words}")
    if as_json:
        sys.stdout.write(json.dumps(asdict(said), indent=2) + "\n")
        return
    print(f"{said.ref}: {said.words}")
    if action != "ignore":
        print("serve, worker or the next run takes it up")


def _require_ref(ref: str) -> None:
    try:
        parse_ref(ref)
    except ValueError as error:
        raise UserFacing(f"issue: {error}") from None


def _person() -> str:
    """The account of this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
