"""Corrections: what people say about a case, and what follows from it. The last person wins; all words are kept."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from bot.report.html import likeliest
from bot.report.html import why as sides
from bot.report.wording import plain
from bot.store import audit, case_reads, cases, commands, learning, pauses, queue
from bot.store.case_reads import StoredCase
from bot.store.daily import hand_over, run_of_the_day
from bot.store.database import Transaction
from bot.store.learning import Correction, StoredCorrection, answer_of

Answer = Literal["bug", "feature", "docs", "question", "security"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
"""Where a person may send a case."""
REVIEW = "routed for review"
"""All that is said of a security case elsewhere than in its own channel."""
PERSON = 100
"""Characters of a name that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What became of a person's word: whether it was `done`, and one sentence about it.

    `ref` is the issue as GitHub writes it, empty where no case was found. `route` is where it goes now, in the
    words of ANSWERS; `before` where it went. `by` names who was faster, where somebody was.
    """

    done: bool
    words: str
    ref: str = ""
    before: str = ""
    route: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why a case goes where it goes, as plain sentences. Of a security case there is nothing to tell."""

    ref: str
    route: str
    lines: tuple[str, ...]
    private: bool = False
    story_url: str = ""


def reroute(
    connection: Transaction,
    ref: str,
    route: Answer | Literal["approve"],
    *,
    person: str,
    via: str,
    now: float | None = None,
    expected: int | None = None,
) -> Said:
    """A person decides where a case goes; it is thought about again with that, within a second or two in `serve`.

    `approve` confirms where it goes. `expected` is what `version` told when the person was asked: where somebody
    else decided since, nothing is done and the answer says who and what. The caller sets `app.new_batches`.
    """
    now = time.time() if now is None else now
    row = case_reads.find(connection, ref, lock=True)
    if row is None:
        return _unknown(ref)
    last = learning.last(connection, row.key)
    present = answer_of(row.route)
    who = plain(person, PERSON)
    if last is not None and _is_new(row, last):
        present = last.after
    if expected is not None and last is not None and last.id != expected:
        if (last.person, last.after) == (who, route):
            # The same button twice.
            words = f"Routed: {route}."
            return Said(done=True, words=words, ref=row.key, before=present, route=route)
        if last.person != who:
            name = plain(last.person, 60) if last.person else "somebody, by a label,"
            words = f"{_when(last.at)} {name} decided: {last.after}. Nothing was changed."
            by = last.person or ""
            return Said(done=False, words=words, ref=row.key, before=present, route=last.after, by=by)
    after = present if route == "approve" else route
    if route == "approve" and present == "question":
        words = "Nobody has decided yet where this goes, so there is nothing to approve."
        if last is not None and last.after == "question":
            by = plain(last.person, 60) if last.person else "Somebody"
            words = f"{by} said question already, so there is nothing to approve."
        return Said(done=False, words=words, ref=row.key, before=present, route=present)
    issues = cases.load_issues(connection, [row.key])
    if not issues:
        words = "Its text is not here any more; the next run that sees the issue brings it back."
        return Said(done=False, words=words, ref=row.key, before=present, route=present)
    pauses.end(connection, f"{pauses.IGNORE}{row.key}", f"{pauses.SNOOZE}{row.key}")
    # What the bot put on the issue is nobody's word.
    (issue,) = cases.changed(connection, issues, full=True)
    said = Correction(row.key, row.route, after, who, via, now)
    learning.record(connection, said, row.detail, issue.labels)
    _note(connection, now, person, via, "route", row.key, before=row.route, after=after)
    _think_again(connection, row.key)
    # Somebody else had said something else: both are told.
    former, by = "", ""
    if last is not None and last.after != after and last.person not in (None, who):
        by = str(last.person)
        former = f" {plain(by, 60)} had said {last.after}."
    words = f"{'Approved' if route == 'approve' else 'Routed'}: {after}.{former}"
    return Said(done=True, words=words, ref=row.key, before=present, route=after, by=by)


def version(connection: Transaction, ref: str) -> int:
    """The number of the case's latest correction, 0 where there is none: what a button was shown with."""
    last = learning.last(connection, ref)
    return last.id if last is not None else 0


def ignore(
    connection: Transaction,
    ref: str,
    *,
    person: str,
    via: str,
    until: float | None = None,
    now: float | None = None,
) -> Said:
    """Not for us: the bot leaves the issue alone until then (epoch seconds), or until somebody routes it."""
    words = "Left alone until {}." if until is not None else "Left alone until somebody routes it."
    return _pause(connection, ref, pauses.IGNORE, "ignore", words, person, via, until, now)


def snooze(
    connection: Transaction,
    ref: str,
    *,
    person: str,
    until: float | None,
    via: str = "slack",
    now: float | None = None,
) -> Said:
    """Nobody is reminded of the case until then (epoch seconds); with None until somebody decides."""
    words = "Held until somebody decides." if until is None else "Snoozed until {}."
    return _pause(connection, ref, pauses.SNOOZE, "snooze", words, person, via, until, now)


def retry(connection: Transaction, ref: str, *, person: str, via: str, now: float | None = None) -> Said:
    """Think about it again now, and send again what was refused. The caller wakes batches and lanes."""
    now = time.time() if now is None else now
    row = case_reads.find(connection, ref, lock=True)
    if row is None:
        return _unknown(ref)
    present = answer_of(row.route)
    if pauses.active(connection, pauses.IGNORE, [row.key], now):
        words = "This issue is left alone, as somebody asked; route it to take it up again."
        return Said(done=False, words=words, ref=row.key, before=present, route=present)
    revived = queue.retry_dead_of(connection, row.key)
    _note(connection, now, person, via, "retry", row.key, revived=revived)
    _think_again(connection, row.key)
    more = (
        f", and {revived} refused {'update is' if revived == 1 else 'updates are'} sent again"
        if revived
        else ""
    )
    return Said(done=True, words=f"It is looked at again{more}.", ref=row.key, before=present, route=present)


def why(connection: Transaction, ref: str) -> Reasons | None:
    """The reasons of a case's route, for people; None where there is no such case."""
    row = case_reads.find(connection, ref, lock=False)
    if row is None:
        return None
    last = learning.last(connection, row.key)
    if row.route == "security" or (last is not None and last.after == "security"):
        return Reasons(ref=row.key, route="security", lines=(f"{REVIEW.capitalize()}.",), private=True)
    if row.status == "failed":
        node = plain(row.error.partition(":")[0], 60) or "triage"
        failed = f"It could not be triaged: {node} failed. Ask for a retry, or route it yourself."
        return Reasons(ref=row.key, route=row.route, lines=(failed, *_since(connection, row, last)))
    detail = row.detail
    lines = [_headline(row), *_since(connection, row, last)]
    lines += [f"Because: {plain(rule)}." for rule in detail.get("rules", ())]
    shares = detail.get("probabilities", {})
    if detail.get("model") and shares:
        lines.append(f"The router {plain(detail['model'], 60)} would say {', '.join(likeliest(shares))}.")
        lines += [
            f"What speaks {side}: {', '.join(signs)}."
            for side, signs in sides(shares, detail.get("reasons", ()))
        ]
    if detail.get("held"):
        lines.append("No story yet: this route waits for a person's approval.")
    evidence = [plain(words, 100) for words in detail.get("evidence", ())][:4]
    if evidence:
        lines.append(f"Severity {plain(detail.get('severity', 'low'), 12)}: {', '.join(evidence)}.")
    lines += [f"Suspicious: {plain(words, 160)}." for words in detail.get("suspicions", ())]
    lines += [
        f"May be the same as {plain(other, 160)} ({plain(reason, 80)})."
        for other, _, reason in detail.get("similar", ())
    ]
    answer = commands.answer(connection, f"story:{row.key}")
    return Reasons(
        ref=row.key,
        route=answer_of(row.route) if detail.get("by") in ("person", "label") else row.route,
        lines=tuple(lines),
        story_url=str(answer.get("url") or ""),
    )


def _is_new(row: StoredCase, last: StoredCorrection | None) -> bool:
    """Whether a person's last word was not thought about yet."""
    return last is not None and last.via != "label" and row.detail.get("told") != last.id


def _since(connection: Transaction, row: StoredCase, last: StoredCorrection | None) -> list[str]:
    """What people asked of a case since it was thought about."""
    lines = []
    if last is not None and _is_new(row, last):
        who = plain(last.person or "somebody", 60)
        lines.append(f"{who} said {last.after} ({last.via}); it is taken up by serve or the next run.")
    asks = {pauses.IGNORE: "to leave it alone", pauses.SNOOZE: "not to be reminded of it"}
    held = pauses.holding(connection, [f"{prefix}{row.key}" for prefix in asks], time.time())
    for prefix, asked in asks.items():
        pause = held.get(f"{prefix}{row.key}")
        if pause is None:
            continue
        end = f"{_moment(pause.until)} UTC" if pause.until is not None else _NO_END[prefix]
        lines.append(f"{plain(pause.person or 'somebody', 60)} asked {asked} until {end}.")
    return lines


_NO_END = {pauses.IGNORE: "somebody routes it", pauses.SNOOZE: "somebody decides"}


def _headline(row: StoredCase) -> str:
    detail = row.detail
    by, sure = detail.get("by"), f"{float(detail.get('confidence') or 0):.0%} sure"
    if row.route == "needs_human":
        return (
            "It is a question, a person said."
            if by in ("person", "label")
            else "A person should decide where this goes."
        )
    who = {"person": "a person said so", "label": "a person's label says so", "rule": "a rule says so"}
    return f"It goes to {row.route}: {who.get(str(by), sure)}."


def _unknown(ref: str) -> Said:
    return Said(done=False, words=f"{plain(ref, 160)} was not triaged here, or not yet.")


def _pause(
    connection: Transaction,
    ref: str,
    prefix: str,
    action: str,
    words: str,
    person: str,
    via: str,
    until: float | None,
    now: float | None,
) -> Said:
    now = time.time() if now is None else now
    row = case_reads.find(connection, ref, lock=True)
    if row is None:
        return _unknown(ref)
    pauses.begin(connection, f"{prefix}{row.key}", plain(person, PERSON), now, until)
    _note(connection, now, person, via, action, row.key, until=until)
    present = answer_of(row.route)
    told = words.format(f"{_moment(until)} UTC") if until is not None else words
    return Said(done=True, words=told, ref=row.key, before=present, route=present)


def _note(
    connection: Transaction, now: float, person: str, via: str, action: str, ref: str, **detail: Any
) -> None:
    actor = plain(person, PERSON)
    audit.note(connection, now, actor=actor, via=via, action=f"issue.{action}", subject=ref, detail=detail)


def _think_again(connection: Transaction, ref: str) -> None:
    """The case is due, whatever was thought of it: the day's run takes it up."""
    cases.make_due(connection, [ref])
    hand_over(connection, run_of_the_day(connection), [ref], 1)


def _when(at: float) -> str:
    seconds = time.time() - at
    return f"{max(0, round(seconds))} s ago" if seconds < 120 else f"On {_moment(at)} UTC"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
