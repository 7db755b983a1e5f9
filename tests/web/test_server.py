"""`serve` as its users run it: one line when ready, a run on request, a clear end."""

import re
import signal
import socket
import subprocess

import httpx
import pytest

from bot.web.server import address, bind
from models.errors import UserFacing
from tests.world import World


def ready(process: "subprocess.Popen[str]") -> str:
    """The address that the server says it serves on."""
    assert process.stderr is not None
    line = process.stderr.readline()
    match = re.fullmatch(r"switchyard serving on (http://127\.0\.0\.1:\d+)\n", line)
    assert match is not None, line + process.stderr.read()
    return match[1]


def test_serve_from_start_to_end(world: World) -> None:
    world.environment["SWITCHYARD_ADMIN_TOKEN"] = "plain-token"
    process = world.start("serve", "--port", "0")
    try:
        base = ready(process)
        with httpx.Client(base_url=base, timeout=300) as http:
            answer = http.get("/readyz")
            assert answer.status_code == 200
            assert "server" not in answer.headers
            world.wait_until(lambda: len(http.get("/readyz").json()["integrations"]) >= 3)
            taken = world.run("serve", "--port", base.rpartition(":")[2])
            assert taken.code == 2
            assert "choose another with --port" in taken.err
            started = http.post("/api/v1/runs", headers={"authorization": "Bearer plain-token"})
            where = started.headers["location"]
            world.wait_until(lambda: http.get(where).json()["status"] not in ("running", "partial"))
            report = http.get(where).json()
            assert report["status"] == "completed"
            assert report["triaged"] == 60
            assert report["trigger"] == "api"
            run_id = report["run_id"]
            world.wait_until(lambda: http.get(f"/reports/{run_id}.html").status_code == 200)
            assert "everything is delivered" in http.get(f"/reports/{run_id}.html").text
            assert run_id in http.get("/").text
        world.assert_once()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0
        assert "Traceback" not in err
        assert "ERROR" not in err
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert address(first) == f"http://127.0.0.1:{port}"
        with pytest.raises(UserFacing, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .+--port"):
            bind("127.0.0.1", port)


def test_localhost_is_where_people_look() -> None:
    with bind("localhost", 0) as listener:
        assert listener.family == socket.AF_INET


def test_an_address_that_is_none() -> None:
    with pytest.raises(UserFacing, match=r"--host no\.such\.invalid"):
        bind("no.such.invalid", 0)
