"""The Slack stand-in's views, files and answers to people, beside its messages."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from zlib import crc32

from integrations.sandbox_faults import Answer, Request, json_answer
from integrations.slack.sandbox.input import Refused, checked
from integrations.slack.sandbox.people import APP_ID, BOT_ID, PEOPLE, TEAM_ID

USES, LIFE = 5, 1_800.0
"""Answers that a response_url takes, and for how many seconds."""


class Workspace(Protocol):
    """What the messages of the workspace offer to its views and files."""

    base: str

    def content(self, args: Mapping[str, Any]) -> dict[str, Any]: ...

    def edit(self, args: dict[str, Any]) -> dict[str, Any]: ...

    def share(self, channel: str, files: list[dict[str, Any]], thread: Any) -> None: ...


class Desk:
    """What the workspace keeps of modals, home tabs, uploads and ephemeral answers."""

    def __init__(self, sandbox: Workspace) -> None:
        self._sandbox = sandbox
        self.views: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        """Home tabs by person."""
        self.files: dict[str, dict[str, Any]] = {}
        self.replies: list[dict[str, Any]] = []
        """What was said to one person alone, in order."""
        self._addresses: dict[str, dict[str, Any]] = {}

    def methods(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """The Web API's methods that are handled here."""
        return {
            "files.completeUploadExternal": self._complete_upload,
            "files.getUploadURLExternal": self._begin_upload,
            "views.open": self._open_view,
            "views.publish": self._publish,
            "views.push": self._open_view,
            "views.update": self._update_view,
        }

    # Views.

    def _open_view(self, args: dict[str, Any]) -> dict[str, Any]:
        if not args.get("trigger_id"):
            raise Refused("invalid_arguments")
        return {"view": self._keep_view(f"V0{len(self.views):08}", args.get("view"))}

    def _publish(self, args: dict[str, Any]) -> dict[str, Any]:
        person, view = str(args.get("user_id") or ""), args.get("view")
        if person not in PEOPLE:
            raise Refused("user_not_found" if person else "invalid_arguments")
        if not isinstance(view, dict) or view.get("type") != "home":
            raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] not a home view"]})
        before = self.homes.get(person)
        kept = self._keep_view(before["id"] if before else f"V0{len(self.views):08}", view)
        self.homes[person] = kept
        return {"view": kept}

    def _update_view(self, args: dict[str, Any]) -> dict[str, Any]:
        identifier = str(args.get("view_id", ""))
        if identifier not in self.views:
            raise Refused("not_found")
        return {"view": self._keep_view(identifier, args.get("view"))}

    def _keep_view(self, identifier: str, view: Any) -> dict[str, Any]:
        if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
            raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid view"]})
        checked(view.get("blocks"), view=True)
        mark = f"{time.time_ns()}.{crc32(identifier.encode()):08x}"
        own = {"id": identifier, "team_id": TEAM_ID, "hash": mark, "bot_id": BOT_ID, "app_id": APP_ID}
        self.views[identifier] = {**view, **own}
        return self.views[identifier]

    # Files.

    def _begin_upload(self, args: dict[str, Any]) -> dict[str, Any]:
        name, length = str(args.get("filename") or ""), str(args.get("length") or "")
        if not name or not length.isdecimal() or int(length) < 1:
            raise Refused("invalid_arguments")
        identifier = f"F0{len(self.files):08}"
        self.files[identifier] = {"id": identifier, "name": name, "size": int(length), "bytes": None}
        return {"upload_url": f"{self._sandbox.base}/slack/upload/{identifier}", "file_id": identifier}

    def upload(self, request: Request) -> Answer:
        """The content of a file, raw or as part of a form."""
        file = self.files.get(request.params["id"])
        if file is None:
            return Answer(404, b"no such upload", [(b"content-type", b"text/plain")])
        if "multipart" not in request.headers.get("content-type", "") and len(request.body) != file["size"]:
            return Answer(400, b"length differs", [(b"content-type", b"text/plain")])
        file["bytes"] = request.body
        return Answer(200, f"OK - {len(request.body)}".encode(), [(b"content-type", b"text/plain")])

    def _complete_upload(self, args: dict[str, Any]) -> dict[str, Any]:
        wanted = args.get("files")
        if not isinstance(wanted, list) or not wanted or not all(isinstance(f, dict) for f in wanted):
            raise Refused("invalid_arguments")
        files = []
        for item in wanted:
            file = self.files.get(str(item.get("id")))
            if file is None or file["bytes"] is None:
                raise Refused("file_not_found")
            file["title"] = str(item.get("title") or file["name"])
            files.append({"id": file["id"], "name": file["name"], "title": file["title"]})
        if args.get("channel_id"):
            self._sandbox.share(str(args["channel_id"]), files, args.get("thread_ts"))
        return {"files": files}

    # What only one person sees.

    def response_url(self, channel: str, ts: str, person: str) -> str:
        """A new address for answers to what this person did."""
        identifier = f"{len(self._addresses) + 1}.{crc32(f'{channel}{ts}{person}'.encode()):08x}"
        kept = {"channel": channel, "ts": ts, "user": person, "uses": 0, "until": time.time() + LIFE}
        self._addresses[identifier] = kept
        return f"{self._sandbox.base}/slack/response/{identifier}"

    def respond(self, request: Request) -> Answer:
        """An answer to an interaction: said to the person alone, or in place of the message."""
        address = self._addresses.get(request.params["id"])
        try:
            data = request.json()
        except ValueError:
            data = None
        if address is None or not isinstance(data, dict):
            return json_answer(
                404, {"ok": False, "error": "no_service" if address is None else "invalid_payload"}
            )
        if address["uses"] >= USES or time.time() > address["until"]:
            return json_answer(
                404, {"ok": False, "error": "used_url" if address["uses"] >= USES else "expired_url"}
            )
        address["uses"] += 1
        try:
            return self._say(address, data)
        except Refused as refused:
            return json_answer(400, refused.body)

    def _say(self, address: Mapping[str, Any], data: Mapping[str, Any]) -> Answer:
        where = {"channel": address["channel"], "ts": address["ts"]}
        if data.get("replace_original") is True:
            self._sandbox.edit({**where, **data, **where})
            return json_answer(200, {"ok": True})
        content = self._sandbox.content(data)
        self.replies.append({"user": address["user"], "channel": address["channel"], **content})
        return json_answer(200, {"ok": True})
