"""PostgreSQL for tests: a database of its own for each, on the server that $SWITCHYARD_TEST_POSTGRES names."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

SERVER = os.environ.get("SWITCHYARD_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/test")


@contextmanager
def fresh_database() -> Iterator[str]:
    """An empty database's address; skips the test where no server answers."""
    engine = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    name = f"switchyard_{uuid.uuid4().hex[:12]}"
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    except sa.exc.OperationalError:
        engine.dispose()
        pytest.skip("no PostgreSQL answers; set SWITCHYARD_TEST_POSTGRES")
    try:
        yield sa.make_url(SERVER).set(drivername="postgresql", database=name).render_as_string(False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()
