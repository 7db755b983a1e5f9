"""The index of similar issues: what it finds, that it follows the table whatever happens, and who is never found."""

import random
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from bot.store import documents
from bot.store.cases import store_issues
from bot.store.database import Database
from bot.store.documents import Document
from bot.store.stories import take_in
from bot.think.similar import fill as fill_module
from bot.think.similar import index as similar_index
from bot.think.similar.index import Index, folder_of
from bot.think.similar.port import SimilarDocuments
from bot.think.similar.search import Query, find
from bot.think.similar.segment import FIELDS, Damaged, build, load, save
from models.case import Case, Route, StackTrace
from models.story import Story, ref_of
from models.tables import CaseRow, DocumentRow
from nodes.parse_stack_trace import ParseStackTrace
from nodes.text.search.terms import count_words, marks, pack
from tests.bot.run.test_run import bugs
from tests.bot.run.test_run import issue as remote
from tests.nodes.build import NOW, case, issue, run
from tests.nodes.test_parse_stack_trace import PYTHON

REPO = "octo/widgets"
DOCUMENTS: sa.Table = DocumentRow.__table__  # type: ignore[attr-defined]
Damage = Any


def folder(database: Database) -> Path:
    found = folder_of(database.url)
    assert found is not None
    return found


def terms(title: str, body: str = "", trace: str = "") -> bytes:
    return pack(count_words(title, body), marks(title, trace))


def document(number: int, title: str, body: str = "", **changes: Any) -> Document:
    made = Document(key=f"{REPO}#{number}", repo=REPO, title=title, url="u", terms=terms(title, body))
    return replace(made, **changes)


def put(database: Database, *found: Document) -> None:
    """As a batch or a look at the stories stores them."""
    with database.write() as connection:
        known = documents._known(connection, [one.key for one in found])
        documents._store(connection, found, known, time.time())


def shown(index: Index) -> set[str]:
    """The keys that can be found."""
    index.refresh()
    return {
        live.segment.tell(int(doc))[0]
        for live in index.lives
        for doc in np.flatnonzero(live.alive & (live.segment.seqs >= index.floor))
    }


def words_of(number: int) -> str:
    return f"word{number}x gadget{number % 7} falls over number{number}y"


# What is alike

TEXTS = {
    1: ("Upload of large files hangs at 99 percent", "The progress bar stops, then the server answers 504."),
    2: ("Dark theme for the settings page", "It is too bright at night. A theme switch would help."),
    3: ("Typo in the installation guide", "The guide says pip instal instead of install."),
    4: ("Exported calendar has the wrong time zone", "Events are two hours early in the exported file."),
    5: ("Importing a CSV with umlauts fails", "The importer stops with UnicodeDecodeError in reader.py."),
}
QUERIES: list[tuple[str, str, int | None, float, float]] = [
    (
        "Upload of large files hangs at 99 percent",
        "The progress bar stops; the server answers 504",
        1,
        0.92,
        1.0,
    ),
    (
        "Large file upload is hanging at 99 percent",
        "Progress bar stopped, server answered 504.",
        1,
        0.75,
        1.0,
    ),
    ("Uploading big files never ends", "The progress bar stops and the server answers 504.", 1, 0.3, 0.9),
    ("CSV import fails on umlauts", "UnicodeDecodeError in reader.py when importing", 5, 0.5, 1.0),
    ("Please add keyboard shortcuts", "I would like to save with a key.", None, 0.0, 0.3),
    ("Crash on start", "", None, 0.0, 0.3),
]


@pytest.mark.parametrize(("title", "body", "expected", "low", "high"), QUERIES)
def test_scores_mean_something(title: str, body: str, expected: int | None, low: float, high: float) -> None:
    port = SimilarDocuments(None)
    known = [issue(*TEXTS[number], number=number) for number in TEXTS]
    asked = issue(title, body, number=50)
    port.begin([*known, asked])
    for one in known:
        port.find(Case(issue=one))
    found = port.find(Case(issue=asked))
    if expected is None:
        assert all(one.score < high for one in found)
    else:
        assert found[0].ref == f"{REPO}#{expected}"
        assert low <= found[0].score <= high, found[0]


def test_siblings_are_no_duplicates() -> None:
    """They differ in the one word that counts."""
    port = SimilarDocuments(None)
    given = [
        issue(f"API docs: describe module {name}", "Part of #99", number=n) for n, name in enumerate("abc", 1)
    ]
    given += [
        issue(f"Describe the {name} module", "Its page is empty", number=9 + n)
        for n, name in enumerate(("clock", "socket", "thread"))
    ]
    port.begin(given)
    for one in given:
        assert all(
            similar.score < 0.9 for similar in port.find(Case(issue=one)) if "same" not in similar.reason
        )


@pytest.mark.parametrize(("fingerprint", "reason"), [("abc", "the same stack trace"), ("abd", ""), ("", "")])
def test_the_same_trace(fingerprint: str, reason: str) -> None:
    port = SimilarDocuments(None)

    def given(number: int, title: str, key: str) -> Case:
        trace = (
            StackTrace(language="Python", exception="KeyError", message="x", fingerprint=key) if key else None
        )
        return replace(case(title, number=number, route="bug"), trace=trace)

    first = given(1, "Saving does not work here", "abc")
    port.begin([first.issue])
    port.find(first)
    port.finish(first)
    second = given(2, "Everything broke this morning", fingerprint)
    port.begin([second.issue])
    found = port.find(second)
    assert [(one.ref, one.reason) for one in found] == ([(f"{REPO}#1", reason)] if reason else [])
    assert all(one.score >= 0.95 for one in found)


def test_only_older_ones_of_the_repository_and_elsewhere_less() -> None:
    port = SimilarDocuments(None)
    title, body = TEXTS[1]
    given = [
        issue(title, body, number=8),
        issue(title, body, number=6),
        issue(title, body, number=3, repo="octo/gadgets"),
    ]
    asked = issue(title, body, number=7)
    port.begin([*given, asked])
    for one in given:
        port.find(Case(issue=one))
    found = port.find(Case(issue=asked))
    assert [one.ref for one in found] == [f"{REPO}#6"]
    alone = issue(title, body, number=1, repo="octo/other")
    port.begin([*given, alone])
    for one in given:
        port.find(Case(issue=one))
    away = port.find(Case(issue=alone))
    assert away
    assert all(one.score <= 0.6 and "another repository" in one.reason for one in away)


def test_hostile_texts() -> None:
    texts = [
        "",
        "\x00" * 50,
        "a" * 100_000,
        "<!--" * 20_000,
        "é" * 9_000,
        "漢字" * 9_000,
        "\ud800 lone",
        "1 2 3",
    ]
    port = SimilarDocuments(None)
    given = [issue(text[:900], text, number=n) for n, text in enumerate(texts, 1)]
    port.begin(given)
    for one in given:
        port.find(Case(issue=one))
        assert port.finish(Case(issue=one)).terms is not None
    assert len(count_words("", "漢字の題名")) >= 3


# Who is found


def stored(database: Database, given: Case, status: str = "triaged") -> Case:
    """One case through the port and into the tables."""
    with closing(SimilarDocuments(database.url)) as port:
        port.begin([given.issue])
        port.find(given)
        done = port.finish(given)
    with database.write() as connection:
        connection.execute(sa.delete(CaseRow.__table__).where(CaseRow.__table__.c.key == done.issue.ref))  # type: ignore[attr-defined]
        row = {
            "key": done.issue.ref,
            "run_id": "r",
            "status": status,
            "route": done.route,
            "content_hash": "",
        }
        row |= {"own_labels": [], "detail": {}, "urgency": 0, "trace_key": "", "title": "", "url": ""}
        row |= {"failures": 0, "error": "", "updated_at": 0}
        connection.execute(sa.insert(CaseRow.__table__).values(**row))  # type: ignore[attr-defined]
        documents.add_cases(connection, [done], 1.0)
    return done


def found_by(database: Database, title: str, body: str, number: int = 99) -> list[str]:
    asked = issue(title, body, number=number)
    with closing(SimilarDocuments(database.url)) as port:
        port.begin([asked])
        return [one.ref for one in port.find(Case(issue=asked))]


def test_security_goes_and_comes_back(database: Database) -> None:
    for route, expected in (("bug", 1), ("security", 0), ("feature", 1), ("security", 0), ("needs_human", 1)):
        stored(database, case(*TEXTS[1], route=route, number=3))  # type: ignore[arg-type]
        assert len(found_by(database, *TEXTS[1])) == expected, route


def test_security_within_a_batch_is_not_found() -> None:
    port = SimilarDocuments(None)
    secret, other = case(*TEXTS[1], route="security", number=1), case(*TEXTS[1], route="bug", number=2)
    port.begin([secret.issue, other.issue])
    assert port.find(secret) == ()
    assert port.find(other) == ()
    assert port.finish(secret).terms == b""
    port.begin([issue(*TEXTS[1], number=3)])
    assert [one.ref for one in port.find(case(*TEXTS[1], route="bug", number=3))] == []


def test_the_same_trace_is_seen_within_a_batch() -> None:
    port = SimilarDocuments(None)
    texts = (
        f"Colours are gone\n```\n{PYTHON}```",
        f"It does not start any more since today\n```\n{PYTHON}```",
    )
    first, second = (
        run(ParseStackTrace(), case(f"Case {n}", text, "bug", number=n)) for n, text in enumerate(texts, 1)
    )
    port.begin([first.issue, second.issue])
    assert port.find(first) == ()
    assert [(one.ref, one.reason) for one in port.find(second)] == [
        ("octo/widgets#1", "the same stack trace")
    ]


def test_what_is_not_stored_yet_is_found_by_the_next_batch(database: Database) -> None:
    first, second = case(*TEXTS[1], route="bug", number=1), case(*TEXTS[1], route="bug", number=2)
    with closing(SimilarDocuments(database.url)) as port:
        port.begin([first.issue])
        port.find(first)
        port.finish(first)
        port.begin([second.issue])
        assert [one.ref for one in port.find(second)] == [f"{REPO}#1"]


def test_an_empty_index_is_connected_once(database: Database) -> None:
    with closing(SimilarDocuments(database.url)) as port:
        port.begin([])
        first = port._index
        port.begin([])
        assert port._index is first


def story(number: int, **changes: Any) -> Story:
    made = Story(
        id=number,
        created_at=NOW,
        updated_at=NOW,
        url=f"https://s/{number}",
        name=TEXTS[1][0],
        description=TEXTS[1][1],
    )
    return replace(made, **changes)


def seen(database: Database, *stories: Story) -> None:
    with database.write() as connection:
        documents.add_stories(connection, documents.read_stories(stories, frozenset({"github.com"})), 1.0)


LINK = (f"https://github.com/{REPO}/issues/3",)
STORIES: list[tuple[str, Route | None, dict[str, Any], list[str]]] = [
    ("of no issue", None, {}, ["shortcut:5"]),
    ("archived", None, {"archived": True}, []),
    ("labelled as security", None, {"labels": ("Security",)}, []),
    ("of an issue that nobody has seen", None, {"external_links": LINK}, [f"{REPO}#3"]),
    ("of an issue that is there", "bug", {"external_links": LINK}, [f"{REPO}#3"]),
    ("the bot's own, of an issue that is there", "bug", {"external_id": f"story:{REPO}#3"}, [f"{REPO}#3"]),
    ("of a security report", "security", {"external_links": LINK}, []),
    ("of one, typed otherwise", "security", {"external_links": (LINK[0].replace("octo", "OCTO"),)}, []),
    ("the bot's own, of a security report", "security", {"external_id": f"story:{REPO}#3"}, []),
]


@pytest.mark.parametrize(("what", "route", "fields", "expected"), STORIES, ids=[one[0] for one in STORIES])
@pytest.mark.parametrize("first", ["issue", "story"])
def test_stories(
    database: Database,
    what: str,
    route: Route | None,
    fields: dict[str, Any],
    expected: list[str],
    first: str,
) -> None:
    def meet_issue() -> None:
        if route is not None:
            stored(database, case(*TEXTS[1], route=route, number=3))

    steps = [meet_issue, lambda: seen(database, story(5, **fields))]
    for step in steps if first == "issue" else steps[::-1]:
        step()
    assert found_by(database, *TEXTS[1]) == expected
    # Seen once more, nothing changes.
    with database.read() as connection:
        before = documents.extent(connection)
    seen(database, story(5, **fields))
    with database.read() as connection:
        assert documents.extent(connection) == before
    # An issue's own story is not its duplicate.
    assert f"{REPO}#3" not in found_by(database, *TEXTS[1], number=3)


def test_a_story_lends_its_issue_end_and_estimate(database: Database) -> None:
    stored(database, case(*TEXTS[1], route="bug", number=3))
    seen(database, story(5, external_id=f"story:{REPO}#3", done=True, estimate=5))
    asked = issue(*TEXTS[1], number=9)
    with closing(SimilarDocuments(database.url)) as port:
        port.begin([asked])
        (one,) = port.find(Case(issue=asked))
    assert (one.ref, one.done, one.estimate, one.url) == (f"{REPO}#3", True, 5, issue(number=3).html_url)


@pytest.mark.parametrize(
    ("fields", "route", "left"),
    [
        ({}, None, []),
        ({"external_links": LINK}, None, []),
        ({"external_links": LINK}, "bug", [f"{REPO}#3"]),
        ({"external_id": f"story:{REPO}#3"}, "bug", [f"{REPO}#3"]),
    ],
)
def test_a_story_that_is_deleted_goes(
    database: Database, fields: dict[str, Any], route: Route | None, left: list[str]
) -> None:
    if route is not None:
        stored(database, case(*TEXTS[1], route=route, number=3))
    told = story(5, **fields)
    seen(database, told)
    with database.write() as connection:
        ref = ref_of(told, frozenset({"github.com"}))
        take_in(connection, [(told, ref)] if ref else [], None)
    assert found_by(database, *TEXTS[1])
    with database.write() as connection:
        documents.remove_stories(connection, [5, 6], 2.0)
    assert found_by(database, *TEXTS[1]) == left


async def test_issues_of_a_version_that_kept_no_documents_are_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fill_module, "PART", 2)
    for number, route in enumerate(("bug", "security", "docs", "feature", "needs_human"), start=3):
        stored(database, case(*TEXTS[1], route=route, number=number))  # type: ignore[arg-type]
    stored(database, case("", "", route="bug", number=9))
    with database.write() as connection:
        connection.execute(sa.delete(DOCUMENTS))
        rows = [case(*TEXTS[1], number=number).issue for number in range(3, 9)]
        store_issues(connection, "run-1", [*rows, case("", "", number=9).issue])
    assert await fill_module.fill(database, 0.0) == 0
    assert await fill_module.fill(database, 60.0) == 5
    # Neither the security report nor one that was never triaged.
    assert sorted(found_by(database, *TEXTS[1])) == [f"{REPO}#{number}" for number in (3, 5, 6, 7)]
    assert await fill_module.fill(database, 60.0) == 0


def test_what_is_deleted_goes(database: Database) -> None:
    stored(database, case(*TEXTS[1], route="bug", number=3))
    with database.write() as connection:
        documents.remove(connection, [f"{REPO}#3", f"{REPO}#4"])
    assert found_by(database, *TEXTS[1]) == []


# The files


def test_it_follows_the_table(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any changes, seen by two processes at any moments, with files merged all the time: both show what is there."""
    monkeypatch.setattr(similar_index, "FLUSH", 8)
    monkeypatch.setattr(similar_index, "PART", 16)
    monkeypatch.setattr(documents, "KEPT", 60)
    monkeypatch.setattr(documents, "_TRIM_EVERY", 20)
    rng = random.Random(7)
    model: dict[str, Document] = {}
    one, two = (Index(database, folder(database)) for _ in range(2))
    for turn in range(250):
        some = [rng.randrange(120) for _ in range(rng.randrange(1, 9))]
        changes = [document(n, f"{words_of(n)} turn{turn}z") for n in dict.fromkeys(some)]
        changes = [replace(c, terms=b"") if rng.random() < 0.3 else c for c in changes]
        put(database, *changes)
        model |= {change.key: change for change in changes}
        for view in (one, two):
            if rng.random() < 0.4:
                view.refresh()
        if turn % 10 == 0:
            with database.read() as connection:
                kept = {d.key for d in documents.after(connection, 0, 10_000) if d.terms}
            assert kept <= {key for key, value in model.items() if value.terms}
            assert shown(one) == shown(two) == kept
            assert shown(Index(database, folder(database))) == kept
    assert len(list(folder(database).glob("*.segment"))) < 8
    assert len(kept) <= 60 + 20


def test_a_merged_index_finds_what_a_fresh_one_finds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar_index, "FLUSH", 8)
    for start in range(0, 90, 3):
        put(database, *(document(n, words_of(n), "some body text") for n in range(start, start + 3)))
        Index(database, folder(database)).refresh()
    followed = Index(database, folder(database))
    followed.refresh()
    with database.read() as connection:
        whole = build(documents.after(connection, 0, 1_000))
    for number in range(0, 90, 5):
        query = Query.of(REPO, 200, terms(words_of(number)))
        ways = (followed.lives, [similar_index.Live.whole(whole)])
        results = [[(h.tell()[0], round(h.cosine, 9)) for h in find(lives, query)][:1] for lives in ways]
        assert results[0] == results[1] == [(f"{REPO}#{number}", results[0][0][1])]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


DAMAGES: list[tuple[str, str, Damage]] = [
    ("a file is cut", "*.segment", cut),
    ("a bit is flipped", "*.segment", flip),
    ("a file is empty", "*.segment", lambda path: path.write_bytes(b"")),
    ("a file is gone", "*.segment", lambda path: path.unlink()),
    ("the manifest is gone", "manifest.json", lambda path: path.unlink()),
    ("the manifest is cut", "manifest.json", cut),
    (
        "the manifest is nonsense",
        "manifest.json",
        lambda path: path.write_text('{"format": 1, "segments": [3]}'),
    ),
    ("the manifest is a list", "manifest.json", lambda path: path.write_text("[]")),
    ("the lock is left", "lock", lambda path: path.write_text("stale")),
]


@pytest.mark.parametrize(("what", "name", "damage"), DAMAGES, ids=[one[0] for one in DAMAGES])
def test_damage_costs_time_and_nothing_else(
    database: Database, monkeypatch: pytest.MonkeyPatch, what: str, name: str, damage: Damage
) -> None:
    monkeypatch.setattr(similar_index, "FLUSH", 8)
    put(database, *(document(n, words_of(n)) for n in range(40)))
    expected = {f"{REPO}#{n}" for n in range(40)}
    old = Index(database, folder(database))
    assert shown(old) == expected
    (path, *_) = folder(database).glob(name)
    damage(path)
    assert shown(Index(database, folder(database))) == expected
    put(database, document(50, words_of(50)))
    assert shown(old) == shown(Index(database, folder(database))) == expected | {f"{REPO}#50"}


@pytest.mark.parametrize("step", ["save", "fsync", "replace", "publish"])
def test_an_end_at_any_step_leaves_a_valid_index(
    database: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(similar_index, "FLUSH", 8)
    put(database, *(document(n, words_of(n)) for n in range(20)))
    Index(database, folder(database)).refresh()
    put(database, *(document(n, words_of(n)) for n in range(20, 40)))

    class Killed(BaseException):
        """As a kill, it is caught by nobody."""

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if step == "save":
            patch.setattr(similar_index, "save", die)
        elif step == "fsync":
            patch.setattr("os.fsync", die)
        elif step == "replace":
            patch.setattr(Path, "replace", die)
        else:
            patch.setattr(Index, "_show", die)
        with pytest.raises(Killed):
            Index(database, folder(database)).refresh()
    expected = {f"{REPO}#{n}" for n in range(40)}
    assert shown(Index(database, folder(database))) == expected
    put(database, *(document(n, words_of(n)) for n in range(40, 60)))
    assert len(shown(Index(database, folder(database)))) == 60
    assert len(list(folder(database).glob("*.segment"))) <= 3


def test_a_full_disk_is_no_error(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar_index, "FLUSH", 8)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(similar_index, "save", full)
    put(database, *(document(n, words_of(n)) for n in range(30)))
    assert len(shown(Index(database, folder(database)))) == 30


def test_another_database_at_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar_index, "FLUSH", 4)
    for round_ in range(2):
        made = Database(f"sqlite:///{tmp_path}/bot.db")
        made.require_schema()
        put(made, *(document(n + 100 * round_, words_of(n)) for n in range(20)))
        assert shown(Index(made, folder(made))) == {f"{REPO}#{n + 100 * round_}" for n in range(20)}
        made.dispose()
        # Emptied in place, the file keeps its inode.
        with Database(made.url).write() as connection:
            connection.execute(sa.text("DELETE FROM documents"))


def test_many_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One writes to the table while four follow and keep files."""
    monkeypatch.setattr(similar_index, "FLUSH", 16)
    done, errors = threading.Event(), []

    def follow() -> None:
        view = Index(database, folder(database))
        try:
            while not done.is_set():
                view.refresh()
            assert len(shown(view)) == 300
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 300, 5):
        put(database, *(document(n, words_of(n)) for n in range(start, start + 5)))
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []


def test_files_say_what_they_are(tmp_path: Path) -> None:
    segment = build([document(n, words_of(n), "x" * n, seq=n) for n in range(1, 50)])
    checksum = save(segment, tmp_path / "one")
    again = load(tmp_path / "one", checksum)
    assert again.tell(7) == segment.tell(7)
    assert all(np.array_equal(getattr(again, name), getattr(segment, name)) for name in FIELDS)
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0
    with pytest.raises(Damaged):
        load(tmp_path / "one", checksum + 1)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///var/bot.db", "var/index"),
        ("sqlite:////data/x.db", "/data/index"),
        ("postgresql://user:secret@host/bot", "var/index"),
        ("sqlite://", None),
    ],
)
def test_where_the_files_lie(url: str, expected: str | None) -> None:
    found = folder_of(url)
    assert (str(found.parent) if found else None) == expected
    assert found is None or "secret" not in str(found)


def numbers(database: Database) -> Sequence[int]:
    with database.read() as connection:
        return [one.seq for one in documents.after(connection, 0, 100)]


def test_a_number_is_never_given_twice(database: Database) -> None:
    put(database, document(1, "one two three"))
    put(database, document(1, "one two four"))
    put(database, document(1, "one two five"), document(2, "six"))
    assert numbers(database) == [3, 4]
    put(database, document(2, "six"))
    assert numbers(database) == [3, 4]


# The whole program


def test_a_run_names_likely_duplicates(tmp_path: Path) -> None:
    """In a batch, over runs, in public only what is public; an issue that is deleted is named no more."""
    title, body = TEXTS[1]
    other = "octo/private"
    given = [
        remote(1, title=title, body=body),
        remote(2, title=title, body=body),
        remote(1, repo=other, title=title, body=body),
    ]
    with bugs(tmp_path, given) as world:
        world.run("run", "--json")
        comments = {(one["repo"], one["number"]): one["body"] for one in world.listed("comments")}
        assert "may be the same as #1." in comments[REPO, 2]
        assert all(other not in text for (repo, _), text in comments.items() if repo == REPO)
        stories = {one["external_id"]: one["description"] for one in world.listed("stories")}
        assert f"[{REPO}#1: {title}]" in stories[f"story:{REPO}#2"]
        assert "Possibly the same" not in stories[f"story:{REPO}#1"]
        with world.reading() as connection:
            assert {d.key for d in documents.after(connection, 0, 9)} == {
                f"{REPO}#1",
                f"{REPO}#2",
                f"{other}#1",
            }
        world.assert_contracts()
