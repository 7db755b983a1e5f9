"""The databases that tests run on: SQLite in a file of the test's own, or PostgreSQL in a database of its own."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from bot.store.database import Database
from models.tables import METADATA

SERVER = os.environ.get("SWITCHYARD_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/test")
NO_SERVER = "no PostgreSQL answers; set SWITCHYARD_TEST_POSTGRES"


class Sqlite:
    """New databases are copies of one that was migrated: a migration takes as long as ten small tests."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"

    def make(self, file: Path) -> str:
        """Make a database with the newest schema; returns its URL."""
        if not self._template.exists():
            database = Database(f"sqlite:///{self._template}")
            database.migrate()
            with database.engine.connect() as connection:
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.dispose()
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._template, file)
        return f"sqlite:///{file}"


class Postgres:
    """Lends databases with the newest schema and nothing in them.

    They are emptied and lent again: PostgreSQL takes 130 ms to make and drop a database, and 30 ms to empty one. Each
    time it gets a new name, so that a process which outlived its test finds nothing there.
    """

    def __init__(self, server: str) -> None:
        self._url = sa.make_url(server)
        self._engine = sa.create_engine(
            server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2}
        )
        self._free: list[str] = []
        self._tables = [table.name for table in METADATA.sorted_tables]

    def answers(self) -> bool:
        try:
            self._engine.connect().close()
        except sa.exc.OperationalError:
            return False
        return True

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a database with the newest schema."""
        name = self._free.pop() if self._free else self._make()
        try:
            yield self._url_of(name)
        finally:
            self._end_others(name)
            renamed = _name()
            self._do(f"ALTER DATABASE {name} RENAME TO {renamed}")
            self._empty(renamed)
            self._free.append(renamed)

    @contextmanager
    def bare(self) -> Iterator[str]:
        """The URL of a database without a schema."""
        name = _name()
        self._do(f"CREATE DATABASE {name}")
        try:
            yield self._url_of(name)
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        for name in self._free:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")
        self._engine.dispose()

    def _make(self) -> str:
        name = _name()
        self._do(f"CREATE DATABASE {name}")
        # A test need not wait for the disk.
        self._do(f"ALTER DATABASE {name} SET synchronous_commit = off")
        database = Database(self._url_of(name))
        database.migrate()
        database.dispose()
        return name

    def _end_others(self, name: str) -> None:
        others = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        with self._engine.connect() as connection:
            connection.execute(others, {"name": name})

    def _empty(self, name: str) -> None:
        engine = sa.create_engine(self._url.set(database=name), poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(";".join(f"DELETE FROM {table}" for table in self._tables))
            connection.exec_driver_sql(
                "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
            )

    def _url_of(self, name: str) -> str:
        return self._url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def _do(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)


def _name() -> str:
    return f"switchyard_{uuid.uuid4().hex[:12]}"


class Current:
    """The kind of database that the test at hand runs on; `World` asks for it."""

    postgres: Postgres | None = None
    """None: SQLite."""


CURRENT = Current()
