"""An application on a real database, with services that nobody answers for."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.app.app import App, build, close
from config.secrets import NAMES
from config.settings import Settings
from tests.databases import CURRENT, Sqlite

MakeApp = Callable[..., App]


@pytest.fixture
async def make_app(tmp_path: Path, sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeApp]:
    """Makes applications whose services are a closed port; closes them at the end."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_test")
    made: list[App] = []
    stack = ExitStack()
    postgres = CURRENT.postgres
    url = stack.enter_context(postgres.migrated()) if postgres else sqlite.make(tmp_path / "t.db")

    def make(token: str | None = None, **settings: Any) -> App:
        if token is not None:
            monkeypatch.setenv("SWITCHYARD_ADMIN_TOKEN", token)
        document: dict[str, Any] = {
            "repositories": ["octo/widgets"],
            "storage": {"url": url},
            "scaling": {"cpu_workers": 0},
            "resilience": {"retry": {"initial_delay": "10ms", "max_delay": "20ms"}},
            "integrations": {"github": {"base_url": "http://127.0.0.1:1"}},
        }
        made.append(build(Settings.model_validate(document | settings)))
        return made[-1]

    yield make
    for app in made:
        await close(app)
    stack.close()
