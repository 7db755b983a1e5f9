"""The database: how to connect, read, write and bring the schema up to date."""

import asyncio
import sqlite3
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from config.secrets import redact
from models.errors import UserFacing
from models.tables import SCHEMA_VERSION

T = TypeVar("T")
Transaction = Connection
"""What functions of the store take first: one transaction that reads, or reads and writes."""
StoreError = sa.exc.SQLAlchemyError
"""The database failed: it is away, locked, full or of another shape."""
StoreConflict = sa.exc.IntegrityError
"""Another process stored the same thing in the same moment."""
AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)
"""What a database says that is restarted, locked, full or out of reach."""
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    # Each connection has a page cache of its own: the default of 2 MB grows with the database, times twenty.
    "cache_size=-256",
    # A checkpoint waits for the disk within somebody's commit: seldom, and then for pages written many times since.
    "wal_autocheckpoint=4000",
)
_READ_ONLY = "switchyard_read_only"
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Address(NamedTuple):
    """What a database's URL says."""

    shown: str
    """The URL with its password hidden."""
    is_sqlite: bool
    file: Path | None
    """SQLite's file; None in memory and on a server."""


def address(url: str) -> Address:
    """Read a database's URL."""
    parsed = sa.make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    in_file = is_sqlite and parsed.database and parsed.database != ":memory:"
    file = Path(str(parsed.database)) if in_file else None
    return Address(parsed.render_as_string(hide_password=True), is_sqlite, file)


def connect(url: str) -> Engine:
    """An engine for `url`; SQLite in WAL mode with real transactions, its folder made where missing."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        try:
            from bot.store import postgres  # psycopg is an extra: the message is better than SQLAlchemy's
        except ImportError:
            raise UserFacing("storage.url names PostgreSQL; install the extra `postgres`") from None
        return postgres.connect(parsed)
    if parsed.database and parsed.database != ":memory:":
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserFacing(f"storage.url: {parsed.database} cannot be made ({error.strerror})") from None
    # A cached statement keeps the texts that were bound to it last, for each connection.
    options = {"timeout": 30, "check_same_thread": False, "cached_statements": 24}
    engine = sa.create_engine(parsed, connect_args=options, pool_size=20)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        # The driver's own transactions begin only at the first write, and read-modify-write loses updates.
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


class Database:
    """One process's way to the database. Its methods block; the event loop calls them through `run`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = connect(url)
        # SQLite has one writer at a time: those of one process take turns here rather than poll for its lock.
        self._writers = ThreadPoolExecutor(1 if self.is_sqlite else 8, "writer")
        self._urgent: deque[Callable[[], None]] = deque()
        self._usual: deque[Callable[[], None]] = deque()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; no other one does, in any process."""
        with self.engine.begin() as connection, self._whole(connection):
            if not self.is_sqlite:
                from bot.store.postgres import take_turns

                take_turns(connection)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads, all of it as it was at one time; it never waits for a writer."""
        options = {_READ_ONLY: True} if self.is_sqlite else _SNAPSHOT
        with self.engine.connect().execution_options(**options) as connection:
            with self._whole(connection):
                yield connection

    @contextmanager
    def _whole(self, connection: Connection) -> Iterator[None]:
        """Throw a connection away that something failed on.

        Rows that were not read yet live on in the failure's traceback, hold SQLite's snapshot, and make each
        later write on that connection fail as "locked", at once.
        """
        try:
            yield
        except BaseException:
            if self.is_sqlite:
                connection.invalidate()
            raise

    async def run(self, work: Callable[[Connection], T], *, urgent: bool = False) -> T:
        """Do `work` in one writing transaction, in a thread; an urgent one goes before those that wait."""
        future: Future[T] = Future()

        def blocking() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                with self.write() as connection:
                    result = work(connection)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        (self._urgent if urgent else self._usual).append(blocking)
        self._writers.submit(self._next)
        return await asyncio.wrap_future(future)

    def _next(self) -> None:
        (self._urgent or self._usual).popleft()()

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one reading transaction, in a thread."""

        def blocking() -> T:
            with self.read() as connection:
                return work(connection)

        return await asyncio.to_thread(blocking)

    def version(self) -> str | None:
        """The schema's revision; None where there is no schema yet."""
        with self.read() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()

    def require_schema(self, *, migrate_sqlite: bool = True) -> None:
        """Refuse an old schema with a clear message; on SQLite bring it up to date instead."""
        try:
            version = self.version()
            if version == SCHEMA_VERSION:
                return
            if self.is_sqlite and migrate_sqlite:
                self.migrate()
                return
        except sa.exc.DBAPIError as error:
            raise UserFacing(f"database: {brief(error)}; {advice(error)}") from None
        raise UserFacing(
            f"database: schema {version or 'missing'}, this version needs {SCHEMA_VERSION}; "
            "run `switchyard migrate`"
        )

    def migrate(self) -> None:
        """Bring the schema to the newest revision; two processes may try at once."""
        from alembic import command
        from alembic.config import Config

        import models.migrations

        config = Config()
        config.set_main_option("script_location", str(Path(models.migrations.__file__).parent))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def dispose(self) -> None:
        self._writers.shutdown(wait=False)
        self.engine.dispose()


def brief(error: BaseException) -> str:
    """An error in one bounded line with the place it came from; a database's error in its own words."""
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines() or [""]
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    return redact(f"{type(original).__name__}: {lines[0]}")[:300] + place


_ADVICE = {
    "locked": "another program holds it: try again when that has ended",
    "full": "make space on its disk",
    "disk I/O": "make space on its disk, and look whether that is well",
    "readonly": "it must be one that can be written; check storage.url and its owner",
    "starting up": "try again in a moment",
    "idle-in-transaction": "this program was stopped for too long: try again",
    "terminating": "it is being restarted: try again in a moment",
}


def advice(error: BaseException) -> str:
    """What a person can do about a database's failure."""
    words = str(getattr(error, "orig", None) or error)
    found = (told for part, told in _ADVICE.items() if part in words)
    return next(found, "check storage.url or $SWITCHYARD_DATABASE_URL")


class GroupWriter:
    """Joins small writes that come at the same time into one transaction.

    A commit costs about as much as thirty small updates, and thirty requests are in flight at a time.
    A caller returns once its write is committed; where the group fails, each caller gets the error.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Callable[[Connection], Any], asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []

            def together(
                connection: Connection, group: list[tuple[Callable[[Connection], Any], Any]] = group
            ) -> list[Any]:
                return [work(connection) for work, _ in group]

            try:
                results = await self._database.run(together)
            except Exception as error:  # every caller must learn of it, whatever it was
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)
