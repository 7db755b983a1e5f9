"""What the questions of cases are answered from: the clients that are on, and the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.store.database import Database
from integrations.github.client.client import GithubClient

if TYPE_CHECKING:
    from bot.think.drafting import Drafting
    from integrations.osv.client import OsvClient
    from integrations.rest.client import RestClient
    from integrations.shortcut.client import ShortcutClient


@dataclass(frozen=True, slots=True)
class Sources:
    """A client that is off is None, a service of the team's own that is off is not among `services`."""

    github: GithubClient
    database: Database
    github_hosts: frozenset[str] = frozenset({"github.com"})
    """The names under which people see GitHub."""
    shortcut: "ShortcutClient | None" = None
    osv: "OsvClient | None" = None
    llm: "Drafting | None" = None
    services: Mapping[str, "RestClient"] = field(default_factory=dict)
