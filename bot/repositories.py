"""Which repositories are served: the configured ones, else those on which the GitHub App is installed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from config.settings import Settings
from models.tables import InstalledRow

_installed: sa.Table = InstalledRow.__table__  # type: ignore[attr-defined]


def served(connection: Connection, settings: Settings) -> Sequence[str]:
    """Full names; a list in the configuration is the whole truth, however many more the App may see."""
    if settings.repositories:
        return settings.repositories
    return tuple(connection.execute(sa.select(_installed.c.repo).order_by(_installed.c.repo)).scalars())
