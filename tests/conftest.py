"""Fixtures that several folders share."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.store.database import Database
from tests import databases
from tests.world import World

# How long an example takes says how busy the machine is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

KINDS = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=KINDS,
        help="run all tests that use a database, and only those, on this one",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of `database_url` run once on each kind, others where their mark says so."""
    if metafunc.config.getoption("--database") is not None:
        return
    only, marked = map(metafunc.definition.get_closest_marker, ("only", "databases"))
    if marked or "database_url" in metafunc.fixturenames:
        kinds = only.args if only else marked.args if marked else KINDS
        metafunc.parametrize("database_kind", kinds, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kind = config.getoption("--database")
    if kind is not None:
        wanted = [item for item in items if _is_for(kind, item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
        items[:] = wanted


def _is_for(kind: str, item: pytest.Item) -> bool:
    """Does this test use a database, and can it be this one?"""
    only = item.get_closest_marker("only")
    if only is not None and kind not in only.args:
        return False
    names = {"world", "anew", "database_url", "make_app"} & set(getattr(item, "fixturenames", ()))
    return bool(names) or "World" in vars(getattr(item, "module", object))


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.Postgres]:
    """The PostgreSQL server that lends databases."""
    server = databases.Postgres(databases.SERVER)
    if not server.answers():
        pytest.skip(databases.NO_SERVER)
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> databases.Sqlite:
    """Makes SQLite databases."""
    return databases.Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session", autouse=True)
def database_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """`sqlite` or `postgresql`: what the test at hand runs on, through `database_url` or `World`."""
    kind = str(getattr(request, "param", None) or request.config.getoption("--database") or "sqlite")
    if kind == "postgresql":
        databases.CURRENT.postgres = request.getfixturevalue("postgres")
    yield kind
    databases.CURRENT.postgres = None


@pytest.fixture
def database_url(database_kind: str, sqlite: databases.Sqlite, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own with the newest schema; each test runs once on SQLite and once on PostgreSQL."""
    with ExitStack() as stack:
        postgres = databases.CURRENT.postgres
        yield (
            stack.enter_context(postgres.migrated())
            if postgres
            else sqlite.make(tmp_path / "var" / "test.db")
        )


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, opened."""
    made = Database(database_url)
    yield made
    made.dispose()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A checked sandbox with the demo issues, and the program in a process and folder of its own."""
    with World(tmp_path) as made:
        yield made
        made.assert_contracts()


@pytest.fixture
def anew(tmp_path: Path) -> Iterator[World]:
    """The same, with the program started anew each time as its users start it."""
    with World(tmp_path, anew=True) as made:
        yield made
        made.assert_contracts()
