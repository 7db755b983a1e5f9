"""The same runs on PostgreSQL, with several processes; skipped where no server answers."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.similar.index import Index
from bot.store import documents
from bot.store.database import Database
from tests.bot.test_run import many
from tests.bot.test_similar import seen, shown, story
from tests.postgres import fresh_database
from tests.world import World


@pytest.fixture
def url() -> Iterator[str]:
    """A database of its own for one test."""
    with fresh_database() as address:
        yield address


def test_an_old_schema_is_refused_until_it_is_migrated(tmp_path: Path, url: str) -> None:
    with World(tmp_path, many(3)) as world:
        world.environment["SWITCHYARD_DATABASE_URL"] = url
        refused = world.run("run")
        assert refused.code == 2 and "switchyard migrate" in refused.err
        assert world.run("migrate").code == 0
        assert world.run("migrate").code == 0
        assert world.run("run", "--json").json["status"] == "completed"


@pytest.mark.chaos
@pytest.mark.slow
def test_workers_share_a_run_and_survive_each_other(tmp_path: Path, url: str) -> None:
    with World(tmp_path, many(200), anew=True, latency_ms=20) as world:
        world.route_all("bug")
        world.set("scaling.batch_size", "10")
        world.set("integrations.github.comment", "always")
        world.environment["SWITCHYARD_DATABASE_URL"] = url
        world.run("migrate")
        workers = [world.start("worker") for _ in range(2)]
        try:
            assert world.kill_after(2.0, "run") in (True, False)
            workers[0].send_signal(signal.SIGKILL)
            report = world.run("run", "--full", "--json").json
            assert report["status"] == "completed", report
            assert len(world.listed("stories")) == 200
            assert world.state()["comments"] == 200
            world.assert_once()
        finally:
            for worker in workers:
                worker.terminate()
                worker.communicate(timeout=20)


def test_two_processes_that_see_the_same_stories_store_them_once(url: str, tmp_path: Path) -> None:
    databases = [Database(url) for _ in range(2)]
    databases[0].migrate()
    stories = [story(number) for number in range(1, 200)]
    failed: list[BaseException] = []
    gate = threading.Barrier(2)

    def see(database: Database) -> None:
        for at in range(0, len(stories), 20):
            gate.wait(20)
            try:
                seen(database, *stories[at : at + 20])
            except BaseException as error:
                failed.append(error)

    threads = [threading.Thread(target=see, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    # Each with files of its own, as processes in two working directories have.
    for at, database in enumerate(databases):
        assert shown(Index(database, tmp_path / str(at))) == {f"shortcut:{one.id}" for one in stories}
        with database.read() as connection:
            assert documents.extent(connection) == (1, len(stories))
        database.dispose()
