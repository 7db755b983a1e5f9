"""GitHub's shapes, read leniently: few fields, and every one of them may be missing or null."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeGuard

from models.issue import MAX_BODY, Issue

_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_LAST = re.compile(r'<[^>]*[?&]page=(\d{1,7})(?:&[^>]*)?>;\s*rel="last"')


def parse_issue(item: Mapping[str, Any], repo: str) -> Issue:
    """An Issue from an item of the issues list; ValueError where it has no number."""
    number = item.get("number")
    if not is_number(number):
        raise ValueError("an item of the issues list has no number")
    repo = _canonical(item, repo)
    user = item.get("user")
    reactions = item.get("reactions")
    created = parse_time(item.get("created_at"))
    return Issue(
        repo=repo,
        number=number,
        title=_text(item.get("title"), 1_000),
        body=_text(item.get("body"), MAX_BODY),
        html_url=_text(item.get("html_url"), 2_000) or f"https://github.com/{repo}/issues/{number}",
        created_at=created,
        updated_at=parse_time(item.get("updated_at"), default=created),
        state=_text(item.get("state"), 20) or "open",
        labels=tuple(_label_names(item.get("labels"))),
        author=_text(user["login"], 100) if isinstance(user, Mapping) and user.get("login") else None,
        author_association=_text(item.get("author_association"), 40) or "NONE",
        assignees=tuple(
            _text(person["login"], 100)
            for person in item.get("assignees") or ()
            if isinstance(person, Mapping) and person.get("login")
        ),
        comments=_count(item.get("comments")),
        reactions=_count(reactions.get("total_count")) if isinstance(reactions, Mapping) else 0,
    )


def _canonical(item: Mapping[str, Any], repo: str) -> str:
    """The repository's name as GitHub writes it: names differ by no more than case, keys must not."""
    own = str(item.get("repository_url") or "").rpartition("/repos/")[2]
    return own if own.casefold() == repo.casefold() else repo


def place_of(item: Mapping[str, Any]) -> str | None:
    """Where an issue lies, as "owner/name#number"; None where the answer does not tell."""
    own = str(item.get("repository_url") or "").rpartition("/repos/")[2]
    number = item.get("number")
    return f"{own}#{number}" if own.count("/") == 1 and is_number(number) else None


def is_number(value: Any) -> TypeGuard[int]:
    """Can this be an issue's number? JSON's true is an int to Python."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def is_pull_request(item: Mapping[str, Any]) -> bool:
    """The issues list holds pull requests too; they carry this key."""
    return item.get("pull_request") is not None


def read_issues(items: Sequence[Mapping[str, Any]], repo: str) -> tuple[list[Issue], list[str]]:
    """The issues among these, without pull requests, and for each that cannot be read the reason."""
    found: list[Issue] = []
    wrong: list[str] = []
    for item in items:
        if is_pull_request(item):
            continue
        try:
            found.append(parse_issue(item, repo))
        except (ValueError, TypeError, AttributeError) as error:
            wrong.append(str(error)[:200])
    return found, wrong


def parse_label_event(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Number, label, login, bot and time of an event by which a label was put on an issue; None for others."""
    issue, label, actor = item.get("issue"), item.get("label"), item.get("actor")
    if item.get("event") != "labeled" or not isinstance(issue, Mapping) or not isinstance(label, Mapping):
        return None
    number, name = issue.get("number"), label.get("name")
    if not is_number(number) or not name:
        return None
    login = _text(actor.get("login"), 100) if isinstance(actor, Mapping) else ""
    is_bot = login.endswith("[bot]") or (isinstance(actor, Mapping) and actor.get("type") == "Bot")
    return {
        "number": number,
        "label": _text(name, 300),
        "login": login or None,
        # A person may act through an App (`performed_via_github_app`); that is still a person's word.
        "bot": is_bot,
        "at": parse_time(item.get("created_at")).timestamp(),
    }


def logins_of(commits: Any) -> tuple[str, ...]:
    """Who wrote these commits, each once, in their order; neither bots nor those whom GitHub does not know."""
    found: dict[str, None] = {}
    for item in commits if isinstance(commits, list) else ():
        author = item.get("author") if isinstance(item, Mapping) else None
        if not isinstance(author, Mapping) or author.get("type") == "Bot":
            continue
        login = _text(author.get("login"), 100)
        if login and not login.endswith("[bot]"):
            found[login] = None
    return tuple(found)


def found_at(value: Any, *names: str) -> Any:
    """What lies at the end of nested objects; None where it is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def next_url(link: str | None) -> str | None:
    """The address of the next page, from a Link header; it is followed, not computed."""
    match = _NEXT.search(link or "")
    return match[1] if match else None


def last_page(link: str | None) -> int | None:
    """The number of the last page, where a Link header tells it."""
    match = _LAST.search(link or "")
    return int(match[1]) if match else None


def parse_time(value: Any, default: datetime = datetime(1970, 1, 1, tzinfo=UTC)) -> datetime:
    """An aware time from ISO 8601; `default` where it is missing or malformed."""
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return default
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _text(value: Any, limit: int) -> str:
    text = str(value)[:limit] if value is not None else ""
    # NUL cannot be stored by PostgreSQL and half a surrogate pair not be encoded at all.
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _label_names(labels: Any) -> list[str]:
    names = (label.get("name") if isinstance(label, Mapping) else label for label in labels or ())
    return [_text(name, 300) for name in names if name]
