"""What the program says, serves, sends and stores keeps its names; one tour through all of it shows them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.golden import stored
from tests.golden.check import check
from tests.golden.keys import key_paths
from tests.golden.metrics import metric_names
from tests.golden.tour import Documents, Tour, travel

pytestmark = pytest.mark.timeout(300)
"""The tour is one fixture; on a machine with much else to do it takes its time."""
WITH = {"steps[].with", "steps[].with.*", "steps[].on_error.use.with", "steps[].repeat.steps[].with"}
RUNS = {"runs[].requests", "runs[].routes"}
STATUS = {"breakers", "integrations", "worker.tasks"}
MAPS: Mapping[str, set[str]] = {
    "audit": {"entries[].detail"},
    "router evaluate": {"repositories"},
    "router predict": {"routes"},
    "router train": {"by_repository", "libraries", "security", "sources"},
    "run": {"requests"},
    "run --dry-run": {"requests"},
    "runs list": RUNS,
    "runs show": {"requests", "routes"},
    "subflows show": WITH,
    "GET /api/v1/audit": {"entries[].detail"},
    "GET /api/v1/runs": RUNS,
    "GET /api/v1/runs/{run_id}": {"requests", "routes"},
    "GET /api/v1/status": STATUS,
    "GET /readyz": STATUS,
}
"""Paths at which the keys are data."""


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    return travel(tmp_path_factory.mktemp("tour"))


def _keys(documents: Documents) -> Iterator[str]:
    for name, found in documents.items():
        for document in found:
            yield from (f"{name}: {path}" for path in key_paths(document, MAPS.get(name, ())))


def test_json_of_commands(tour: Tour) -> None:
    check("json", _keys(tour.commands))


def test_json_over_http(tour: Tour) -> None:
    check("http_json", _keys(tour.answers))


def test_checks_of_the_doctor(tour: Tour) -> None:
    names = (stored.shape(one["name"]) for document in tour.commands["doctor"] for one in document["checks"])
    check("doctor", (re.sub(r"[\w.-]+/[\w.-]+", "<repository>", name) for name in names))


def test_metrics(tour: Tour) -> None:
    check("metrics", (name for text in tour.metrics for name in metric_names(text)))


def test_tables_and_columns(tour: Tour) -> None:
    check("tables", stored.tables(tour.database))


def test_words_in_rows(tour: Tour) -> None:
    check("stored_words", tour.words)


def test_documents_in_rows(tour: Tour) -> None:
    check("stored_documents", stored.documents(tour.database))


def test_keys_of_commands(tour: Tour) -> None:
    check("command_keys", stored.command_keys(tour.database))


def test_outgoing_webhooks(tour: Tour) -> None:
    check("outgoing_webhooks", _events(tour))


def _events(tour: Tour) -> Iterator[str]:
    maps = {"data.routes"}
    for lane, event in stored.events(tour.database):
        kind = "repository's" if lane.endswith("repositories") else "operator's"
        yield from (f"{kind} {event['type']}: {path}" for path in key_paths(event, maps))
    for delivery in tour.listed["webhooks"]:
        headers = (name for name in delivery["headers"] if name.startswith("webhook-"))
        yield from (f"header {name}" for name in headers)


def test_marks_by_which_things_are_found_again(tour: Tour) -> None:
    check("marks", _marks(tour))


def _marks(tour: Tour) -> Iterator[str]:
    """What the bot writes into other services to know it again, and what the buttons there say."""
    for comment in tour.listed["comments"]:
        if found := re.match(r"<!--.*?-->", comment["body"]):
            yield f"GitHub comment begins {stored.shape(found[0])}"
    for story in tour.listed["stories"]:
        yield f"Shortcut external_id {stored.shape(str(story['external_id']))}"
    for message in [*tour.messages, *tour.listed["messages"], *tour.listed["homes"]]:
        yield from _slack_marks(message)


def _slack_marks(message: Any) -> Iterator[str]:
    if metadata := message.get("metadata"):
        yield f"Slack metadata {metadata['event_type']}"
        yield from (f"Slack metadata {metadata['event_type']} {key}" for key in metadata["event_payload"])
    for key, value in re.findall(r'"(action_id|block_id)": "([^"]+)"', json.dumps(message["blocks"])):
        yield f"Slack {key} {stored.shape(value)}"


def test_what_the_sandbox_lists(tour: Tour) -> None:
    maps = {"requests", "requests.*.by_route", "requests.*.by_status", "repositories", "messages_by_channel"}
    found = {f"GET /_control/state: {path}" for path in key_paths(tour.state, maps)}
    for what, listed in tour.listed.items():
        found |= {f"GET /_control/{what}: {key}" for one in listed for key in one}
    check("sandbox_lists", found)
