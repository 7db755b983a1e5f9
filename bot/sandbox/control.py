"""The sandbox's own interface: faults and changes are posted to `/_control`, what happened lies below it.

`{"issue": {"repo": "octo/widgets", "number": 7, "labels": ["bug"], "by": "ann"}}` is ann giving issue 7 just these
labels (and taking the others off), which the issue's events tell; so they tell who closed it with `"state": "closed"`.
Without `by` it was "octo-maintainer". `labelled_by` (or `labeled_by`) names who put the labels on where that was
another: a login for all, or `{"bug": "stale[bot]"}` for some; a login that ends in `[bot]` is no person's. An issue
that is new had its labels from the start. `"deleted": true` and `"moved_to": "octo/gadgets#1"` take an issue away.
Files of issues may have the same fields.

`{"installation": {"owner": "octo", "suspended": true}}` suspends the App there; `installed`, `repositories` ("all" or a
list), `permissions` and `events` are set the same way, and `"revoke": true` ends its tokens before their time.
`{"account": {"login": "ann", "permission": "triage", "repo": "octo/widgets"}}` makes ann the one whose browser logs in
next (an empty login says no) and gives her that role there, or everywhere without `repo`; `"browser": false` only the
latter.
`{"hook_delivery": {"event": "issues", "guid": "…", "payload": {…}}}` puts a delivery on the App's list that reached
nobody; `status_code` and `delivered_at` tell it otherwise.
`{"pull": {"repo": "octo/widgets", "number": 9, "files": {"README.md": "New"}}}` opens a pull request or pushes to it;
the answer names its head, null removes a file.

`{"repo": "octo/widgets", "files": {"src/a.py": "…"}, "by": "ann"}` is ann committing to its default branch (null takes
a file away); `"access"` says what the token may do there, `"drafts": false` that it takes no draft pull requests.
`GET /_control/pulls` and `/_control/advisories` show what was opened and drafted.

`{"press": {"channel": "#triage", "ts": "…", "action_id": "switchyard:why", "value": "octo/widgets#1", "user": "sam"}}`
is sam pressing that button of the message that stands there (`"home": "sam"` in place of channel and ts: of his home
tab); `value` tells apart those of one action_id, and for a menu it is the choice. `{"slash": {"text": "status",
"channel": "#triage", "user": "sam"}}` and `{"home": {"user": "sam"}}` are a command typed and the home tab opened. The
answer is the signed request; with `"to": "http://…/slack/events"` beside it the request is sent, and the answer is
what came back. `secret`, `team` and `skew` (seconds) beside it make it wrong. `GET /_control/homes`,
`/_control/replies` and `/_control/files` show what Slack was told, `GET /_control/pages` what was put into Notion.

`{"llm": "obey"}` sets what the language model does (`plausible` again makes it sensible); `GET /_control/prompts` shows
what it was sent.

`{"osv": {"id": "GHSA-…", "modified": "2026-10-01T12:00:00Z", "affected": […]}}` puts a vulnerability into OSV, in its
own schema; `{"osv": {"page": 1}}` lets its answers hold one id each.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from bot.sandbox.seed import wrong_field
from bot.sandbox.services import Services
from integrations.github.sandbox.git import MAINTAINER
from integrations.github.sandbox.payloads import Writer
from integrations.github.sandbox.state import IssueRecord, Repository
from integrations.llm.sandbox.service import MODES
from integrations.sandbox_faults import Answer, ControlError, Request, json_answer, parse_fault
from integrations.slack.sandbox import interactions as sandbox_press

_MARKER = re.compile(r"<!--\s*([\w-]+)")
_ISSUE_FIELDS = [
    "repo",
    "number",
    "title",
    "body",
    "author",
    "author_association",
    "labels",
    "created_at",
    "updated_at",
    "comments",
    "reactions",
    "pull_request",
    "state",
    "assignees",
    "locked",
    "deleted",
    "moved_to",
    "by",
    "labelled_by",
    "labeled_by",
]
_KINDS = (
    "service+fault, reset, repo, issue, issues, channel, latency_ms, token_seconds, installation, "
    "hook_delivery, pull, account, press, slash, home, osv, llm"
)


class Control:
    """Reads control requests and shows the state."""

    def __init__(self, app: Services) -> None:
        self._app = app
        self._pages: dict[str, Callable[[Request], Answer]] = {
            "/_control/state": lambda request: json_answer(200, self.state()),
            "/_control/stories": lambda request: _listing(request, self._stories()),
            "/_control/comments": lambda request: _listing(request, self._comments()),
            "/_control/labels": lambda request: _listing(request, self._labels()),
            "/_control/messages": lambda request: _listing(request, map(_dump, self._app.slack.messages())),
            "/_control/checks": lambda request: _listing(
                request, map(_dump, self._app.github.pulls.checks())
            ),
            "/_control/pulls": lambda request: _listing(
                request, map(_dump, self._app.github.drafts.opened())
            ),
            "/_control/advisories": lambda request: _listing(
                request, map(_dump, self._app.github.drafts.advisories())
            ),
            "/_control/homes": lambda request: _listing(request, map(_dump, self._homes())),
            "/_control/replies": lambda request: _listing(request, map(_dump, self._app.slack.desk.replies)),
            "/_control/files": lambda request: _listing(request, map(_dump, self._files())),
            "/_control/pages": lambda request: _listing(request, map(_dump, self._app.notion.pages())),
            "/_control/webhooks": lambda request: _listing(request, map(_dump, self._app.webhook.deliveries)),
            "/_control/prompts": lambda request: _listing(request, map(_dump, self._app.llm.asked)),
            "/_control/requests": lambda request: _listing(request, self._requests()),
        }

    def answer(self, request: Request) -> Answer:
        """One control request."""
        try:
            if request.method == "POST" and request.path in ("/_control", "/_control/"):
                self._app.slack.base = f"http://{request.headers.get('host', '127.0.0.1')}"
                return json_answer(200, self.apply(_object(request)))
            page = self._pages.get(request.path) if request.method == "GET" else None
            if page is None:
                raise ControlError(f"there are POST /_control and GET {', '.join(self._pages)}")
            return page(request)
        except ControlError as error:
            return json_answer(400, {"error": str(error)})

    def apply(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a control request says; ControlError where it is not understood."""
        handlers: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "service": self._fault,
            "reset": self._reset,
            "repo": self._repo,
            "issue": self._issue,
            "issues": self._issues,
            "channel": self._channel,
            "latency_ms": self._latency,
            "token_seconds": self._token_seconds,
            "installation": self._installation,
            "hook_delivery": self._hook_delivery,
            "pull": self._pull,
            "account": self._account,
            "press": partial(self._person, sandbox_press.press),
            "slash": partial(self._person, sandbox_press.slash),
            "home": partial(self._person, sandbox_press.home),
            "llm": self._llm,
            "osv": self._osv,
        }
        for key, handler in handlers.items():
            if key in data:
                return {"ok": True, **handler(data)}
        raise ControlError(f"expected one of {_KINDS}; got {', '.join(map(repr, data)) or 'nothing'}")

    def _fault(self, data: Mapping[str, Any]) -> dict[str, Any]:
        self._app.faults.add(parse_fault(data))
        return {"faults": [fault.describe() for fault in self._app.faults.faults]}

    def _reset(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "reset")
        what = data["reset"]
        if what not in ("faults", "all"):
            raise ControlError(f"reset must be faults or all, not {what!r}")
        self._app.faults.faults.clear()
        if what == "all":
            self._app.reset()
        return {}

    def _repo(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "repo", "access", "files", "by", "drafts")
        name, files, by = data["repo"], data.get("files"), data.get("by", MAINTAINER)
        if not isinstance(name, str) or name.count("/") != 1:
            raise ControlError(f"repo is written OWNER/NAME, not {name!r}")
        if files is not None and not isinstance(files, dict):
            raise ControlError("files is an object of paths and texts")
        if not isinstance(by, str) or not isinstance(data.get("drafts", True), bool):
            raise ControlError("by is who committed the files, drafts whether draft pull requests are taken")
        self._app.github.control_repo(name, data.get("access"), files, by)
        self._app.github.drafts.takes_drafts = data.get("drafts", True)
        return {}

    def _issue(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "issue")
        return self._put_issue(data["issue"])

    def _issues(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "issues")
        if not isinstance(data["issues"], list):
            raise ControlError("issues is a list")
        return {"issues": [self._put_issue(issue) for issue in data["issues"]]}

    def _put_issue(self, issue: Any) -> dict[str, Any]:
        if not isinstance(issue, dict) or str(issue.get("repo", "")).count("/") != 1:
            raise ControlError("an issue is an object with its repo as OWNER/NAME")
        _only(issue, *_ISSUE_FIELDS)
        wrong = wrong_field(issue)
        if wrong:
            raise ControlError(wrong)
        put = self._app.github.repositories.get_or_add(issue["repo"]).seed(issue)
        return {"repo": issue["repo"], "number": put.number}

    def _channel(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "channel", "exists")
        if not isinstance(data["channel"], str) or not isinstance(data.get("exists"), bool):
            raise ControlError('write {"channel": "#name", "exists": false}')
        self._app.slack.control_channel(data["channel"], data["exists"])
        return {}

    def _latency(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "latency_ms")
        latency = data["latency_ms"]
        if not isinstance(latency, int | float) or isinstance(latency, bool) or latency < 0:
            raise ControlError(f"latency_ms is a number of milliseconds, not {latency!r}")
        self._app.latency_ms = float(latency)
        return {}

    def _token_seconds(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "token_seconds")
        seconds = data["token_seconds"]
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise ControlError(f"token_seconds is how long an App's tokens live, not {seconds!r}")
        self._app.github.app.token_seconds = float(seconds)
        return {}

    def _installation(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "installation")
        if not isinstance(data["installation"], dict):
            raise ControlError('write {"installation": {"owner": "octo", "suspended": true}}')
        return self._app.github.app.control(data["installation"])

    def _hook_delivery(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "hook_delivery")
        if not isinstance(data["hook_delivery"], dict):
            raise ControlError("hook_delivery is an object with event, guid and payload")
        return self._app.github.deliveries.control(data["hook_delivery"])

    def _pull(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "pull")
        if not isinstance(data["pull"], dict):
            raise ControlError("pull is an object with repo, number and files")
        return self._app.github.pulls.control(data["pull"])

    def _person(self, deed: Callable[..., sandbox_press.Signed], data: Mapping[str, Any]) -> dict[str, Any]:
        """What somebody does in Slack, as a signed request; `to` says where it is to be sent."""
        (name,) = (key for key in ("press", "slash", "home") if key in data)
        _only(data, name, *sandbox_press.OPTIONS)
        options = {key: value for key, value in data.items() if key != name}
        if not isinstance(data[name], dict) or not all(isinstance(o, str | int) for o in options.values()):
            raise ControlError(f'write {{"{name}": {{…}}, "to": "http://127.0.0.1:8000/slack/events"}}')
        if not isinstance(options.get("skew", 0), int):
            raise ControlError("skew is a number of seconds")
        request = deed(self._app.slack, data[name], options)
        return {"request": request, "to": data["to"]} if "to" in data else {"request": request}

    def _osv(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "osv")
        if not isinstance(data["osv"], dict):
            raise ControlError('write {"osv": {"id": "GHSA-…", "modified": "…", "affected": […]}}')
        return self._app.osv.control(data["osv"])

    def _llm(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "llm")
        if data["llm"] not in MODES:
            raise ControlError(f"llm is one of {', '.join(MODES)}, not {data['llm']!r}")
        self._app.llm.mode = data["llm"]
        return {}

    def _homes(self) -> Iterator[dict[str, Any]]:
        for person, view in self._app.slack.desk.homes.items():
            yield {"user": person, **view}

    def _files(self) -> Iterator[dict[str, Any]]:
        for file in self._app.slack.desk.files.values():
            yield {**file, "bytes": len(file["bytes"] or b"")}

    def _account(self, data: Mapping[str, Any]) -> dict[str, Any]:
        _only(data, "account")
        if not isinstance(data["account"], dict):
            raise ControlError('write {"account": {"login": "ann", "permission": "triage"}}')
        return self._app.github.people.control(data["account"])

    def state(self) -> dict[str, Any]:
        """The summary that tests and benches read."""
        app = self._app
        duplicates = app.shortcut.duplicates()
        comments, labelled, repeated, doubled = 0, 0, [], 0
        for repo, issue in self._issue_records():
            comments += len(issue.comment_ids)
            labelled += bool(issue.labels_added)
            if (marked := _marked(repo, issue)) > 1:
                repeated.append(f"{repo.full_name}#{issue.number}")
                doubled += marked - 1
        services = (app.github.limits, app.shortcut, app.slack)
        return {
            "requests": app.log.summary(),
            "connections_opened": app.connections_opened,
            "rate_limited": dict(
                zip(("github", "shortcut", "slack"), (s.refused for s in services), strict=True)
            ),
            "repositories": {repo.full_name: len(repo.issues) for repo in app.github.repositories},
            "comments": comments,
            "issues_labelled": labelled,
            "issues_with_repeated_comments": repeated,
            "duplicate_comments": doubled,
            "stories": len(app.shortcut.stories),
            "duplicates": len(duplicates),
            "duplicate_external_ids": dict(list(duplicates.items())[:100]),
            "messages": sum(len(channel.messages) for channel in app.slack.channels.values()),
            "messages_by_channel": {f"#{c.name}": len(c.messages) for c in app.slack.channels.values()},
            "webhooks": len(app.webhook.deliveries),
            "webhook_repeats": app.webhook.repeats(),
            "faults": [fault.describe() for fault in app.faults.faults],
            "latency_ms": app.latency_ms,
        }

    def _issue_records(self) -> Iterator[tuple[Repository, IssueRecord]]:
        for repo in self._app.github.repositories:
            for issue in repo.issues.values():
                if issue.comment_ids or issue.labels_added:
                    yield repo, issue

    def _stories(self) -> Iterator[str]:
        return self._app.shortcut.story_texts()

    def _comments(self) -> Iterator[str]:
        writer = Writer(self._app.github.writer.base)
        for repo in self._app.github.repositories:
            for comment in repo.comments.values():
                text = writer.comment(repo, comment)
                yield f'{{"repo":{json.dumps(repo.full_name)},"number":{comment.number},{text[1:]}'

    def _labels(self) -> Iterator[str]:
        for repo, issue in self._issue_records():
            if issue.labels_added:
                names = [repo.labels[key].name for key in issue.labels if key in repo.labels]
                found = {"repo": repo.full_name, "number": issue.number, "labels": names}
                yield _dump({**found, "added": issue.labels_added})

    def _requests(self) -> Iterator[str]:
        names = ("time", "service", "method", "path", "status")
        return (_dump(dict(zip(names, entry, strict=True))) for entry in self._app.log.latest)


def _marked(repo: Repository, issue: IssueRecord) -> int:
    """Comments with a hidden marker, counted by the marker's first word that occurs most often."""
    bodies = (repo.comments[identifier].body for identifier in issue.comment_ids)
    marks = Counter(found[1] for found in map(_MARKER.search, bodies) if found)
    return max(marks.values(), default=0)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _object(request: Request) -> Mapping[str, Any]:
    try:
        data = request.json()
    except ValueError as error:
        raise ControlError(f"the body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ControlError("the body must be a JSON object")
    return data


def _only(data: Mapping[str, Any], *known: str) -> None:
    unknown = [key for key in data if key not in known]
    if unknown:
        raise ControlError(f"unknown key {unknown[0]!r}; known: {', '.join(known)}")


def _listing(request: Request, texts: Iterable[str]) -> Answer:
    """A JSON list in chunks; `offset` and `limit` cut it."""
    query = request.query
    for name in ("offset", "limit"):
        if not query.get(name, "0").isdecimal():
            raise ControlError(f"{name} is a number, not {query[name]!r}")
    start, limit = int(query.get("offset", "0")), int(query.get("limit", "1000000000"))
    return Answer(200, _chunks(texts, start, start + limit))


def _chunks(texts: Iterable[str], start: int, end: int) -> Iterator[bytes]:
    parts: list[str] = []
    lead = "["
    for at, text in enumerate(texts):
        if start <= at < end:
            parts.append(lead + text)
            lead = ","
        if len(parts) >= 200:
            yield "".join(parts).encode("utf-8", "replace")
            parts.clear()
    yield ("".join(parts) + ("[]" if lead == "[" else "]")).encode("utf-8", "replace")
