"""The flows on real issues: every issue through each flow, alone and with everything outside answering; errors, CPU."""

import argparse
import asyncio
import csv
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.think.pool import Thinker, ThinkSettings
from models.asks import (
    Ask,
    Docs,
    Drafted,
    File,
    FileAuthors,
    Files,
    FindAdvisories,
    ListFiles,
    ReadDocs,
    ReadFile,
    Reply,
    SearchIssues,
    SearchStories,
    WriteDraft,
)
from models.case import ROUTES, Advisory, Case, Failure, Route, Similar
from models.issue import Issue
from nodes.base import Policy, Rule
from tests.bench.process import DATA

SOURCES = (
    "nlbse24/issues_train.csv",
    "docs/issues_train.csv",
    "security_gh/security_issues.csv",
    "matomo/matomo_4class_old70.csv",
)
SERVICES = frozenset({"shortcut", "slack", "notion", "osv", "llm", "email"})
PATHS = (
    "README.md", ".github/CODEOWNERS", "docs/index.md", "src/main.py", "src/app.ts", "lib/index.js", "src/core/mod.rs",
    "src/Program.cs", "app/models/user.rb", "cmd/main.go", "src/Main.java", "src/index.php", "src/batch.c",
)  # fmt: skip
EDIT = {"path": "src/main.py", "find": "a", "replace": "b"}
DRAFTS: Mapping[str, dict[str, Any]] = {
    "fix": {"cause": "A cause @everybody.", "steps": ["Step"], "edits": [EDIT]},
    "design": {"components": [{"path": "src/main.py", "why": "there"}], "risks": ["Risk"], "questions": ["Which?"]},
    "spec": {"problem": "P", "proposal": "Q", "criteria": ["C"], "out_of_scope": ["O"]},
    "page": {"title": "Page", "markdown": "# Page\n\nText <script>", "path": "docs/index.md"},
}  # fmt: skip


@dataclass(frozen=True)
class Flown:
    """What came of one flow: CPU in milliseconds an issue, how many failed and why, how many asked."""

    cpu: float
    failures: Counter[str]
    asks: Counter[str]
    sections: Counter[str]


def read_issues(count: int, data: Path = DATA) -> list[Issue]:
    """Real issues of all sources by turns; fewer where there are fewer."""
    csv.field_size_limit(10**9)
    rows = [
        row
        for group in itertools.zip_longest(*(_rows(data / name) for name in SOURCES))
        for row in group
        if row
    ]
    return [_issue(row, number) for number, row in enumerate(rows[:count], 1)]


def _rows(file: Path, most: int = 5_000) -> Iterator[Mapping[str, str]]:
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace", newline="") as lines:
        yield from itertools.islice(csv.DictReader(lines), most)


def _issue(row: Mapping[str, str], number: int) -> Issue:
    repo = row.get("repo") or row.get("repository") or "octo/widgets"
    repo = repo if repo.count("/") == 1 else "octo/widgets"
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return Issue(
        repo=repo,
        number=number,
        title=row.get("title") or "",
        body=row.get("body") or row.get("description") or "",
        html_url=f"https://github.com/{repo}/issues/{number}",
        created_at=now,
        updated_at=now,
        author="somebody",
    )


async def answer(asks: Sequence[Ask[Any]]) -> Mapping[Ask[Any], Reply]:
    """What an outside that knows everything says."""
    return {ask: Reply(_answer(ask)) for ask in asks}


def _answer(ask: Ask[Any]) -> Any:
    match ask:
        case ListFiles():
            return Files(branch="main", commit="c" * 40, blobs=tuple((path, "b" * 40) for path in PATHS))
        case ReadFile(_, path):
            text = "*  @octocat @octo/team\n" if "CODEOWNERS" in path else "a = 1\n" * 30
            return File(path=path, text=text, sha="b" * 40)
        case ReadDocs():
            text = "# Install\n\nRun the installer, configure the proxy.\n\n## Options\n\nSet `timeout`.\n"
            return Docs(commit="c" * 40, pages=(File(path="docs/index.md", text=text, sha="b" * 40),))
        case FileAuthors():
            return ("octocat", "hubot")
        case SearchIssues(repo):
            return (
                Similar(
                    ref=f"{repo}#1",
                    title="Alike",
                    url="https://github.com/o/n/issues/1",
                    score=0.5,
                    reason="x",
                ),
            )
        case SearchStories():
            return (
                Similar(
                    ref="shortcut:5",
                    title="Alike",
                    url="https://app.shortcut.com/5",
                    score=0.5,
                    reason="x",
                    done=True,
                    estimate=3,
                ),
            )
        case FindAdvisories():
            return (
                Advisory(
                    id="GHSA-xxxx-yyyy-zzzz",
                    summary="Bad",
                    severity="high",
                    affected=("pkg:npm/x",),
                    fixed=("x 2.0",),
                ),
            )
        case WriteDraft(kind):
            return Drafted(data=DRAFTS[kind], model="stand-in")
    return None


async def fly(issues: Sequence[Issue], route: Route | None, *, asking: bool) -> Flown:
    """All issues through one flow (None: through the route that the model gives each), a batch at a time."""
    rules = (Rule(route=route, pattern="(?s).*", name="bench"),) if route else ()
    policy = Policy(rules=rules)
    if asking:
        policy = replace(
            policy,
            services=SERVICES,
            draft_pulls=True,
            assign_suspects=True,
            draft_advisories=True,
            drafts_for_security=True,
        )
    thinker = Thinker(ThinkSettings("builtin", policy, None), 0)
    failures: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    sections: Counter[str] = Counter()

    async def noting(asks: Sequence[Ask[Any]]) -> Mapping[Ask[Any], Reply]:
        asked.update(type(ask).__name__ for ask in asks)
        return await answer(asks)

    try:
        await thinker.think([Case(issue=issue) for issue in issues[:5]])
        started = time.process_time()
        for start in range(0, len(issues), 100):
            cases = [Case(issue=issue) for issue in issues[start : start + 100]]
            for result in await thinker.think(cases, None, noting if asking else None):
                if isinstance(result, Failure):
                    failures[f"{result.node}: {result.error_text[:80]}"] += 1
                else:
                    sections.update(section.title for section in result.sections)
        cpu = (time.process_time() - started) / max(1, len(issues)) * 1000
    finally:
        thinker.close()
    return Flown(cpu, failures, asked, sections)


def rows(folder: Path, *, short: bool) -> Iterator[tuple[str, str, str]]:
    """(figure, wanted, measured)"""
    issues = read_issues(300 if short else 1_000)
    if not issues:
        yield "flows on real issues", "", f"not measured: no data in {DATA}"
        return
    plain = asyncio.run(fly(issues, None, asking=False))
    yield f"analyses, route and flow, {len(issues)} real issues", "≤ 6 ms CPU", f"{plain.cpu:.2f} ms each"
    for route in ROUTES:
        alone = asyncio.run(fly(issues, route, asking=False))
        told = asyncio.run(fly(issues, route, asking=True))
        failed = alone.failures + told.failures
        yield (
            f"  all through {route}",
            "0 errors",
            f"{failed.total()} errors, {alone.cpu:.2f} ms; with answers {told.cpu:.2f} ms",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--route", choices=ROUTES)
    parser.add_argument("--asking", action="store_true", help="everything outside answers")
    options = parser.parse_args()
    issues = read_issues(options.count)
    if not issues:
        sys.exit(f"no data in {DATA}")
    flown = asyncio.run(fly(issues, options.route, asking=options.asking))
    print(f"{len(issues)} issues, {flown.cpu:.2f} ms of CPU each, {flown.failures.total()} failures")
    for title, counts in (("failures", flown.failures), ("asked", flown.asks), ("sections", flown.sections)):
        print(title, *(f"  {count:6} {name}" for name, count in counts.most_common(30)), sep="\n")


if __name__ == "__main__":
    main()
