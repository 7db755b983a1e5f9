"""The configuration: the mission's document loads, overrides work, and a mistake is one line with place and mend."""

import re
import textwrap
from pathlib import Path

import pytest

from config.load import load
from config.secrets import load_secrets
from models.errors import UserFacing
from models.units import Rate, parse_duration, parse_rate

MISSION = """
workflow:
  name: advanced_devops_pipeline
  version: 2.0
  scaling:
    batch_size: 100
    parallel_workers: 10
    max_memory_mb: 4096
  resilience:
    circuit_breaker:
      failure_threshold: 5
      reset_timeout_seconds: 60
    retry:
      max_attempts: 3
      backoff_multiplier: 2.0
  integrations:
    github:
      base_url: https://api.github.com
      rate_limit: 5000/hour
    shortcut:
      base_url: https://api.app.shortcut.com
      rate_limit: 1000/hour
  monitoring:
    metrics_endpoint: /metrics
    health_check_interval: 30s
    alert_thresholds:
      error_rate: 0.05
      latency_p99: 5000ms
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "switchyard.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_missions_document_loads_unchanged(tmp_path: Path) -> None:
    settings = load(written(tmp_path, MISSION), {})
    assert settings.name == "advanced_devops_pipeline" and settings.version == "2.0"
    assert settings.integrations.shortcut is not None
    assert settings.integrations.shortcut.rate_limit == Rate(1000, 3600)
    assert settings.integrations.slack is None
    assert settings.monitoring.alert_thresholds.latency_p99 == 5.0


def test_the_packaged_default_is_what_the_fields_say(tmp_path: Path) -> None:
    packaged = load(None, {"SWITCHYARD_CONFIG": ""})
    bare = load(written(tmp_path, "workflow: {integrations: {shortcut: {}, slack: {}}}"), {})
    assert packaged == bare


@pytest.mark.parametrize(
    ("environment", "read", "value"),
    [
        ({"SWITCHYARD__SCALING__BATCH_SIZE": "50"}, "scaling.batch_size", 50),
        ({"SWITCHYARD__REPOSITORIES": "a/b, c/d"}, "repositories", ("a/b", "c/d")),
        ({"SWITCHYARD__REPOSITORIES": '["a/b"]'}, "repositories", ("a/b",)),
        (
            {"SWITCHYARD__INTEGRATIONS__GITHUB__BASE_URL": "http://127.0.0.1:1"},
            "integrations.github.base_url",
            "http://127.0.0.1:1",
        ),
        ({"SWITCHYARD__INTEGRATIONS__SLACK__CHANNEL": "#x"}, "integrations.slack.channel", "#x"),
        ({"SWITCHYARD_DATABASE_URL": "sqlite:///x.db"}, "storage.url", "sqlite:///x.db"),
        ({"SWITCHYARD__SCALING__CPU_WORKERS": "0"}, "scaling.cpu_workers", 0),
    ],
)
def test_the_environment_overrides(
    tmp_path: Path, environment: dict[str, str], read: str, value: object
) -> None:
    found: object = load(written(tmp_path, MISSION), environment)
    for part in read.split("."):
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("workflow: {scaling: {batch_sise: 5}}", ["switchyard.yaml:1", "batch_sise", "batch_size"]),
        ("workflow:\n  resilience: {retry: {max_delay: 5 parsecs}}", [":2", "max_delay", "30s"]),
        ("workflow: {integrations: {github: {rate_limit: 5/fortnight}}}", ["rate_limit", "5000/hour"]),
        ("workflow: {integrations: {github: {token: abc}}}", ["environment", "GITHUB_TOKEN"]),
        ("workflow: {repositories: [notarepo]}", ["repositories.0", "OWNER/NAME"]),
        ("workflow: {router: {rules: [{route: bug}]}}", ["rules.0", "condition"]),
        ("workflow: {router: {rules: [{route: bug, pattern: '('}]}}", ["pattern", "regular expression"]),
        (
            "workflow: {router: {rules: [{route: needs_human, action: boost, author: a}]}}",
            ["rules.0", "needs_human", "force it"],
        ),
        (
            "workflow: {router: {rules: [{route: bug, action: boost, author: a, weight: 11}]}}",
            ["rules.0.weight", "less than or equal to 10"],
        ),
        (
            "workflow: {router: {rules: [{route: bug, action: boost, author: a, weight: .nan}]}}",
            ["rules.0.weight"],
        ),
        (
            "workflow: {router: {rules: [{route: bug, author: a, weight: 2}]}}",
            ["rules.0", "action: boost", "force"],
        ),
        ("workflow: {router: {rules: [{route: bug, action: lift, author: a}]}}", ["rules.0.action", "boost"]),
        ("workflow: {schedule: {timezone: Mars/Base}}", ["timezone", "Europe/Berlin"]),
        ("workflow: {schedule: {nightly: '2 am'}}", ["nightly", "0 2 * * *"]),
        ("workflow: {scaling: {cpu_workers: many}}", ["cpu_workers: must be a whole number, or 'auto'"]),
        ("workflow: {integrations: {llm: {modell: 'openai:x'}}}", ["llm.modell", "did you mean model?"]),
        (
            "workflow: {integrations: {github: {draft_pulls: sometimes}}}",
            ["github.draft_pulls: must be true or false"],
        ),
        (
            "workflow: {integrations: {shortcut: {estimate_scale: fibonacci}}}",
            ["shortcut.estimate_scale: must be a list, or 'auto' (given: 'fibonacci')"],
        ),
        (
            "workflow: {integrations: {shortcut: {estimate_scale: [S, M]}}}",
            ["shortcut.estimate_scale.0: must be a whole number (given: 'S')"],
        ),
        (
            "workflow: {integrations: {webhooks: [{url: 'https://a.example', secret_env: A, what: []}]}}",
            ["webhooks.0.what: must not be empty"],
        ),
        ("workflow: {name: a, name: b}", ["name", "twice"]),
        ("workflow: []", ["keys and values"]),
        ("flow: {}", ["workflow:", "flow"]),
        ("- a", ["workflow:"]),
        ("workflow: {a: [", ["YAML"]),
        ("workflow:\n  a: &x [*x]", ["itself"]),
        ("workflow: " + "[" * 3000, ["switchyard.yaml"]),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(UserFacing) as caught:
        load(written(tmp_path, text), {})
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


FOLDER = Path(__file__).parent.parent.parent
EXAMPLES = [
    (f"{path.name}:{text[: found.start()].count(chr(10)) + 1}", textwrap.dedent(found[1]))
    for path in (FOLDER / "README.md", *sorted(FOLDER.glob("docs/*.md")))
    # A repository's own file has another shape.
    if path.name != "repository-configuration.md" and (text := path.read_text(encoding="utf-8"))
    for found in re.finditer(r"^ *```yaml\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
]


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES], ids=[place for place, _ in EXAMPLES])
def test_what_the_documents_show_can_be_copied(tmp_path: Path, text: str) -> None:
    load(written(tmp_path, text), {})


def test_secrets_come_from_files_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "GITHUB_TOKEN").write_text("canary-123\n")
    found = load_secrets(("HOOK",), {"SWITCHYARD_SECRETS_DIR": str(tmp_path), "HOOK": "canary-456"})
    assert found.get("GITHUB_TOKEN") == "canary-123" and found.get("HOOK") == "canary-456"
    assert "canary" not in repr(found) + str(found)
    with pytest.raises(UserFacing, match="not a directory"):
        load_secrets((), {"SWITCHYARD_SECRETS_DIR": str(tmp_path / "no")})


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5000ms", 5), ("2h", 7200), ("15m", 900), (7, 7), ("0.5s", 0.5)]
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 week", "1e3", True, None, "∞"])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="30s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "0/s", "5/fortnight", "-1/s"])
def test_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match="5000/hour"):
        parse_rate(text)
