"""The Dockerfile and compose.yaml hang together; no engine runs here, so they are read and linted."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint_has_nothing_to_say() -> None:
    tool = Path(sys.executable).with_name("hadolint")
    if not tool.exists():
        pytest.skip("hadolint is not installed")
    done = subprocess.run([tool, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_gets_what_the_build_needs(dockerfile: str) -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(names) == sorted(allowed)
    assert [name for name in names if not (ROOT / name).exists()] == []
    packages = re.search(r"^packages = \[(.+)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages is not None
    assert set(re.findall(r'"(\w+)"', packages[1])) <= set(names)


def test_the_image_runs_without_rights(dockerfile: str) -> None:
    assert re.search(r"^USER \d+:\d+$", dockerfile, re.MULTILINE)
    assert "--require-hashes" in dockerfile
    assert "HEALTHCHECK" in dockerfile
    assert "://" not in dockerfile.replace("http://127.0.0.1:8080/healthz", "")


def test_compose_migrates_before_it_serves(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"database", "migrate", "switchyard"}
    assert services["database"]["image"].startswith("postgres:17")
    assert services["database"]["healthcheck"]["test"][0] == "CMD-SHELL"
    assert services["migrate"]["command"] == ["switchyard", "migrate"]
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    waits = services["switchyard"]["depends_on"]
    assert waits["migrate"] == {"condition": "service_completed_successfully"}
    assert services["switchyard"]["ports"] == ["127.0.0.1:8080:8080"]


def test_compose_holds_no_secret(compose: dict[str, Any]) -> None:
    for name in ("migrate", "switchyard"):
        service = compose["services"][name]
        url = service["environment"]["SWITCHYARD_DATABASE_URL"]
        assert re.fullmatch(
            r"postgresql://switchyard:\$\{POSTGRES_PASSWORD:\?[^}]+\}@database:5432/switchyard", url
        )
        assert service["env_file"] == [{"path": ".env", "required": False}]
    named = {volume.partition(":")[0] for s in compose["services"].values() for volume in s["volumes"]}
    assert {name for name in named if not name.startswith(".")} == set(compose["volumes"])
