"""Kills with everything on: drafts, pages, draft pull requests, advisories, assignments, a team's own service."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from bot.sandbox.seed import load_files, load_issues
from bot.sandbox.server import drafting_environment
from bot.store import documents
from bot.store.database import Database
from bot.think.similar.index import Index, folder_of
from integrations.github.commands import MARKER
from models.tables import AnswerRow, DocumentRow
from tests.chaos import ground as plain
from tests.chaos.ground import REPO, Ground, Verdict
from tests.chaos.traps import DRAFTING

_answers: sa.Table = AnswerRow.__table__  # type: ignore[attr-defined]
_documents: sa.Table = DocumentRow.__table__  # type: ignore[attr-defined]

CALLS = tuple(DRAFTING)
BUNDLED = 12
"""Of the issues that come with Switchyard, for their many shapes; what came of them is only looked at for doubles."""
STORE = "src/widgets/store.py"
FILES = {
    STORE: "def load(key):\n    return rows[key]\n\n\ndef save(key, row):\n    rows[key] = row\n",
    "docs/tables.md": "# Tables\n\nA table has rows and columns.\n",
    ".github/CODEOWNERS": "* @cy\n",
}
TRACE = """With 1.4.2 it falls:

```
Traceback (most recent call last):
  File "/home/ada/venv/lib/python3.12/site-packages/widgets/store.py", line 2, in load
    return rows[key]
{error}: 'a'
```
"""
ASKED = "The guide says nothing of it. How do I {what} a table? What is there? Which is the default?"
RULES = (("bug", "(?i)^saving"), ("docs", "(?i)^document how"), ("security", "(?i)^vulnerability"))
PAGING = {
    "node": "call_api",
    "with": {"service": "pager", "operation": "page", "fields": {"title": "issue.title", "ref": "issue.ref"}},
}


@dataclass
class Everything(Ground):
    """Of three issues one is a bug with a trace, one asks for documentation, one is a report to security."""

    numbers: list[int] = field(default_factory=list)

    def grow(self, count: int) -> None:
        """Numbers between are left free for pull requests."""
        if self.numbers and count:
            self.issues = self.issues // 100 * 100 + 100
        self.numbers += range(self.issues + 1, self.issues + count + 1)
        super().grow(count)

    def made(self, number: int, now: str) -> dict[str, Any]:
        made, word = plain.issue(number, now), plain.title(number).split("the ")[1]
        if number % 3 == 1:
            error = f"{word.title().replace(' ', '')}Error"
            return made | {"body": TRACE.format(error=error)}
        if number % 3 == 2:
            return made | {"title": f"Document how to paint the {word}", "body": ASKED.format(what=word)}
        body = f"A stored XSS.\n\n## Steps to reproduce\n\n1. save `<script>{word}()</script>`\n2. look"
        return made | {"title": f"Vulnerability: stored XSS in the {word}", "body": body}

    def refs(self) -> list[str]:
        return self._of(1)

    def _of(self, kind: int) -> list[str]:
        return [f"{REPO}#{number}" for number in self.numbers if number % 3 == kind]

    def count(self) -> Verdict:
        verdict = super().count()
        listed = self.world.listed
        pulls = Counter(f"{REPO}#{pull['head'].split('/')[1].split('-')[0]}" for pull in listed("pulls"))
        advisories = Counter(
            one["description"].rpartition(MARKER)[2].split()[0] for one in listed("advisories")
        )
        pages = Counter(page["title"].split(":")[0] for page in listed("pages"))
        calls: Counter[str] = Counter()
        for call in self.world.app.sandbox.services.calls:
            calls[call["body"]["ref"]] += not call["repeat"]
        stories = Counter(str(story["external_id"]) for story in listed("stories"))
        lost = [
            f"{what}:{ref}"
            for what, refs, found in (
                ("pull", self._of(1), pulls),
                ("call", self._of(1), calls),
                ("page", self._of(2), pages),
                ("advisory", self._of(0), advisories),
            )
            for ref in refs
            if not found[ref]
        ]
        lost += [f"story:{ref}" for kind in (0, 2) for ref in self._of(kind) if not stories[f"story:{ref}"]]
        lost += [f"reviewers of {pull['head']}" for pull in listed("pulls") if not pull["reviewers"]]
        lost += [f"text of {page['title']}" for page in listed("pages") if len(page["blocks"]) < 2]
        lost += [f"assignee:{ref}" for ref in self._of(1) if not self._assigned(ref)]
        doubled = [
            f"{what}:{ref}"
            for what, found in (("pull", pulls), ("advisory", advisories), ("page", pages), ("call", calls))
            for ref, count in found.items()
            if count > 1
        ]
        return replace(
            verdict,
            lost=(*verdict.lost, *lost),
            doubled=(*verdict.doubled, *doubled, *self._paid_twice()),
            wrong=(*verdict.wrong, *self._index_differs()),
        )

    def _assigned(self, ref: str) -> bool:
        repo, _, number = ref.partition("#")
        headers = {"authorization": "Bearer sandbox"}
        return bool(
            self.world.http.get(f"/repos/{repo}/issues/{number}", headers=headers).json()["assignees"]
        )

    def _paid_twice(self) -> list[str]:
        """Drafts that were asked for although they were there."""
        there: set[str] = set()
        again = []
        for row in sorted(self.rows(_answers), key=lambda row: row.id):
            again += [f"draft {row.key[:12]}"] if row.kind == "draft" and row.key in there else []
            there |= {row.key} if row.data is not None else set()
        return again

    def _index_differs(self) -> list[str]:
        """The index's files, and an index that is made anew, tell of the documents that the table has."""
        wanted = {row.key for row in self.rows(_documents) if row.terms}
        database = Database(self.url)
        folder = folder_of(self.url)
        assert folder is not None
        try:
            found = {}
            for name, where in (("index", self.world.folder / folder), ("new index", None)):
                index = Index(database, where)
                index.refresh()
                told = [
                    live.segment.tell(int(at))[0] for live in index.lives for at in live.alive.nonzero()[0]
                ]
                found[name] = sorted(told)
            with database.read() as connection:
                _, newest = documents.extent(connection)
            return [
                f"the {name} has {len(told)} documents, the table {len(wanted)}, up to {newest}"
                for name, told in found.items()
                if told != sorted(wanted)
            ]
        finally:
            database.dispose()


@contextmanager
def everything(seed: int, issues: int = 6) -> Iterator[Ground]:
    """A world of small steps in which all that writes is on."""
    with plain.ground(seed, issues, Everything, _turn_on, files=load_files()) as made:
        yield made


def _turn_on(made: Ground) -> None:
    world = made.world
    world.environment |= drafting_environment(world.base)
    bundled = [issue for issue in load_issues(None) if not issue.get("pull_request")][:BUNDLED]
    world.control(issues=bundled)
    world.control(repo=REPO, files=FILES, by="fay")
    page = {"method": "POST", "path": "/pages", "body": {"title": "{title}", "ref": "{ref}"}}
    pager = {"base_url": f"{world.base}/services/pager", "timeout": "2s", "operations": {"page": page}}
    rules = [{"route": route, "pattern": pattern, "name": route} for route, pattern in RULES]
    for key, value in {
        "repositories": json.dumps([REPO, *{str(issue["repo"]) for issue in bundled}]),
        "router.rules": json.dumps(rules),
        "subflows": json.dumps({"bug": {"extends": "bug", "before": {"create_story": [PAGING]}}}),
        "integrations.services": json.dumps({"pager": pager}),
        "integrations.github.draft_pulls": "true",
        "integrations.github.draft_advisories": "true",
        "integrations.github.assign_suspects": "true",
        "integrations.notion.timeout": "2s",
        "integrations.notion.rate_limit": "100/s",
        "integrations.llm.timeout": "5s",
        "integrations.llm.tokens_per_run": "100000000",
        "integrations.llm.tokens_per_day": "100000000",
    }.items():
        world.set(key, value)
