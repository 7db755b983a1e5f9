"""The Slack client against the checked stand-in: posting, editing, threads, homes, answers, charts, look-ups."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox import create_app, running
from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.resilience import Guard
from integrations.slack.client import SlackClient
from integrations.slack.commands import REPLY_SECONDS
from integrations.slack.settings import SlackSettings
from models.commands import Command, Pending, payload_hash
from models.errors import Rejected, Transient
from models.messages import post_message, publish_home, reply_to, upload_chart
from models.units import Rate
from tests.contracts.checked import Checked, checked

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]
DIGEST = post_message("digest:r1", channel="", text="hello", blocks=BLOCKS)


class Slack:
    """The stand-in, and how to look into it."""

    def __init__(self, app: Checked, port: int) -> None:
        self.app = app
        self.base = f"http://127.0.0.1:{port}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.app.sandbox.slack.messages()

    def fail(self, method: str, error: str, times: int | None = None, **more: Any) -> None:
        self.control(
            service="slack", match=f"POST /api/{method}", fault="status", status=200, times=times,
            body={"ok": False, "error": error, **more},
        )  # fmt: skip

    def control(self, **what: Any) -> dict[str, Any]:
        return self.app.sandbox.control.apply(what)


@pytest.fixture
def slack() -> Iterator[Slack]:
    app = checked(create_app([]), required=False)
    with running(app) as server:
        yield Slack(app, server.port)
    assert app.violations == []


@pytest.fixture
async def client(slack: Slack) -> AsyncIterator[SlackClient]:
    limits = [Limit([Rate(1000, 1)])]
    guard = Guard("slack", limits=limits, timeout=60, breaker=BreakerSettings(), retry=RetrySettings())
    made = SlackClient(SlackSettings(base_url=f"{slack.base}/api/"), "xoxb-x", guard)
    yield made
    await made.close()


def pending(command: Command, **more: Any) -> Pending:
    return Pending(
        command=command,
        created_at=datetime.now(UTC),
        payload_hash=payload_hash(command.payload),
        **more,
    )


async def deliver(client: SlackClient, command: Command, **more: Any) -> Mapping[str, Any]:
    (answer,) = await client.send([pending(command, **more)])
    return answer


async def test_later_news_edit_the_message_that_stands(client: SlackClient, slack: Slack) -> None:
    first = await deliver(client, DIGEST)
    again = replace(DIGEST, payload={**DIGEST.payload, "text": "news"})
    assert await deliver(client, again, last_answer=first) == first
    (message,) = slack.messages
    assert (message["text"], message["channel"]) == ("news", "#triage")
    assert message["metadata"]["event_payload"]["payload"] == payload_hash(again.payload)


async def test_a_deleted_message_is_not_posted_again(client: SlackClient, slack: Slack) -> None:
    first = await deliver(client, DIGEST)
    slack.app.sandbox.slack.channels[first["channel"]].messages.clear()
    assert (await deliver(client, DIGEST, last_answer=first))["removed"] is True
    assert slack.messages == []


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed"])
async def test_what_cannot_be_edited_is_told_in_its_thread(
    client: SlackClient, slack: Slack, error: str
) -> None:
    first = await deliver(client, DIGEST)
    slack.fail("chat.update", error)
    again = replace(DIGEST, payload={**DIGEST.payload, "text": "news"})
    answer = await deliver(client, again, last_answer=first)
    assert {**first, "told_in_thread": True} == answer
    assert [(m["text"], m.get("thread_ts")) for m in slack.messages] == [
        ("hello", None),
        ("news", first["ts"]),
    ]


def case(number: int = 1) -> Command:
    ref = f"o/n#{number}"
    return post_message(f"case:{ref}", channel="", text=ref, blocks=BLOCKS, issue=ref, thread_of="digest:r1")


async def test_a_case_goes_into_the_thread_of_its_digest(client: SlackClient, slack: Slack) -> None:
    assert case().after == ("digest:r1",)
    digest = await deliver(client, DIGEST)
    answer = await deliver(client, case(), answers={"digest:r1": digest})
    assert answer["thread"] == digest["ts"] and slack.messages[1]["thread_ts"] == digest["ts"]
    # Later it is edited, whatever became of the thread's head.
    edited = replace(case(), payload={**case().payload, "text": "settled"})
    assert await deliver(client, edited, last_answer=answer) == answer
    assert [m["text"] for m in slack.messages] == ["hello", "settled"]


@pytest.mark.parametrize("head", [{}, {"removed": True, "ts": "1.1", "channel": "C"}, {"skipped": "x"}])
async def test_without_its_thread_a_case_floods_no_channel(
    client: SlackClient, slack: Slack, head: dict[str, Any]
) -> None:
    assert "skipped" in await deliver(client, case(), answers={"digest:r1": head} if head else {})
    assert slack.messages == []


async def test_a_thread_that_was_deleted(client: SlackClient, slack: Slack) -> None:
    digest = await deliver(client, DIGEST)
    slack.app.sandbox.slack.channels[digest["channel"]].messages.clear()
    answer = await deliver(client, case(), answers={"digest:r1": digest})
    assert "skipped" in answer and slack.messages == []


async def test_an_uncertain_message_is_found(client: SlackClient, slack: Slack) -> None:
    assert await client.find([pending(DIGEST)]) == {}
    first = await deliver(client, DIGEST)
    assert await client.find([pending(DIGEST)]) == {"digest:r1": first}
    thread = await deliver(client, case(), answers={"digest:r1": first})
    uncertain = pending(case(), answers={"digest:r1": first})
    assert await client.find([uncertain]) == {case().key: thread}


async def test_an_uncertain_message_with_older_words_is_edited(client: SlackClient, slack: Slack) -> None:
    first = await deliver(client, DIGEST)
    newer = replace(DIGEST, payload={**DIGEST.payload, "text": "news"})
    # It arrived, but no answer came, and meanwhile there is more to say.
    assert await client.find([pending(newer)]) == {}
    assert await deliver(client, newer) == first
    assert [m["text"] for m in slack.messages] == ["news"]
    # An edit that may have arrived is sent once more.
    assert await client.find([pending(newer, last_answer=first)]) == {}


async def test_the_home_tab(client: SlackClient, slack: Slack) -> None:
    for _ in range(2):
        assert await deliver(client, publish_home("U0SANDBOX1", BLOCKS)) == {"user": "U0SANDBOX1"}
    assert list(slack.app.sandbox.slack.desk.homes) == ["U0SANDBOX1"]
    with pytest.raises(Rejected):
        await deliver(client, publish_home("U404", BLOCKS))


def answer_to(url: str, at: float | None = None) -> Command:
    return reply_to("1.2", response_url=url, at=time.time() if at is None else at, text="done")


async def test_an_answer_to_one_person(client: SlackClient, slack: Slack) -> None:
    slack.app.sandbox.slack.base = slack.base
    url = slack.app.sandbox.slack.desk.response_url("C1", "1.1", "U0SANDBOX1")
    for _ in range(5):
        assert await deliver(client, answer_to(url)) == {"ok": True}
    replies = slack.app.sandbox.slack.desk.replies
    assert [(r["user"], r["text"]) for r in replies] == [("U0SANDBOX1", "done")] * 5
    assert await deliver(client, answer_to(url)) == {"dropped": 'HTTP 404 {"ok": false, "error": "used_url"}'}
    assert slack.messages == []


async def test_an_answer_that_comes_too_late_or_goes_elsewhere_is_dropped(
    client: SlackClient, slack: Slack
) -> None:
    late = answer_to(f"{slack.base}/slack/response/1", time.time() - REPLY_SECONDS - 1)
    assert "half an hour" in (await deliver(client, late))["dropped"]
    for url in ("http://127.0.0.1:1/x", "https://evil.example/x", "nonsense"):
        assert "none of Slack's" in (await deliver(client, answer_to(url)))["dropped"]
    gone = answer_to(f"{slack.base}/slack/response/404")
    assert (await deliver(client, gone))["dropped"].startswith("HTTP 404")
    assert "five" in (await deliver(client, gone, attempts=5))["dropped"]


async def test_an_answer_waits_for_a_service_that_is_down(client: SlackClient, slack: Slack) -> None:
    slack.control(service="slack", match="POST /slack/response/.*", fault="status", status=503)
    with pytest.raises(Transient):
        await deliver(client, answer_to(f"{slack.base}/slack/response/1"))


async def test_a_chart_goes_into_the_thread(client: SlackClient, slack: Slack) -> None:
    digest = await deliver(client, DIGEST)
    chart = upload_chart("r1", b"\x89PNG...", title="Routes", alt="Bugs 12, docs 9")
    before = pending(chart, answers={"digest:r1": digest})
    assert await client.find([before]) == {}
    answer = await deliver(client, chart, answers={"digest:r1": digest})
    message = slack.messages[-1]
    assert message["thread_ts"] == digest["ts"] and message["files"][0]["title"] == "Routes"
    assert slack.app.sandbox.slack.desk.files[answer["file"]]["bytes"] == b"\x89PNG..."
    assert await client.find([before]) == {"chart:r1": answer}
    assert "skipped" in await deliver(client, chart)


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_without_the_scope_there_is_no_chart(client: SlackClient, slack: Slack, method: str) -> None:
    digest = await deliver(client, DIGEST)
    slack.fail(method, "missing_scope", needed="files:write")
    chart = upload_chart("r1", b"png", title="Routes", alt="x")
    assert "missing_scope" in (await deliver(client, chart, answers={"digest:r1": digest}))["skipped"]
    assert len(slack.messages) == 1


async def test_no_chart_goes_where_the_bot_was_not_invited(client: SlackClient, slack: Slack) -> None:
    digest = await deliver(client, DIGEST)
    slack.fail("files.completeUploadExternal", "not_in_channel")
    chart = upload_chart("r1", b"png", title="Routes", alt="x")
    assert "invite" in (await deliver(client, chart, answers={"digest:r1": digest}))["skipped"]


@pytest.mark.parametrize("body", ["<html>a proxy</html>", "[]", "null", '"ok"'])
async def test_an_answer_of_no_use_is_tried_again(client: SlackClient, slack: Slack, body: str) -> None:
    slack.control(service="slack", match="POST /api/.*", fault="status", status=200, body=body)
    with pytest.raises(Transient):
        await deliver(client, DIGEST)
    with pytest.raises(Transient):
        await deliver(client, publish_home("U1", BLOCKS))


async def test_an_upload_goes_to_slack_alone(client: SlackClient, slack: Slack) -> None:
    digest = await deliver(client, DIGEST)
    slack.control(
        service="slack", match="POST /api/files.getUploadURLExternal", fault="status", status=200,
        body={"ok": True, "upload_url": "http://169.254.169.254/x", "file_id": "F1"},
    )  # fmt: skip
    chart = upload_chart("r1", b"png", title="Routes", alt="x")
    with pytest.raises(Rejected, match="none of Slack's"):
        await deliver(client, chart, answers={"digest:r1": digest})


async def test_the_workspace_is_known_after_a_check(client: SlackClient) -> None:
    assert client.team is None
    await client.check()
    assert client.team == "T0SANDBOX1"


async def test_unknown_operations_are_refused(client: SlackClient) -> None:
    with pytest.raises(Rejected):
        await deliver(client, Command(key="x", target="slack", operation="dance", payload={}))
