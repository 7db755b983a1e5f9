"""What a GitHub App needs for this bot: permissions and events, what for, and what does not work without."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from integrations.github.settings import GithubSettings

LEVELS = ("none", "read", "write", "admin")


@dataclass(frozen=True, slots=True)
class Permission:
    """One of a repository's permissions, named as GitHub's API and manifests do."""

    name: str
    level: str
    what_for: str
    without: str
    """What does not work where it is missing."""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One of GitHub's events that the App subscribes to."""

    name: str
    permission: str
    """The permission that GitHub asks for before it lets an App subscribe."""
    what_for: str
    without: str
    optional: bool = False


PERMISSIONS = (
    Permission(
        "metadata",
        "read",
        "names of repositories; every App has it",
        "no repository can be found",
    ),
    Permission(
        "issues",
        "write",
        "reads issues, sets labels, writes and edits the bot's one comment",
        "issues cannot be labelled or commented on",
    ),
    Permission(
        "contents",
        "read",
        "reads .github/switchyard.yml, and looks things up in the documentation",
        "a repository's own configuration and documentation are not read",
    ),
    Permission(
        "pull_requests",
        "read",
        "sees which files a pull request changes",
        "a pull request that changes .github/switchyard.yml is not checked",
        optional=True,
    ),
    Permission(
        "checks",
        "write",
        "says on a pull request whether its .github/switchyard.yml is good",
        "a pull request that changes .github/switchyard.yml shows no check",
        optional=True,
    ),
)

DRAFT_PULLS = (
    Permission(
        "contents",
        "write",
        "makes a branch for a draft pull request",
        "integrations.github.draft_pulls is on, and none can be opened",
    ),
    Permission(
        "pull_requests",
        "write",
        "opens draft pull requests and asks for reviews",
        "integrations.github.draft_pulls is on, and none can be opened",
    ),
)
DRAFT_ADVISORIES = (
    Permission(
        "repository_advisories",
        "write",
        "drafts security advisories, which only maintainers see",
        "integrations.github.draft_advisories is on, and none can be drafted",
    ),
)

EVENTS = (
    Event("issues", "issues", "what happens to issues", "new issues wait for the nightly run or the sweep"),
    Event(
        "issue_comment",
        "issues",
        "notes that an issue was commented on",
        "comments are seen with the issue's next change only",
    ),
    Event(
        "push",
        "contents",
        "reads .github/switchyard.yml again when it changes",
        "a changed .github/switchyard.yml is read later",
    ),
    Event(
        "repository",
        "metadata",
        "follows a repository that is renamed, transferred, archived or deleted",
        "a renamed repository is known an hour later",
    ),
    Event(
        "pull_request",
        "pull_requests",
        "checks a pull request that changes .github/switchyard.yml",
        "a pull request that changes .github/switchyard.yml is not checked",
        optional=True,
    ),
)
"""GitHub sends `installation` and `installation_repositories` to every App; one cannot subscribe to them."""


def configured(settings: GithubSettings) -> tuple[Permission, ...]:
    """What the configuration asks for beyond what every App of this bot's has."""
    return (DRAFT_PULLS if settings.draft_pulls else ()) + (
        DRAFT_ADVISORIES if settings.draft_advisories else ()
    )


def missing(
    permissions: Mapping[str, str], events: Collection[str], more: Sequence[Permission] = ()
) -> tuple[list[str], list[str]]:
    """What is not granted, a sentence each: first what is needed, then what is optional.

    `more` is what the configuration asks for beside.
    """
    needed: list[str] = []
    optional: list[str] = []
    for permission in (*PERMISSIONS, *more):
        granted = permissions.get(permission.name, "none")
        if granted not in LEVELS or LEVELS.index(granted) < LEVELS.index(permission.level):
            words = f"permission {permission.name}: {permission.level} ({permission.without})"
            (optional if permission.optional else needed).append(words)
    for event in EVENTS:
        if event.name not in events:
            (optional if event.optional else needed).append(f"event {event.name} ({event.without})")
    return needed, optional


def granted() -> dict[str, str]:
    """All permissions, as GitHub writes them."""
    return {permission.name: permission.level for permission in PERMISSIONS}


def subscribed() -> list[str]:
    """All events, as GitHub writes them."""
    return [event.name for event in EVENTS]
