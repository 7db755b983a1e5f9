"""Files, branches, draft pull requests and advisories of the GitHub stand-in, held against the specification."""

from base64 import b64decode
from contextlib import nullcontext
from typing import Any

import pytest

from tests.contracts.api import REPO, Api

AT = f"/repos/{REPO}"
FILES = {"src/a.py": "one\n", "src/b.py": "two\n", "docs/é.md": "drei\n"}


@pytest.fixture
def files(api: Api) -> Api:
    """A repository with three files by ann, of which bo has changed one."""
    assert api.control(repo=REPO, files=FILES, by="ann").status == 200
    assert api.control(repo=REPO, files={"src/a.py": "one more\n"}, by="bo").status == 200
    return api


def head(api: Api, branch: str = "main") -> str:
    return str(api.github("GET", f"{AT}/git/ref/heads/{branch}").json["object"]["sha"])


def propose(api: Api, branch: str = "switchyard/1-x", **changes: Any) -> Any:
    """A branch that changes a file, and the answer to a pull request from it."""
    start = head(api)
    tree = api.github("GET", f"{AT}/git/commits/{start}").json["tree"]["sha"]
    entry = {"path": "src/a.py", "mode": "100644", "type": "blob", "content": "mended\n"}
    made = api.github("POST", f"{AT}/git/trees", {"base_tree": tree, "tree": [entry]}).json
    body = {"message": "Mend", "tree": made["sha"], "parents": [start]}
    commit = api.github("POST", f"{AT}/git/commits", body).json
    api.github("POST", f"{AT}/git/refs", {"ref": f"refs/heads/{branch}", "sha": commit["sha"]})
    pull = {"title": "Mend it", "head": branch, "base": "main", "body": "About #1", "draft": True}
    return api.github("POST", f"{AT}/pulls", {**pull, **changes})


READS: list[tuple[str, dict[str, Any], int]] = [
    ("/git/ref/heads/main", {}, 200),
    ("/git/ref/heads/none", {}, 404),
    ("/git/matching-refs/heads/ma", {}, 200),
    ("/git/trees/main", {"recursive": "1"}, 200),
    ("/git/trees/main", {}, 200),
    ("/git/trees/absent", {}, 404),
    ("/git/commits/absent", {}, 404),
    ("/commits", {}, 200),
    ("/commits", {"path": "src/a.py", "per_page": 1}, 200),
    ("/commits", {"path": "absent"}, 200),
    ("/commits", {"sha": "none"}, 404),
    ("/contents/docs/%C3%A9.md", {"ref": "main"}, 200),
    ("/pulls", {"state": "all", "head": "octo:none"}, 200),
    ("/pulls/77", {}, 404),
    ("/assignees/ann", {}, 204),
    ("/assignees/renovate[bot]", {}, 404),
    ("/security-advisories", {"state": "draft"}, 200),
]


@pytest.mark.parametrize(("path", "query", "status"), READS)
def test_reads(files: Api, path: str, query: dict[str, Any], status: int) -> None:
    assert files.github("GET", AT + path, **query).status == status


def test_commits_tell_who_changed_a_file(files: Api) -> None:
    def logins(**query: Any) -> list[str]:
        return [item["author"]["login"] for item in files.github("GET", f"{AT}/commits", **query).json]

    assert logins() == ["bo", "ann"]
    assert logins(path="src/a.py") == ["bo", "ann"]
    assert logins(path="src/b.py") == ["ann"]
    assert logins(path="src") == ["bo", "ann"]


def test_a_tree_and_a_file_name_the_same_blob(files: Api) -> None:
    listing = files.github("GET", f"{AT}/git/trees/main", recursive="1").json
    blobs = {entry["path"]: entry["sha"] for entry in listing["tree"] if entry["type"] == "blob"}
    assert set(blobs) == {"README.md", *FILES}
    file = files.github("GET", f"{AT}/contents/src/a.py").json
    assert (file["sha"], b64decode(file["content"])) == (blobs["src/a.py"], b"one more\n")
    assert {entry["path"] for entry in listing["tree"] if entry["type"] == "tree"} == {"src", "docs"}


def test_an_older_commit_can_be_read(files: Api) -> None:
    first = files.github("GET", f"{AT}/commits").json[-1]["sha"]
    old = files.github("GET", f"{AT}/contents/src/a.py", ref=first).json
    assert b64decode(old["content"]) == b"one\n"


def test_an_empty_repository(api: Api) -> None:
    api.control(repo="octo/new", files={"README.md": None})
    assert api.github("GET", "/repos/octo/new/commits").status == 409


def test_a_draft_pull_request_from_a_branch(files: Api) -> None:
    reply = propose(files)
    made = reply.json
    assert (reply.status, made["draft"], made["head"]["ref"], made["changed_files"]) == (
        201,
        True,
        "switchyard/1-x",
        1,
    )
    number = made["number"]
    asked = files.github("POST", f"{AT}/pulls/{number}/requested_reviewers", {"reviewers": ["ann"]})
    assert [person["login"] for person in asked.json["requested_reviewers"]] == ["ann"]
    found = files.github("GET", f"{AT}/pulls", state="all", head="octo:switchyard/1-x").json
    assert [pull["number"] for pull in found] == [number]
    assert files.github("GET", f"{AT}/pulls/{number}").json["base"]["ref"] == "main"
    # The default branch is as it was, and the list of issues has the pull request.
    assert b64decode(files.github("GET", f"{AT}/contents/src/a.py").json["content"]) == b"one more\n"
    assert "pull_request" in files.github("GET", f"{AT}/issues/{number}").json
    (opened,) = files.read("pulls")
    assert (opened["files"], opened["reviewers"]) == ({"src/a.py": "mended\n"}, ["ann"])


def test_a_second_pull_request_of_a_branch_is_refused(files: Api) -> None:
    assert [propose(files).status, propose(files).status] == [201, 422]
    assert len(files.read("pulls")) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"head": "none"}, "Validation Failed"), ({"base": "none"}, "Validation Failed")],
)
def test_pull_requests_that_are_refused(files: Api, changes: dict[str, Any], words: str) -> None:
    reply = propose(files, **changes)
    assert (reply.status, reply.json["message"]) == (422, words)


def test_a_repository_without_drafts(files: Api) -> None:
    files.control(repo=REPO, drafts=False)
    assert "not supported" in propose(files).json["message"]


WRITES: list[tuple[str, str, Any, int]] = [
    ("POST", "/git/blobs", {"content": "x"}, 201),
    ("POST", "/git/trees", {"tree": [], "base_tree": "absent"}, 404),
    ("POST", "/git/commits", {"message": "x", "tree": "absent"}, 422),
    ("POST", "/git/refs", {"ref": "refs/heads/main", "sha": "absent"}, 422),
    ("POST", "/git/refs", {"ref": "main", "sha": "absent"}, 422),
    ("DELETE", "/git/refs/heads/none", None, 422),
    ("POST", "/pulls/77/requested_reviewers", {"reviewers": ["ann"]}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
def test_writes(files: Api, method: str, path: str, body: Any, status: int) -> None:
    assert files.github(method, AT + path, body).status == status


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
def test_who_may_only_read_writes_nothing(files: Api, method: str, path: str, body: Any, status: int) -> None:
    files.control(repo=REPO, access="read")
    assert files.github(method, AT + path, body).status == 403


def test_who_cannot_be_assigned_is_dropped_without_a_word(files: Api) -> None:
    files.control(account={"login": "eve", "permission": "read", "repo": REPO})
    assert files.github("GET", f"{AT}/assignees/eve").status == 404
    reply = files.github("POST", f"{AT}/issues/2/assignees", {"assignees": ["eve", "ann"]})
    assert [person["login"] for person in reply.json["assignees"]] == ["ann"]


ADVISORY: dict[str, Any] = {
    "summary": "Traversal",
    "description": "…",
    "cve_id": "CVE-2026-1234",
    "cwe_ids": ["CWE-22"],
    "vulnerabilities": [{"package": {"ecosystem": "npm", "name": "widgets"}}],
}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"severity": "high"}, 201),
        ({"cvss_vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}, 201),
        ({"severity": "high", "cvss_vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}, 422),
        ({"severity": "dire"}, 422),
        ({"summary": ""}, 422),
        ({"vulnerabilities": [{"package": {"ecosystem": "cargo", "name": "x"}}]}, 422),
    ],
)
def test_draft_advisories(api: Api, changes: dict[str, Any], status: int) -> None:
    with api.app.wrong_on_purpose() if status == 422 else nullcontext():
        assert api.github("POST", f"{AT}/security-advisories", {**ADVISORY, **changes}).status == status
    listed = api.github("GET", f"{AT}/security-advisories", state="draft").json
    assert [one["summary"] for one in listed] == (["Traversal"] if status == 201 else [])
