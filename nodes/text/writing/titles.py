"""Turns an issue's title into a story's name."""

import re

from models.issue import Issue
from models.text.escape import headline

NAME_LIMIT = 200
_KIND = re.compile(
    r"(?:\[\s?(?:bug|bug report|feature|feature request|docs?|documentation|question|request"
    r"|enhancement)\s?\]|(?:bug|bug report|feature|feature request|docs?|documentation"
    r"|enhancement)(?=:)):?\s{0,5}",
    re.IGNORECASE,
)


def story_name(issue: Issue) -> str:
    """The title without the form's prefix ("[Bug]: "); names the issue where no word is left."""
    title = headline(issue.title, NAME_LIMIT)
    if match := _KIND.match(title):
        title = title[match.end() :].lstrip(" :-") or title
    if any(letter.isalnum() for letter in title):
        return title
    return headline(f"Issue {issue.ref} {title}", NAME_LIMIT)
