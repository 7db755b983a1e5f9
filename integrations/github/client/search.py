"""GitHub's own search among the issues of one repository: asked only where its small budget is free."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from integrations.github.payloads import is_pull_request, parse_issue
from integrations.resilience import steady, steady_at
from models.errors import RateLimited
from models.issue import Issue

if TYPE_CHECKING:
    from integrations.github.client.client import GithubClient

FOUND = 5
"""Issues that are taken of a search."""
MAX_QUERY = 200
"""Characters of what is searched for; GitHub takes 256 with everything."""
MAX_WORDS = 6
_REFUSED = re.compile(r"[^\w.]+")
_OPERATORS = {"and", "or", "not"}


def plain_words(words: Sequence[str]) -> list[str]:
    """Words in which nothing is left that a search could take for a qualifier, a quotation or an operator."""
    found: list[str] = []
    room = MAX_QUERY
    for text in words:
        for word in _REFUSED.sub(" ", text[:MAX_QUERY]).split():
            word = word.strip("._")
            if not word or word.lower() in _OPERATORS or word in found or len(word) >= room:
                continue
            found.append(word)
            room -= len(word) + 1
    return found[:MAX_WORDS]


async def search_issues(client: "GithubClient", repo: str, words: Sequence[str]) -> list[Issue] | None:
    """The first issues, open or closed, that have all these words; None where there is no room for a search now.

    It never waits, and a search that GitHub refuses holds up nothing but searches.
    """
    plain = plain_words(words)
    now = steady()
    full = client.searches.free_at("read", now) or any(b.free_at("read", now) for b in client.guard.budgets)
    if not plain or full:
        return None
    query = urlencode({"q": f"repo:{repo} is:issue {' '.join(plain)}", "per_page": FOUND})

    async def ask() -> object:
        try:
            return (await client._request("GET", f"/search/issues?{query}", repo))[1]
        except RateLimited as error:
            # Counted as a whole minute's searches, and heard by nobody else.
            client.searches.count("read", max(steady(), steady_at(error.until.timestamp()) - 60.0), 28)
            return None

    client.searches.count("read", now)
    try:
        data = await client.guard.call(ask)
    except RateLimited:
        return None
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list):
        return None
    issues = [item for item in items if isinstance(item, dict) and not is_pull_request(item)]
    found = []
    for item in issues[:FOUND]:
        try:
            found.append(parse_issue(item, repo))
        except (KeyError, TypeError, ValueError):
            continue
    return found
