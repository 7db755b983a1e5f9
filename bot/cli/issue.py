"""`issue why`, `route`, `ignore`, `retry`: what people say about one issue, without Slack."""

import difflib
import getpass
import json
import sys
from dataclasses import asdict

from bot.review import decisions as correct
from bot.store.database import Database
from models.errors import UserFacing
from models.issue import named_ref


def why_command(database: Database, ref: str, as_json: bool) -> None:
    ref = _ref(ref)
    with database.read() as connection:
        found = correct.why(connection, ref)
    if found is None:
        raise _unknown("why", ref)
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
    ref = _ref(ref)
    choices = (*correct.ANSWERS, "approve")
    if action == "route" and route not in choices:
        near = difflib.get_close_matches(route.lower(), choices, 1)
        meant = f"did you mean {near[0]}? Write" if near else "write"
        raise UserFacing(f"issue route: {route!r} is no route; {meant} one of {', '.join(choices)}")
    person = _person()
    with database.write() as connection:
        if action == "route":
            said = correct.reroute(connection, ref, route, person=person, via="cli")  # type: ignore[arg-type]
        elif action == "ignore":
            said = correct.ignore(connection, ref, person=person, via="cli")
        else:
            said = correct.retry(connection, ref, person=person, via="cli")
    if not said.ref:
        raise _unknown(action, ref)
    if not said.done:
        raise UserFacing(f"issue {action}: {said.words}")
    if as_json:
        sys.stdout.write(json.dumps(asdict(said), indent=2) + "\n")
        return
    print(f"{said.ref}: {said.words}")
    if action != "ignore":
        print("serve, worker or the next run takes it up")


def _unknown(action: str, ref: str) -> UserFacing:
    return UserFacing(f"issue {action}: {ref} was not triaged here; `switchyard run --issue {ref}` does it")


def _ref(text: str) -> str:
    try:
        return named_ref(text)
    except ValueError as error:
        raise UserFacing(f"issue: {error}") from None


def _person() -> str:
    """The account of this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
