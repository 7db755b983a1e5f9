"""Which repositories are served: the configured ones, else those on which the GitHub App is installed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from config.settings import Settings
from models.tables import InstalledRow

_installed: sa.Table = InstalledRow.__table__  # type: ignore[attr-defined]

WAYS = (
    "list them under workflow.repositories, or sign in as a GitHub App (GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY) "
    "that is installed on some"
)
NONE = f"no repositories: {WAYS}"


def served(connection: Connection, settings: Settings) -> Sequence[str]:
    """Full names; a list in the configuration is the whole truth, however many more the App may see."""
    if settings.repositories:
        return settings.repositories
    # Those of a suspended installation stay in the table with their number negated.
    query = sa.select(_installed.c.repo).where(_installed.c.installation_id > 0).order_by(_installed.c.repo)
    return tuple(connection.execute(query).scalars())
