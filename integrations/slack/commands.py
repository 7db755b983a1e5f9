"""From a command to Slack's methods, and from Slack's answers to what is kept of them."""

import base64
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp

from integrations.base import Answer, Kind
from integrations.slack.webhook import may_reply
from models.commands import Pending
from models.errors import Rejected, Transient

REPLY_SECONDS = 30 * 60.0
"""For so long a response_url takes answers, https://docs.slack.dev/interactivity/handling-user-interaction/"""
REPLY_USES = 5
FIXED = ("cant_update_message", "edit_window_closed", "cant_update")
"""What Slack answers for a message that stands and cannot be edited."""
LOST_MESSAGE = ("message_not_found", "thread_not_found")
NO_UPLOAD = (
    "missing_scope",
    "not_allowed_token_type",
    "no_permission",
    "file_uploads_disabled",
    "method_disabled",
)
NO_PLACE = ("not_in_channel", "channel_not_found", "posting_to_channel_denied", "restricted_action")
"""What Slack answers for a file in a channel where the bot may post and was not invited."""
_ASIDE_TIMEOUT = aiohttp.ClientTimeout(total=3)


class Web(Protocol):
    """The client, as the operations here see it."""

    base_url: str

    async def call(
        self, method: str, arguments: Mapping[str, Any], *, accept: tuple[str, ...] = (), kind: Kind = "write"
    ) -> Mapping[str, Any]:
        """A method's answer. Of errors those in `accept` are returned too, others raise models.errors."""
        ...

    async def post(self, url: str, **body: Any) -> tuple[int, str]:
        """POST to an address that Slack gave: status, and the beginning of the text. Follows no redirect."""
        ...


def metadata(pending: Pending) -> dict[str, Any]:
    """By this a message is found again, and whether it shows the payload that is to be shown."""
    return {
        "event_type": "switchyard",
        "event_payload": {"key": pending.key, "payload": pending.payload_hash},
    }


def standing(pending: Pending, found: Mapping[str, Answer]) -> Answer | None:
    """The message that this command made before, or that a look-up found: it is edited, not repeated."""
    answer = found.get(pending.key) or pending.last_answer
    return answer if answer and answer.get("ts") and answer.get("channel") else None


def thread_of(pending: Pending) -> Answer | None:
    """Channel and ts of the message in whose thread this belongs; None where it is not there."""
    answer = pending.answers.get(str(pending.payload.get("thread_of") or ""))
    return answer if answer and answer.get("ts") and not answer.get("removed") else None


async def post_message(web: Web, pending: Pending, channel: str, found: Mapping[str, Answer]) -> Answer:
    """Post a message, or edit the one that stands. Answers its channel and ts.

    `removed`: a person deleted it, and it is not posted again. `skipped`: the message whose thread it belongs in is
    not there, and a channel is not to be flooded in its place.
    """
    payload = pending.payload
    content = {
        "text": str(payload["text"]),
        "blocks": list(payload["blocks"]),
        "metadata": metadata(pending),
    }
    before = standing(pending, found)
    if before is not None:
        return await _edit(web, before, content)
    place: dict[str, Any] = {"channel": channel}
    if payload.get("thread_of"):
        thread = thread_of(pending)
        if thread is None:
            return {"skipped": "the message whose thread it belongs in was not posted or is gone"}
        place = {"channel": thread["channel"], "thread_ts": thread["ts"]}
    quiet = {"unfurl_links": False, "unfurl_media": False}
    answer = await web.call("chat.postMessage", place | content | quiet, accept=LOST_MESSAGE, kind="content")
    if not answer.get("ok", True):
        return {"skipped": "the thread it belongs in was deleted", "removed": True}
    told = {"channel": answer.get("channel"), "ts": answer.get("ts")}
    return told | {"thread": place["thread_ts"]} if "thread_ts" in place else told


async def _edit(web: Web, before: Answer, content: Mapping[str, Any]) -> Answer:
    place = {"channel": before["channel"], "ts": before["ts"]}
    answer = await web.call("chat.update", place | dict(content), accept=(*FIXED, *LOST_MESSAGE))
    error = answer.get("error")
    if error in LOST_MESSAGE:
        return {**before, "removed": True}
    if error in FIXED:
        thread = {"channel": before["channel"], "thread_ts": before.get("thread") or before["ts"]}
        await web.call("chat.postMessage", thread | dict(content), kind="content")
        return {**before, "told_in_thread": True}
    return dict(before)


async def publish_home(web: Web, pending: Pending) -> Answer:
    """Show a person the home tab; the newest replaces what was there."""
    payload = pending.payload
    view = {"type": "home", "blocks": list(payload["blocks"])}
    await web.call("views.publish", {"user_id": payload["user"], "view": view})
    return {"user": payload["user"]}


async def reply(web: Web, pending: Pending) -> Answer:
    """Answer an interaction where only that person sees it; what comes too late is dropped, and never fails."""
    payload = pending.payload
    url = str(payload["response_url"])
    if not may_reply(url, web.base_url):
        return {"dropped": "the address for the answer is none of Slack's"}
    if time.time() > float(payload["at"]) + REPLY_SECONDS:
        return {"dropped": "Slack takes answers for half an hour only"}
    if pending.attempts >= REPLY_USES:
        return {"dropped": "Slack takes five answers at most"}
    status, text = await web.post(url, json=person_message(str(payload["text"]), payload.get("blocks")))
    if status >= 500 or status == 429:
        raise Transient(f"slack: HTTP {status} for an answer to a person", maybe_sent=False)
    return {"ok": True} if status < 300 else {"dropped": f"HTTP {status} {text[:60]}".strip()}


def person_message(text: str, blocks: Any = None) -> dict[str, Any]:
    """The body of an answer that only one person sees, and that leaves the message with the button alone."""
    body = {"text": text, "response_type": "ephemeral", "replace_original": False}
    return body | {"blocks": list(blocks)} if blocks else body


async def answer_person(url: str, text: str) -> None:
    """Say a sentence to the person who pressed something, at once and at most once; failing is no harm."""
    with suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
        async with aiohttp.ClientSession(timeout=_ASIDE_TIMEOUT) as session:
            async with session.post(url, json=person_message(text), allow_redirects=False):
                pass


async def upload_chart(web: Web, pending: Pending) -> Answer:
    """Upload a picture into the thread of the message it belongs to; without the scope files:write it is skipped.

    https://docs.slack.dev/messaging/working-with-files/
    """
    payload = pending.payload
    thread = thread_of(pending)
    if thread is None:
        return {"skipped": "the message it belongs to was not posted or is gone"}
    content = base64.b64decode(str(payload["content"]))
    name, title = str(payload["filename"]), str(payload["title"])
    wanted = {"filename": name, "length": len(content), "alt_txt": str(payload["alt"])[:1000]}
    place = await web.call("files.getUploadURLExternal", wanted, accept=NO_UPLOAD)
    if not place.get("ok", True):
        return {
            "skipped": f"slack: {place.get('error')}; the scope files:write lets the bot upload its chart"
        }
    url = str(place.get("upload_url") or "")
    if not _may_upload(url, web.base_url):
        raise Rejected("slack: the address for the upload is none of Slack's")
    status, text = await web.post(url, data=content)
    if status != 200:
        raise Transient(f"slack: HTTP {status} for an upload: {text[:60]}", maybe_sent=False)
    done = {
        "files": [{"id": place["file_id"], "title": title}],
        "channel_id": thread["channel"],
        "thread_ts": thread["ts"],
    }
    answer = await web.call("files.completeUploadExternal", done, accept=(*NO_UPLOAD, *NO_PLACE))
    if not answer.get("ok", True):
        return {"skipped": f"slack: {answer.get('error')}; invite the bot to the channel for its chart"}
    return {"file": place["file_id"], "channel": thread["channel"]}


def _may_upload(url: str, base_url: str) -> bool:
    try:
        to, base = urlsplit(url), urlsplit(base_url)
        host = to.hostname or ""
        is_slack = to.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))
        return is_slack or (to.scheme, to.netloc) == (base.scheme, base.netloc)
    except ValueError:
        return False


def is_upload_in(messages: Any, filename: str) -> str | None:
    """The id of the file of this name among a thread's messages; None where it is not there."""
    for message in messages if isinstance(messages, list) else ():
        for file in message.get("files") or ():
            if file.get("name") == filename:
                return str(file.get("id"))
    return None
