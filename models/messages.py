"""Messages as commands: what people are told in Slack and by mail, and other programs by webhooks."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from models.commands import Command


def post_message(
    key: str,
    *,
    channel: str,
    text: str,
    blocks: Sequence[Mapping[str, Any]],
    issue: str | None = None,
    thread_of: str = "",
    not_before: float | None = None,
) -> Command:
    """Post one Slack message; `text` is what notifications and screen readers show.

    The same key with other words edits the message that stands. `thread_of` is the key of the message in whose
    thread it goes, once that is posted.
    """
    payload: dict[str, Any] = {"channel": channel, "text": text, "blocks": list(blocks)}
    return Command(
        key=key,
        target="slack",
        operation="post_message",
        issue=issue,
        payload=payload | {"thread_of": thread_of} if thread_of else payload,
        after=(thread_of,) if thread_of else (),
        not_before=not_before,
    )


def publish_home(user: str, blocks: Sequence[Mapping[str, Any]]) -> Command:
    """Show one person the bot's home tab in Slack, in place of what it showed before."""
    return Command(
        key=f"home:{user}",
        target="slack",
        operation="publish_home",
        payload={"user": user, "blocks": list(blocks)},
    )


def reply_to(
    interaction: str,
    *,
    response_url: str,
    at: float,
    text: str,
    blocks: Sequence[Mapping[str, Any]] = (),
    issue: str | None = None,
) -> Command:
    """Tell the one person who pressed or typed something in Slack what became of it; `at` is when (epoch seconds)."""
    payload: dict[str, Any] = {"response_url": response_url, "at": at, "text": text}
    return Command(
        key=f"reply:{interaction}",
        target="slack",
        operation="reply",
        issue=issue,
        payload=payload | {"blocks": list(blocks)} if blocks else payload,
    )


def upload_chart(run: str, content: bytes, *, title: str, alt: str) -> Command:
    """Upload a PNG into the thread of a run's digest; `alt` says what it shows."""
    digest = f"digest:{run}"
    return Command(
        key=f"chart:{run}",
        target="slack",
        operation="upload_chart",
        payload={
            "thread_of": digest,
            "filename": f"{run.replace(':', '-')}.png",
            "title": title,
            "alt": alt,
            "content": base64.b64encode(content).decode("ascii"),
        },
        after=(digest,),
    )


def post_event(key: str, *, lane: str, hook: Mapping[str, Any], event: Mapping[str, Any]) -> Command:
    """Send one event to an outgoing webhook; `hook` says what the lane must know of it, its `id` at least."""
    return Command(
        key=key,
        target="webhook",
        operation="post_event",
        payload={"hook": dict(hook), "event": dict(event)},
        lane=lane,
    )


def send_mail(key: str, *, to: str, subject: str, text: str, html: str, follows: str = "") -> Command:
    """Send one mail to one address, so that each fails alone; `follows` is the key of one that it belongs to."""
    payload = {"to": to, "subject": subject, "text": text, "html": html}
    return Command(
        key=key,
        target="email",
        operation="send_mail",
        payload=payload | {"follows": follows} if follows else payload,
    )
