"""What people teach: corrections out of labels, whose labels count, and training on both."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.app.app import build, close
from bot.learn.dataset import lesson_of
from bot.learn.retrain import retrain
from bot.store import cases, learning
from bot.store.database import Database
from bot.store.learning import Correction, LabelEvent
from config.load import load
from models.case import Case, Decision
from models.issue import Issue
from models.router.inference.store import Store
from models.router.inference.text import Text
from models.router.training import train
from models.router.training.base import load_base
from models.tables import METADATA
from tests.models.router import corpus
from tests.models.router.training.test_train import model_of
from tests.nodes.build import REPO, issue, prediction
from tests.world import World

NOW = 1_800_000_000.0


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened


def routed(of: Issue, route: str = "bug", by: str = "model") -> Case:
    said = prediction("bug", 0.9, model="m1")
    decision = Decision(route=route, confidence=0.9, accepted=True, by=by, prediction=said)  # type: ignore[arg-type]
    return Case(issue=of, decision=decision)


def store(connection: Connection, *found: Case, now: float = NOW) -> None:
    cases.store_cases(connection, "r1", found, now)


def said(connection: Connection) -> list[tuple[str, str]]:
    return [(c.before, c.after) for c in learning.corrections(connection)]


def counted(connection: Connection) -> tuple[int, int, int]:
    rows = learning.days(connection, 0)
    return (
        sum(r.decided for r in rows),
        sum(r.abstained for r in rows),
        sum(r.corrected for r in rows),
    )


@pytest.mark.filterwarnings("ignore:autogenerate skipping:UserWarning")
def test_the_migrations_make_the_tables(connection: Connection) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def is_shown(made: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
        # SQLite does not tell that a column of an index is sorted downwards; the golden tables name the index.
        return not (kind == "index" and name == "cases_report" and connection.dialect.name == "sqlite")

    context = MigrationContext.configure(connection, opts={"include_object": is_shown})
    assert compare_metadata(context, METADATA) == []


def test_a_persons_label_corrects_what_the_model_said(connection: Connection) -> None:
    store(connection, routed(issue()))
    store(connection, routed(issue(labels=("enhancement",)), "feature", "label"))
    assert said(connection) == [("bug", "feature")]
    assert counted(connection) == (1, 0, 1)


@pytest.mark.parametrize(
    ("first", "second", "corrections", "counts"),
    [
        # The same word is no correction.
        (("bug", "model"), ("bug", "label"), [], (1, 0, 0)),
        # A person answers what was left open: something to learn, and nobody was wrong.
        (("needs_human", "model"), ("docs", "label"), [("needs_human", "docs")], (1, 1, 0)),
        (("needs_human", "model"), ("needs_human", "label"), [("needs_human", "question")], (1, 1, 0)),
        # A label or a rule was never the model's word.
        (("bug", "label"), ("feature", "label"), [], (0, 0, 0)),
        (("bug", "rule"), ("feature", "label"), [], (0, 0, 0)),
        # The screen may be wrong as well.
        (("security", "screen"), ("bug", "label"), [("security", "bug")], (1, 0, 1)),
    ],
)
def test_what_is_a_correction(
    connection: Connection,
    first: tuple[str, str],
    second: tuple[str, str],
    corrections: list[tuple[str, str]],
    counts: tuple[int, int, int],
) -> None:
    store(connection, routed(issue(), *first))
    store(connection, routed(issue(labels=("x",)), *second))
    assert said(connection) == corrections
    assert counted(connection) == counts


def test_triage_again_counts_no_decision_twice(connection: Connection) -> None:
    store(connection, routed(issue()))
    store(connection, routed(issue()), now=NOW + 86_400)
    assert counted(connection) == (1, 0, 0)
    store(connection, routed(issue(title="Now it says something else")), now=NOW + 86_400)
    assert counted(connection) == (2, 0, 0)


def labelled(number: int, *labels: str, **changes: Any) -> Issue:
    return replace(issue(number=number, labels=labels), **changes)


def lesson(connection: Connection, login: str | None = "bot-account") -> dict[str, str]:
    rows = lesson_of(connection, [REPO], login, None).rows
    return {row.text.title: row.label for row in rows}


def test_only_labels_of_people_are_learnt(connection: Connection) -> None:
    found = [
        labelled(1, "bug", title="by a person"),
        labelled(2, "bug", title="by another bot"),
        labelled(3, "bug", title="by this bot"),
        labelled(4, "bug", title="by the account of this bot, but not by it"),
        labelled(5, "bug", title="by nobody knows whom"),
        labelled(6, "enhancement", "bug", title="a person disagrees with a bot"),
        labelled(7, "needs triage", title="no route"),
        labelled(8, "kind/docs", title="another spelling"),
        labelled(9, "question", title="a question"),
        labelled(10, "bug", "security", title="a vulnerability"),
    ]
    learning.store_examples(connection, REPO, found, NOW)
    people = [(1, "bug", "ann"), (6, "enhancement", "ann"), (8, "kind/docs", "ann"), (9, "question", "ann")]
    people += [(3, "bug", "bot-account"), (4, "Bug", "bot-account"), (7, "needs triage", "ann")]
    people += [(10, "bug", "ann"), (10, "security", "ann")]
    bots = [(2, "bug", "stale[bot]"), (6, "bug", "stale[bot]")]
    events = [LabelEvent(number, label, login, False, NOW) for number, label, login in people]
    events += [LabelEvent(number, label, login, True, NOW) for number, label, login in bots]
    learning.store_events(connection, REPO, events, events_done=9)
    store(connection, routed(issue(number=3)))
    cases_table = METADATA.tables["cases"]
    connection.execute(sa.update(cases_table).values(own_labels=["bug"]))
    assert lesson(connection) == {
        "by a person": "bug",
        "by the account of this bot, but not by it": "bug",
        "a person disagrees with a bot": "feature",
        "another spelling": "docs",
        "a question": "question",
        "a vulnerability": "security",
    }
    notes = " / ".join(lesson_of(connection, [REPO], "bot-account", None).notes)
    assert "2 issues left out: only a bot set their label" in notes
    assert "1 issues left out: GitHub does not tell who set their label" in notes
    assert "1 issues left out: none of their labels names a route" in notes
    mapped = lesson_of(connection, [REPO], "bot-account", {"needs triage": "question"}).rows
    assert "no route" in {row.text.title for row in mapped}


def test_a_label_that_a_person_puts_back_counts(connection: Connection) -> None:
    learning.store_examples(connection, REPO, [labelled(1, "bug", title="it")], NOW)
    for at, login, bot in ((1.0, "stale[bot]", True), (2.0, "ann", False)):
        learning.store_events(connection, REPO, [LabelEvent(1, "bug", login, bot, at)], events_done=int(at))
    learning.store_events(connection, REPO, [LabelEvent(1, "bug", "stale[bot]", True, 0.5)], events_done=3)
    assert lesson(connection) == {"it": "bug"}
    # Without a label it teaches nothing any more.
    learning.store_examples(connection, REPO, [labelled(1, title="it")], NOW)
    assert lesson(connection) == {}


def test_the_last_corrector_wins_and_disagreement_is_counted(connection: Connection) -> None:
    learning.store_examples(connection, REPO, [labelled(1, "bug", title="it")], NOW)
    learning.store_events(connection, REPO, [LabelEvent(1, "bug", "ann", False, NOW)], events_done=1)
    for at, after in ((1.0, "feature"), (2.0, "docs")):
        learning.record(
            connection, Correction(f"{REPO}#1", "bug", after, "ann", "label", at), {"model": "m1"}
        )
    found = lesson_of(connection, [REPO], None, None)
    ((row),) = found.rows
    assert (row.label, row.weight) == ("docs", 5.0)
    assert found.sources == {REPO: 1, "corrections": 1, "disagreements": 1}
    assert counted(connection) == (0, 0, 2)


def speak(connection: Connection, after: str, at: float) -> None:
    before = connection.execute(sa.select(cases._cases).where(cases._cases.c.key == f"{REPO}#7")).one()
    word = Correction(f"{REPO}#7", before.route, after, "ann", "comment", at)
    learning.record(connection, word, before.detail, ("good first issue",))


def test_words_and_labels_are_all_kept_in_their_order(connection: Connection) -> None:
    store(connection, routed(issue()))
    speak(connection, "feature", NOW + 1)
    told = learning.told(connection, [f"{REPO}#7", f"{REPO}#8"])
    (word,) = told.values()
    assert (word.route, word.person, word.via, word.labels) == (
        "feature",
        "ann",
        "comment",
        ("good first issue",),
    )
    assert word.number == learning.last(connection, f"{REPO}#7").id  # type: ignore[union-attr]
    store(connection, routed(issue(), "feature", "person"), now=NOW + 2)
    # A label, another label, and a word again; a person's word was no mistake of the model's.
    store(connection, routed(issue(labels=("bug",)), "bug", "label"), now=NOW + 3)
    store(connection, routed(issue(labels=("docs",)), "docs", "label"), now=NOW + 4)
    store(connection, routed(issue(labels=("docs",)), "docs", "label"), now=NOW + 5)
    speak(connection, "question", NOW + 6)
    assert [after for _, after in said(connection)] == ["feature", "bug", "docs", "question"]
    assert counted(connection) == (1, 0, 1)
    assert learning.told(connection, [f"{REPO}#7"])[f"{REPO}#7"].route == "question"


@pytest.mark.parametrize("of", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_what_was_corrected_is_predicted_as_corrected(connection: Connection, of: int) -> None:
    """However many rows speak against it, and whoever spoke last."""
    against = issue("The kettle crashes when I open it", "Traceback, error, crash.", number=900)
    cases.store_copies(connection, "r1", [against])
    for at, after in ((NOW, "feature"), (NOW + 1, "docs")):
        learning.record(
            connection, Correction(against.ref, "bug", after, "ann", "slack", at), {"model": "m1"}
        )
    lesson = lesson_of(connection, [REPO], None, None)
    assert lesson.sources == {REPO: 0, "corrections": 1, "disagreements": 1}
    rows = [*corpus.many(of), *lesson.rows]
    trained = train.train(rows, *load_base(), lesson.sources)
    text = Text(REPO, against.title, against.body)
    assert load_base()[0].predict([text])[0].route == "bug"
    assert model_of(trained).predict([text])[0].route == "docs"
    assert trained.card["sources"]["disagreements"] == 1


USUAL = {"feature": "enhancement", "docs": "documentation"}
OWN = {"feature": "documentation", "docs": "enhancement"}
"""A team with its own idea of what is what: only its own labels can teach it."""


def seeds(count: int = 120, names: Mapping[str, str] = USUAL) -> list[dict[str, object]]:
    """Labelled issues, labelled by people, every other one closed."""
    return [
        {
            "repo": REPO,
            "number": number,
            "title": f"{row.text.title} ({number})",
            "body": row.text.body,
            "labels": [names.get(row.label, row.label)],
            "state": "closed" if number % 2 else "open",
            "created_at": row.created_at,
        }
        for number, row in enumerate(corpus.rows(count), start=1)
    ]


@pytest.mark.slow
def test_training_on_the_repositories(tmp_path: Path) -> None:
    found = seeds()
    found[0]["labelled_by"] = "stale[bot]"
    with World(tmp_path, found) as world:
        world.set("repositories", REPO)

        def requests() -> int:
            return sum(world.state()["requests"]["github"]["by_route"].values())

        trained = world.run("router", "train", "--json")
        assert trained.code == 0, trained.err
        card = trained.json
        assert card["sources"] == {REPO: len(found) - 1, "corrections": 0, "disagreements": 0}
        assert "1 issues left out: only a bot set their label" in trained.err
        first = requests()
        # An issue comes; the bot has its say; a person says otherwise.
        strange = {
            "repo": REPO,
            "number": 900,
            "title": "Zebra stripes upside down",
            "body": "See the picture.",
        }
        world.control(issue=strange)
        assert world.run("run", "--json").json["failed"] == 0
        world.control(issue={"repo": REPO, "number": 900, "labels": ["documentation"], "by": "ann"})
        assert world.run("run", "--json").json["failed"] == 0
        before = requests()
        again = world.run("router", "train", "--json")
        assert again.code == 0, again.err
        assert again.json["sources"]["corrections"] == 1
        # Only what is new is read: who we are, one page of issues, one of events.
        assert requests() - before <= 4 < first
        assert world.run("router", "promote", again.json["version"], "--force").code == 0
        explained = world.run("router", "explain", f"{REPO}#900", "--json")
        assert explained.code == 0, explained.err
        assert explained.json["route"] == "docs"
        weeks = world.run("router", "drift", "--json").json["weeks"]
        assert weeks[0]["decided"] == 1
        world.assert_contracts()


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    with World(tmp_path, [{"repo": REPO, "number": 1, "title": "Only one", "labels": ["bug"]}]) as world:
        refused = world.run("router", "train")
        assert refused.code == 2
        assert "too little to train on" in refused.err
        world.set("repositories", "")
        refused = world.run("router", "train")
        assert refused.code == 2
        assert "no repositories to learn from" in refused.err


async def test_the_schedule_proposes_and_promotes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with World(tmp_path, seeds(160, OWN)) as world:
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
        app = build(load(None))
        try:
            version = await retrain(app, datetime(2026, 11, 22, 4, tzinfo=UTC))
            assert version is not None
            assert Store().active() == "builtin"
            with app.database.read() as opened:
                (text,) = opened.execute(
                    sa.select(METADATA.tables["commands"].c.payload).where(
                        METADATA.tables["commands"].c.key == "model:2026-11-22"
                    )
                ).scalars()
            assert f"switchyard router promote {version}" in text["text"]
            # Nothing new: no second model, no second message.
            assert await retrain(app, datetime(2026, 11, 29, 4, tzinfo=UTC)) is None
            assert len(Store().versions()) == 2
        finally:
            await close(app)
        world.assert_contracts()
