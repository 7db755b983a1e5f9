"""What `doctor` says when services are away, wrong, or not what they should be."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bot.store import owners
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def test_doctor_says_once_that_github_is_away_and_leaves_the_breaker_alone(world: World) -> None:
    world.set("integrations.github.base_url", "http://127.0.0.1:1")
    bad = world.run("doctor", "--json")
    lines = [check for check in bad.json["checks"] if not check["ok"]]
    assert bad.code == 1 and [line["name"] for line in lines] == ["github"], lines
    assert "base_url" in lines[0]["mend"] and "breaker" not in bad.err
    world.set("integrations.github.base_url", world.base)
    again = world.run("doctor", "--json")
    assert again.code == 0, again.out


def test_doctor_outlives_an_answer_that_makes_no_sense(world: World) -> None:
    """A sign-in page instead of the models: whatever the client's library makes of it, it is one line of many."""
    body = b"<html>sign in</html>"

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        world.environment["LLM_API_KEY"] = "x"
        world.set("integrations.llm.model", "openai:some")
        world.set("integrations.llm.base_url", f"http://127.0.0.1:{server.server_port}/v1")
        bad = world.run("doctor", "--json")
        server.shutdown()
    (line,) = [check for check in bad.json["checks"] if not check["ok"]]
    assert bad.code == 1 and line["name"] == "llm" and "base_url" in line["mend"], line


def test_doctor_tells_a_ceiling_without_a_price_as_a_mistake_of_the_configuration(world: World) -> None:
    world.environment["LLM_API_KEY"] = "x"
    world.set("integrations.llm.model", "openai:some")
    world.set("integrations.llm.money_per_run", "2")
    (line,) = [check for check in world.run("doctor", "--json").json["checks"] if not check["ok"]]
    assert line["name"] == "configuration" and "prices" in line["detail"] and "variable" not in line["mend"]


def test_doctor_names_the_task_that_fails_in_a_running_process(world: World) -> None:
    assert world.run("doctor", "--json").code == 0
    with world.writing() as connection:
        owners.beat(connection, owners.new_id(), {"people": "ProgrammingError: no such column"})
    bad = world.run("doctor", "--json")
    (line,) = [check for check in bad.json["checks"] if not check["ok"]]
    assert bad.code == 1 and line["name"] == "worker people" and "no such column" in line["detail"]
