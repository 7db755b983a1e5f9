"""The outbox: what storing a command means, what waits for what, and what an answer does to it."""

import time
from dataclasses import replace
from typing import Any

import pytest

from bot.store import adoption, lane_states, outbox, queue, runs
from bot.store.database import Database
from bot.store.outbox import Outcome
from models.commands import Command, Pending, add_labels, create_story, move_story, write_comment

REF = "octo/widgets#1"
NOW = 1_800_000_000.0


def story(name: str = "A story") -> Command:
    return create_story(
        REF,
        name=name,
        description="",
        story_type="bug",
        labels=[],
        external_link="https://example.invalid/1",
    )


def store(database: Database, *commands: Command, run: str = "r1", now: float = NOW) -> dict[str, str]:
    with database.write() as connection:
        return outbox.store(connection, run, commands, now)


def due(database: Database, lane: str, now: float = NOW) -> list[Pending]:
    with database.read() as connection:
        return outbox.due(connection, lane, now, 100)


def save(database: Database, pending: Pending, now: float = NOW, **outcome: Any) -> set[str]:
    made = Outcome(key=pending.key, issue=pending.command.issue, payload_hash=pending.payload_hash, **outcome)
    with database.write() as connection:
        return outbox.save(connection, [made], now)


def test_the_same_wish_is_stored_once(database: Database) -> None:
    assert store(database, story(), add_labels(REF, ["bug"])) == {
        f"story:{REF}": "new",
        f"labels:{REF}": "new",
    }
    assert set(store(database, story(), add_labels(REF, ["bug"])).values()) == {"waiting"}
    for lane in ("shortcut", "github"):
        (pending,) = due(database, lane)
        save(database, pending, answer={"labels": ["bug"]})
    assert set(store(database, story(), add_labels(REF, ["bug"])).values()) == {"existing"}
    assert not due(database, "shortcut") and not due(database, "github")


def test_a_story_that_exists_is_never_changed_and_labels_know_those_of_before(database: Database) -> None:
    store(database, story(), add_labels(REF, ["bug"]))
    save(database, due(database, "shortcut")[0], answer={"id": 1})
    save(database, due(database, "github")[0], answer={"labels": ["bug"]})
    assert store(database, story("Another name"))[f"story:{REF}"] == "existing"
    assert store(database, add_labels(REF, ["Bug", "priority: high"]))[f"labels:{REF}"] == "changed"
    (labels,) = due(database, "github")
    assert labels.payload["labels"] == ["Bug", "priority: high"]
    assert labels.last_answer == {"labels": ["bug"]}


def move(label: str = "feature", story_type: str | None = "feature") -> Command:
    return move_story(REF, route=label, story_type=story_type, label=label, instead_of=["bug"])


def test_no_labels_are_a_wish_only_where_some_were_given(database: Database) -> None:
    assert store(database, add_labels(REF, [])) == {f"labels:{REF}": "existing"}
    store(database, add_labels(REF, ["bug"]))
    save(database, due(database, "github")[0], answer={"labels": ["bug"]})
    assert store(database, add_labels(REF, [])) == {f"labels:{REF}": "changed"}


def test_a_story_moves_only_where_it_stands_otherwise(database: Database) -> None:
    key = f"move:{REF}"
    made = replace(story(), payload={**story().payload, "labels": ["bug"]})
    assert store(database, move())[key] == "existing", "no story"
    assert store(database, made, move())[key] == "existing", "not made yet: it is made as it should be"
    save(database, due(database, "shortcut")[0], answer={"id": 1, "labels": ["bug"]})
    assert store(database, made, move("bug", "bug"))[key] == "existing", "made just so"
    assert store(database, made, move("bug", None))[key] == "existing"
    with database.read() as connection:
        assert outbox.preview(connection, [made, move("bug", "bug")])[key] == "existing"
        assert outbox.preview(connection, [made, move()])[key] == "new"
    assert store(database, made, move())[key] == "new"
    (first,) = due(database, "shortcut")
    assert first.answers == {f"story:{REF}": {"id": 1, "labels": ["bug"]}}
    save(database, first, answer={"id": 1, "labels": ["feature"]})
    assert store(database, made, move())[key] == "existing", "it was moved"
    assert store(database, made, move("bug", "bug"))[key] == "changed", "and back"
    assert due(database, "shortcut")[0].last_answer == {"id": 1, "labels": ["feature"]}


def test_an_answer_in_the_comment_outlives_a_new_text(database: Database) -> None:
    store(database, write_comment(REF, "one", reply="because", status="Status: Done."))
    save(database, due(database, "github")[0], answer={"comment_id": 7})
    assert store(database, write_comment(REF, "one"))[f"comment:{REF}"] == "existing"
    assert store(database, write_comment(REF, "two"))[f"comment:{REF}"] == "changed"
    (edit,) = due(database, "github")
    assert edit.payload == {
        "body": "two",
        "with_story": False,
        "reply": "because",
        "status": "Status: Done.",
    }
    assert store(database, write_comment(REF, "two", reply="x" * 9_000))[f"comment:{REF}"] == "changed"
    assert len(due(database, "github")[0].payload["reply"]) == 3_000


def test_a_comment_is_edited_with_the_answer_of_the_first(database: Database) -> None:
    store(database, write_comment(REF, "one"))
    save(database, due(database, "github")[0], answer={"comment_id": 7})
    assert store(database, write_comment(REF, "two"))[f"comment:{REF}"] == "changed"
    assert due(database, "github")[0].last_answer == {"comment_id": 7}


def test_a_comment_that_a_person_deleted_stays_deleted(database: Database) -> None:
    store(database, write_comment(REF, "one"))
    save(database, due(database, "github")[0], answer={"comment_id": 7, "removed": True})
    assert store(database, write_comment(REF, "two"))[f"comment:{REF}"] == "existing"


def test_what_needs_the_story_waits_for_it_and_for_nothing_else(database: Database) -> None:
    store(database, story(), add_labels(REF, ["bug"]), write_comment(REF, "text", with_story=True))
    (labels,) = due(database, "github")
    assert save(database, labels, answer={"labels": ["bug"]}) == set(), "a label releases no comment"
    assert not due(database, "github")
    assert save(database, due(database, "shortcut")[0], answer={"id": 1, "url": "u"}) == {"github"}
    (comment,) = due(database, "github")
    assert comment.answers[f"story:{REF}"] == {"id": 1, "url": "u"}


@pytest.mark.parametrize("end", ["sent", "dead", "discarded"])
def test_what_waits_goes_on_however_the_story_ended(database: Database, end: str) -> None:
    store(database, story())
    (pending,) = due(database, "shortcut")
    if end == "discarded":
        with database.write() as connection:
            assert queue.discard(connection, pending.key)
    else:
        save(database, pending, **({"answer": {"id": 1}} if end == "sent" else {"error": "no"}))
    # Asked for afterwards, the comment finds nothing to wait for.
    store(database, write_comment(REF, "text", with_story=True))
    assert [p.key for p in due(database, "github")] == [f"comment:{REF}"]


def test_a_payload_that_changed_on_its_way_is_sent_too(database: Database) -> None:
    store(database, add_labels(REF, ["bug"]))
    (old,) = due(database, "github")
    store(database, add_labels(REF, ["enhancement"]), run="r2")
    save(database, old, answer={"labels": ["bug"]})
    (new,) = due(database, "github", NOW + 1)
    assert new.payload["labels"] == ["enhancement"]


def test_a_story_that_changed_on_its_way_is_not_made_twice(database: Database) -> None:
    store(database, story("old"))
    (old,) = due(database, "shortcut")
    store(database, story("new"), run="r2")
    save(database, old, answer={"id": 1})
    assert not due(database, "shortcut", NOW + 1)


def test_the_grace_of_an_uncertain_request_counts_from_its_failure(database: Database) -> None:
    store(database, story())
    (pending,) = due(database, "shortcut")
    with database.write() as connection:
        outbox.mark(connection, [pending.key], NOW)
    save(database, pending, NOW + 30, again_at=NOW + 31, error="late", tried=True, uncertain=True)
    (again,) = due(database, "shortcut", NOW + 31)
    assert again.maybe_sent_at is not None and again.maybe_sent_at.timestamp() == NOW + 30
    assert again.attempts == 1 and again.failures == 0


def test_a_batch_that_this_process_forgot_is_claimed_again(database: Database) -> None:
    with database.write() as connection:
        runs.create(connection, "r1", "cli", {}, "me")
        runs.add_batches(connection, "r1", 0, [["a/b#1"], ["a/b#2"]])
        first = runs.claim(connection, "me", ["me"])
        assert first is not None and first.number == 0
        second = runs.claim(connection, "me", ["me"], [("r1", 0)])
        assert second is not None and second.number == 1
        assert runs.claim(connection, "me", ["me"], [("r1", 0), ("r1", 1)]) is None
        assert runs.claim(connection, "other", ["me", "other"]) is None
        forgotten = runs.claim(connection, "me", ["me"], [("r1", 1)])
        assert forgotten is not None and forgotten.number == 0
        assert runs.claim(connection, "other", ["other"]) is not None, "a dead owner's are taken"


def test_only_one_process_holds_a_lane(database: Database) -> None:
    with database.write() as connection:
        assert lane_states.acquire(connection, "github", "a", ["a", "b"])
        assert lane_states.acquire(connection, "github", "b", ["a", "b"]) is None
        assert lane_states.acquire(connection, "github", "b", ["b"]) == 2, "the holder died"
        lane_states.release(connection, "github", 1)
        assert lane_states.acquire(connection, "github", "a", ["a", "b"]) is None, (
            "an old token releases nothing"
        )
        lane_states.release(connection, "github", 2)
        assert lane_states.acquire(connection, "github", "a", ["a", "b"]) == 3


def test_a_token_is_good_until_the_lane_is_taken_again(database: Database) -> None:
    with database.write() as connection:
        token = lane_states.acquire(connection, "github", "a", ["a"]) or 0
        assert lane_states.holds(connection, "github", token)
        lane_states.acquire(connection, "github", "b", ["b"])
        assert not lane_states.holds(connection, "github", token)
        assert adoption.leaving(connection, "github", token, [f"story:{REF}"], time.time()) is None


def test_retry_and_discard_touch_only_what_is_there(database: Database) -> None:
    store(database, story(), now=time.time())
    with database.write() as connection:
        assert queue.retry(connection, "story:none") == 0
        assert queue.retry(connection, f"story:{REF}") == 1
        assert not queue.discard(connection, "story:none")
        assert queue.discard(connection, f"story:{REF}")
        assert queue.retry(connection, None) == 0
    assert store(database, story())[f"story:{REF}"] == "existing", "what a person dropped stays dropped"


def test_dropping_a_runs_commands_leaves_what_may_have_left(database: Database) -> None:
    other = "octo/widgets#2"
    store(database, story(), add_labels(REF, ["bug"]), add_labels(other, ["bug"]), run="r1")
    store(database, write_comment(REF, "one"), run="r0")
    (comment,) = [p for p in due(database, "github") if p.command.operation == "write_comment"]
    save(database, comment, answer={"id": 5})
    store(database, write_comment(REF, "two"), run="r1")
    with database.write() as connection:
        assert outbox.mark(connection, [f"labels:{other}", "nobody"], NOW) == {f"labels:{other}"}
        assert queue.drop_run(connection, "r1") == 3
    assert [p.key for p in due(database, "github", NOW + 9)] == [f"labels:{other}"]
    assert due(database, "shortcut") == []
    # The next run decides again; the comment that stands is edited, not written twice.
    assert store(database, story(), run="r2") == {f"story:{REF}": "new"}
    assert store(database, write_comment(REF, "two"), run="r2") == {f"comment:{REF}": "changed"}
    (again,) = [p for p in due(database, "github", NOW + 9) if p.command.operation == "write_comment"]
    assert again.last_answer == {"id": 5}


def test_what_was_given_up_meanwhile_is_not_sent(database: Database) -> None:
    store(database, story())
    with database.write() as connection:
        assert queue.discard(connection, f"story:{REF}")
        assert outbox.mark(connection, [f"story:{REF}"], NOW) == set()
