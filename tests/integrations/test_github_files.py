"""Files, documentation and authors over GitHub, and what is written for drafts, with a token and with an App's."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from bot.sandbox import create_app, running
from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.github.client.auth import Credential
from integrations.github.client.client import GithubClient
from integrations.github.client.files import (
    MAX_FILE,
    MAX_PAGES,
    Pages,
    docs_among,
    file_authors,
    list_files,
    read_file,
)
from integrations.github.payloads import logins_of
from integrations.github.settings import GithubSettings
from integrations.resilience import Guard
from models.asks import File, Files
from models.commands import Command, Pending, draft_advisory, open_draft_pull
from models.errors import RateLimited, Rejected, Transient, Unauthorized
from models.units import Rate
from tests.contracts.checked import checked

T = TypeVar("T")
REPO, REF = "octo/widgets", "octo/widgets#1"
TREE = {
    "README.md": "# Widgets\n",
    "src/é b.py": "x = 1\n",
    "docs/guide.md": "Read me.\n",
    "docs/deep/a.rst": "A",
}


class Ground:
    """A checked sandbox with one issue and a few files, and clients of it."""

    def __init__(self, app: Any, url: str) -> None:
        self.app, self.url = app, url
        self.control = app.sandbox.control.apply
        self.control({"repo": REPO, "files": TREE, "by": "ann"})

    def use(self, work: Callable[[GithubClient], Awaitable[T]], *limits: Limit) -> T:
        async def life() -> T:
            guard = Guard(
                "github",
                limits=limits,
                timeout=60,
                breaker=BreakerSettings(),
                retry=RetrySettings(max_attempts=1),
            )
            client = GithubClient(
                GithubSettings(base_url=self.url),
                Credential(token="sandbox"),
                guard,
                user_agent="test",
                requests_in_flight=8,
            )
            try:
                return await work(client)
            finally:
                await client.close()

        return asyncio.run(life())

    def send(self, command: Command, **pending: Any) -> Mapping[str, Any]:
        made = Pending(command=command, created_at=datetime.now(UTC), **pending)

        async def work(client: GithubClient) -> Mapping[str, Any]:
            (answer,) = await client.send([made])
            return answer

        return self.use(work)

    def requests(self) -> int:
        return int(self.app.sandbox.log.summary()["github"]["count"])


@pytest.fixture
def ground() -> Iterator[Ground]:
    app = checked(create_app([{"repo": REPO, "title": "It fails", "body": "x"}]), required=False)
    with running(app) as served:
        yield Ground(app, served.url)
    assert app.violations == []


def test_the_files_of_the_default_branch(ground: Ground) -> None:
    files = ground.use(lambda client: list_files(client, REPO))
    assert files.branch == "main" and len(files.commit) == 40
    assert sorted(files.paths) == sorted(TREE)
    read = ground.use(lambda client: read_file(client, REPO, "src/é b.py"))
    assert read == File(path="src/é b.py", text="x = 1\n", sha=dict(files.blobs)["src/é b.py"])


def test_a_repository_without_files_or_out_of_sight_has_none(ground: Ground) -> None:
    nothing = Files(branch="", commit="", blobs=())
    ground.control({"repo": "octo/new", "files": {"README.md": None}})
    assert ground.use(lambda client: list_files(client, "octo/new")) == nothing
    assert ground.use(lambda client: list_files(client, "octo/absent")) == nothing
    ground.control({"repo": REPO, "access": "forbidden"})
    with pytest.raises(Unauthorized):
        ground.use(lambda client: list_files(client, REPO))


@pytest.mark.parametrize("path", ["absent.py", "docs", "", "../x", "a/./b", "/etc/passwd", "a//b"])
def test_what_is_no_file_is_none(ground: Ground, path: str) -> None:
    assert ground.use(lambda client: read_file(client, REPO, path)) is None


class Stub:
    """Answers every request with this."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def read(self, address: str, repo: str = "") -> tuple[Mapping[str, Any], Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {}, self.answer


def content(data: bytes = b"text", **changes: Any) -> dict[str, Any]:
    made = {"type": "file", "encoding": "base64", "size": len(data), "sha": "5ha"}
    return {**made, "content": b64encode(data).decode(), **changes}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (content(), "text"),
        (content("ü\r\n".encode()), "ü\r\n"),
        (content(b""), ""),
        (content(b"\xff\xfe\x00"), None),
        (content(b"a\x00b"), None),
        (content(size=MAX_FILE + 1), None),
        (content(size=None), None),
        (content(encoding="none", content=""), None),
        (content(content="not base64!"), None),
        (content(type="submodule"), None),
        ([content()], None),
        (None, None),
        (Rejected("gone", status=404), None),
    ],
)
def test_only_texts_of_a_bearable_size_are_read(answer: Any, text: str | None) -> None:
    found = asyncio.run(read_file(Stub(answer), REPO, "a.py"))
    assert (found.text if found else None) == text


@pytest.mark.parametrize("answer", [{"default_branch": "main"}, {}, [], None, "x", {"default_branch": None}])
def test_a_listing_of_nonsense_is_empty(answer: Any) -> None:
    assert asyncio.run(list_files(Stub(answer), REPO)).blobs == ()


def test_who_changed_a_file(ground: Ground) -> None:
    ground.control({"repo": REPO, "files": {"docs/guide.md": "Read it."}, "by": "bo"})
    ground.control({"repo": REPO, "files": {"docs/guide.md": "Read it!"}, "by": "renovate[bot]"})
    ground.control({"repo": REPO, "files": {"docs/guide.md": "Read this."}, "by": "ann"})
    assert ground.use(lambda client: file_authors(client, REPO, "docs/guide.md")) == ("ann", "bo")
    assert ground.use(lambda client: file_authors(client, REPO, "absent")) == ()


@pytest.mark.parametrize(
    "commits", [None, {}, ["x"], [{}], [{"author": None}], [{"author": {"login": None}}]]
)
def test_commits_that_tell_nobody(commits: Any) -> None:
    assert logins_of(commits) == ()


def test_what_documents_comes_in_order() -> None:
    paths = [
        "src/a.py",
        "notes/b.md",
        "docs/deep/z.rst",
        "docs/y.md",
        "readme.rst",
        "docs/picture.png",
        "CHANGELOG.md",
        "LICENSE.md",
        ".github/x.md",
        "tests/t.md",
        "node_modules/m/README.md",
        "docs/conf.txt",
    ]
    found = docs_among([(path, "0") for path in paths])
    assert [path for path, _ in found] == [
        "readme.rst",
        "docs/conf.txt",
        "docs/y.md",
        "docs/deep/z.rst",
        "notes/b.md",
    ]
    assert len(docs_among([(f"docs/{n}.md", "0") for n in range(500)])) == MAX_PAGES


def test_a_page_that_has_not_changed_is_not_read_again(ground: Ground) -> None:
    async def work(client: GithubClient) -> list[Any]:
        pages = Pages()
        first = await pages.read(client, REPO)
        counts = [ground.requests()]
        again = await pages.read(client, REPO)
        counts.append(ground.requests())
        ground.control({"repo": REPO, "files": {"docs/guide.md": "New."}})
        last = await pages.read(client, REPO)
        return [first, again, last, *counts, ground.requests()]

    first, again, last, *counts = ground.use(work)
    assert [page.path for page in first.pages] == ["README.md", "docs/guide.md", "docs/deep/a.rst"]
    assert again == first
    assert last.pages[1].text == "New." and last.commit != first.commit
    # Three requests for the listing, and one for each page that is new.
    assert [after - before for before, after in pairwise(counts)] == [3, 4]


def test_no_documentation_of_nothing(ground: Ground) -> None:
    assert ground.use(lambda client: Pages().read(client, "octo/absent")) is None


def test_a_spent_budget_is_not_waited_for(ground: Ground) -> None:
    async def work(client: GithubClient) -> None:
        await list_files(client, REPO)

    with pytest.raises(RateLimited):
        ground.use(work, Limit([Rate(2, 3600)]))


def pull(ground: Ground, text: str = "x = 2\n", path: str = "src/é b.py", **changes: Any) -> Command:
    files = ground.use(lambda client: list_files(client, REPO))
    given = {
        "base": files.branch,
        "base_commit": files.commit,
        "files": [{"path": path, "text": text, "sha": dict(files.blobs).get(path, "")}],
        "title": "Draft for issue 1",
        "body": "About #1",
    }
    return open_draft_pull(REF, **{**given, **changes})


def test_one_pull_request_of_an_issue_for_ever(ground: Ground) -> None:
    first = ground.send(pull(ground))
    # Drafted again, differently: by what was answered, and by what stands where the answer was lost.
    other = pull(ground, "x = 3\n")
    assert ground.send(other, last_answer=first) == first
    lost = ground.send(other)
    assert (lost["number"], lost["branch"]) == (first["number"], first["branch"])
    found = ground.use(lambda c: c.find([Pending(command=other, created_at=datetime.now(UTC))]))
    assert found[other.key]["number"] == first["number"]
    assert len(ground.app.sandbox.github.drafts.opened()) == 1


def test_a_branch_without_its_pull_request_is_taken_up(ground: Ground) -> None:
    wish = pull(ground)
    ground.control(
        {"service": "github", "fault": "status", "status": 502, "match": "POST .*/pulls", "times": 1}
    )
    with pytest.raises(Transient):
        ground.send(wish)
    assert ground.send(wish)["branch"] == wish.payload["branch"]


def test_a_new_file_and_one_that_is_there_by_now(ground: Ground) -> None:
    wish = pull(ground, path="docs/new.md")
    ground.control({"repo": REPO, "files": {"docs/new.md": "Mine."}})
    assert ground.send(wish) == {"skipped": "docs/new.md has changed since"}
    wish = pull(ground, path="docs/newer.md")
    assert ground.send(wish)["number"]
    (opened,) = ground.app.sandbox.github.drafts.opened()
    assert opened["files"] == {"docs/newer.md": "x = 2\n"}


def test_an_unrelated_change_does_not_matter(ground: Ground) -> None:
    wish = pull(ground)
    ground.control({"repo": REPO, "files": {"README.md": "# New\n"}})
    ground.send(wish)
    (opened,) = ground.app.sandbox.github.drafts.opened()
    assert opened["files"] == {"src/é b.py": "x = 2\n"}


def test_reviewers_who_cannot_be_asked_are_left_out(ground: Ground) -> None:
    ground.control({"account": {"login": "eve", "permission": "read"}})
    answer = ground.send(pull(ground, reviewers=["eve", "ann", "octo/docs"]))
    assert answer["reviewers"] == ["ann", "octo/docs"]


VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"


@pytest.mark.parametrize(
    ("rated", "kept"),
    [
        ({"severity": "high"}, ("high", None)),
        ({"severity": "high", "vector": VECTOR}, (None, VECTOR)),
        ({}, (None, None)),
    ],
)
def test_a_draft_advisory(ground: Ground, rated: dict[str, str], kept: tuple[str | None, str | None]) -> None:
    packages = [{"ecosystem": "pip", "name": "widgets", "affected": "< 1.4.2"}]
    wish = draft_advisory(
        REF,
        summary="Traversal",
        description="It goes up.",
        cve="CVE-2026-1234",
        weaknesses=["CWE-22"],
        packages=packages,
        **rated,
    )
    answer = ground.send(wish)
    (made,) = ground.app.sandbox.github.drafts.advisories()
    assert (answer["ghsa_id"], made["state"]) == (made["ghsa_id"], "draft")
    assert (made["severity"], (made["cvss"] or {}).get("vector_string")) == kept
    assert made["vulnerabilities"][0]["vulnerable_version_range"] == "< 1.4.2"
    assert ground.send(replace(wish), last_answer=answer) == answer
    found = ground.use(lambda c: c.find([Pending(command=wish, created_at=datetime.now(UTC))]))
    assert found[wish.key] == answer


def test_an_advisory_that_may_not_be_drafted_says_what_it_needs(ground: Ground) -> None:
    ground.control({"repo": REPO, "access": "read"})
    with pytest.raises(Rejected, match="it needs Repository security advisories: read and write"):
        ground.send(draft_advisory(REF, summary="x", description="y"))
