"""What Slack sends: signatures to the second, what a press or a command means, and that no payload breaks it."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.slack.webhook import (
    MOST_COMMAND,
    Interaction,
    interaction_of,
    is_signed,
    may_reply,
    ref_of,
    team_of,
)
from tests.contracts.spec import contracts_dir

REF = "octo/widgets#7"


def signed(body: bytes, at: str, secret: str = "s3cret") -> dict[str, str]:
    made = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": at, "x-slack-signature": f"v0={made}"}


def test_slacks_own_vector() -> None:
    root = contracts_dir()
    if root is None:
        pytest.skip("no official specifications found")
    vector = json.loads((root / "slack" / "signature-v0.vector.json").read_text())
    headers = {
        "x-slack-request-timestamp": vector["timestamp"],
        "x-slack-signature": vector["signature"],
    }
    body, at = vector["body"].encode(), float(vector["timestamp"])
    assert is_signed(body, headers, vector["signing_secret"], at)
    assert not is_signed(body + b"x", headers, vector["signing_secret"], at)


@pytest.mark.parametrize("skew", [-300, -1, 0, 299, 300])
def test_five_minutes_either_way_are_let_in(skew: int) -> None:
    assert is_signed(b"x", signed(b"x", str(1_000_000 + skew)), "s3cret", 1_000_000)


@pytest.mark.parametrize(
    "at", ["", "x", "-1", "1e6", "1000000.5", "٠١٢", "9" * 400, " 1000000", "999699", "1000301", "0x10"]
)
def test_odd_or_far_timestamps_are_not(at: str) -> None:
    assert not is_signed(b"x", signed(b"x", at), "s3cret", 1_000_000)


@pytest.mark.parametrize("signature", ["", "v0=", "v1=abc", "v0=é", "\udcff", "v0=" + "0" * 64, "x" * 10_000])
def test_odd_signatures_are_not(signature: str) -> None:
    headers = {"x-slack-request-timestamp": "1000000", "x-slack-signature": signature}
    assert not is_signed(b"x", headers, "s3cret", 1_000_000)
    assert not is_signed(b"x", {}, "s3cret", 1_000_000)


def press(action_id: str, **element: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "U1", "name": "ann", "team_id": "T1"},
        "team": {"id": "T1", "domain": "x"},
        "channel": {"id": "C1", "name": "triage"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1", "thread_ts": "1.1"},
        "trigger_id": "12.34.abc",
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"action_id": action_id, "block_id": f"case:{REF}", "value": REF} | element],
    }


@pytest.mark.parametrize(
    ("body", "action", "value"),
    [
        (press("switchyard:route:bug"), "route", "bug"),
        (press("switchyard:why"), "why", ""),
        (press("switchyard:snooze"), "snooze", ""),
        (press("switchyard:ignore"), "ignore", ""),
        (press("switchyard:approve"), "approve", ""),
        (press("switchyard:hold"), "hold", ""),
        (press("switchyard:other", value=None, selected_option={"value": "docs"}), "route", "docs"),
        (press("switchyard:decide", value=None, selected_option={"value": "route:docs"}), "route", "docs"),
        (press("switchyard:decide", value=None, selected_option={"value": "snooze"}), "snooze", ""),
    ],
)
def test_every_button_says_what_it_is_for(body: dict[str, Any], action: str, value: str) -> None:
    found = interaction_of(body, 5.0)
    assert found == Interaction(
        id="12.34.abc",
        kind="button",
        action=action,
        value=value,
        issue=REF,
        person="U1",
        person_name="ann",
        team="T1",
        channel="C1",
        channel_name="triage",
        message="1.2",
        thread="1.1",
        response_url="https://hooks.slack.com/actions/T1/1/x",
        at=5.0,
    )


@pytest.mark.parametrize(
    "body",
    [
        press("open"),
        press("switchyard:dance"),
        press("switchyard:route"),
        press("switchyard:other", selected_option=None),
        press("switchyard:decide", selected_option={"value": 7}),
        press("switchyard:why", value="no issue", block_id="b"),
        press("switchyard:why") | {"user": {}},
        press("switchyard:why") | {"actions": []},
        press("switchyard:why") | {"actions": [None]},
        {"type": "view_submission"},
        {"type": "event_callback", "event": {"type": "message", "user": "U1"}},
        {"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": "messages"}},
        {"command": "/triage", "text": "status"},
        {},
    ],
)
def test_what_is_not_known_is_nothing(body: dict[str, Any]) -> None:
    assert interaction_of(body) is None


def typed(text: str) -> Interaction:
    found = interaction_of({"command": "/triage", "text": text, "user_id": "U1", "trigger_id": "1.2.x"})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "action", "issue", "value"),
    [
        ("", "help", "", ""),
        ("status", "status", "", ""),
        ("STATUS", "status", "", ""),
        (f"why {REF}", "why", REF, ""),
        (f"route {REF} bug", "route", REF, "bug"),
        ("route <https://github.com/octo/widgets/issues/7|x> docs", "route", REF, "docs"),
        ("why https://ghe.example/octo/widgets/pull/7/", "why", REF, ""),
        ("why octo/my_\u2060repo#7", "why", "octo/my_repo#7", ""),
        ("mute 2h", "mute", "", "2h"),
        ("dance for me", "help", "", "dance for me"),
        ("route \x00\u202e" + REF + " bug", "route", REF, "bug"),
    ],
)
def test_commands(text: str, action: str, issue: str, value: str) -> None:
    found = typed(text)
    assert (found.action, found.issue, found.value) == (action, issue, value)


def test_a_command_of_ten_thousand_characters_is_cut() -> None:
    assert len(typed("why " + "x" * 10_000).to_json()) < 2 * MOST_COMMAND + 400


def test_the_published_examples() -> None:
    root = contracts_dir()
    if root is None:
        pytest.skip("no official specifications found")
    folder: Path = root / "slack"
    body = json.loads((folder / "block_actions.bolt-python.json").read_text())
    body["actions"][0] |= {"action_id": "switchyard:why", "value": REF}
    found = interaction_of(body)
    assert found is not None and (found.person, found.team, found.message) == ("W111", "T111", "111.222")
    form = dict(parse_qsl((folder / "slash_command.bolt-python.txt").read_text().strip()))
    found = interaction_of(form | {"text": "queue"})
    assert found is not None and (found.kind, found.action, found.channel_name) == (
        "command",
        "queue",
        "random",
    )


def test_a_home_tab_that_was_opened() -> None:
    event = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"}
    body = {"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": event}
    found = interaction_of(body, 1.0)
    assert found == Interaction(
        id="Ev1", kind="home", action="open", person="U1", channel="D1", team="T1", at=1.0
    )


def test_repeats_have_one_name_and_others_another() -> None:
    one, again = interaction_of(press("switchyard:why")), interaction_of(press("switchyard:why"))
    unnamed = [interaction_of(press("switchyard:why", n=n) | {"trigger_id": None}) for n in (1, 1, 2)]
    assert one == again
    assert [found.id for found in unnamed if found] == [unnamed[0].id] * 2 + [unnamed[2].id]  # type: ignore[union-attr]
    assert unnamed[0].id != unnamed[2].id  # type: ignore[union-attr]


def test_there_and_back_as_json() -> None:
    found = interaction_of(press("switchyard:route:bug"), 7.5)
    assert found is not None and Interaction.from_json(found.to_json()) == found
    more = json.loads(found.to_json()) | {"tomorrow": 1, "value": 7}
    assert Interaction.from_json(json.dumps(more)).value == ""
    for text in ("", "[]", "{}", "7", '{"id": 1}', "[" * 100_000):
        with pytest.raises(ValueError):
            Interaction.from_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("switchyard:why"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "value", "action_id", "type", "team_id", "user", "event", "actions"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(
    body=st.dictionaries(
        st.sampled_from(
            [
                "type",
                "command",
                "text",
                "user",
                "user_id",
                "team",
                "actions",
                "event",
                "trigger_id",
                "channel",
            ]
        ),
        JSON | st.sampled_from(["block_actions", "event_callback", "/triage"]),
    )
)
def test_no_payload_breaks_it(body: dict[str, Any]) -> None:
    found = interaction_of(body)
    assert isinstance(team_of(body), str)
    if found is not None:
        assert Interaction.from_json(found.to_json()) == found
        assert len(found.to_json()) < 4_000


@pytest.mark.parametrize(
    ("url", "base", "may"),
    [
        ("https://hooks.slack.com/actions/x", "https://slack.com/api/", True),
        ("http://127.0.0.1:8080/slack/response/1", "http://127.0.0.1:8080/api/", True),
        ("http://127.0.0.1:9090/slack/response/1", "http://127.0.0.1:8080/api/", False),
        ("http://hooks.slack.com/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com.evil.example/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com@evil.example/x", "https://slack.com/api/", False),
        ("https://user@hooks.slack.com/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com:8443/x", "https://slack.com/api/", False),
        ("https://[", "https://slack.com/api/", False),
        ("", "https://slack.com/api/", False),
        ("file:///etc/passwd", "https://slack.com/api/", False),
    ],
)
def test_answers_go_to_slack_alone(url: str, base: str, may: bool) -> None:
    assert may_reply(url, base) is may


@pytest.mark.parametrize(
    "text", ["", "#7", "octo#7", "octo/widgets", "https://x/octo/widgets/issues/x", "https://["]
)
def test_what_is_no_reference(text: str) -> None:
    assert ref_of(text) == ""
