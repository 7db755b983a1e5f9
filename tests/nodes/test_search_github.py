"""When GitHub's own search is asked, for what, and what is made of its answer."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from models.asks import Ask, SearchIssues
from models.case import Case, Similar, StackTrace
from nodes.search_github import SearchGithub
from nodes.search_knowledge_base import SearchKnowledgeBase
from nodes.search_shortcut import SearchShortcut
from subflows.base import Parallel
from tests.nodes.build import alike, case, context, decided, prediction, run

TRACE = StackTrace(
    language="Python",
    exception="app.errors.QuotaExceededError",
    message="upload of invoice failed",
    fingerprint="f",
)
REPO = "octo/widgets"


@dataclass
class Asked:
    """Answers what it was given, and remembers what it was asked."""

    answer: tuple[Similar, ...] | None = ()
    asks: list[Any] = field(default_factory=list)

    async def __call__(self, ask: Ask[Any], /) -> Any:
        self.asks.append(ask)
        return self.answer


def asked(given: Case, *similar: Similar, **policy: Any) -> list[Any]:
    port = Asked()
    run(SearchGithub(), given, replace(context(similar=similar, **policy), ask=port))
    return port.asks


CASES: list[tuple[str, Case, tuple[Similar, ...], tuple[str, ...]]] = [
    (
        "a secret in the title",
        case("fooBar parsing falls with AKIAIOSFODNN7EXAMPLQ", route="bug"),
        (),
        ("fooBar", "parsing", "falls"),
    ),
    (
        "a secret in the error",
        replace(
            case("It broke", route="bug"),
            trace=replace(TRACE, message="no invoice with AKIAIOSFODNN7EXAMPLQ"),
        ),
        (),
        ("QuotaExceededError", "invoice"),
    ),
    (
        "an error with a message",
        replace(case("It broke", route="bug"), trace=TRACE),
        (),
        ("QuotaExceededError", "invoice", "upload"),
    ),
    (
        "a name in the title",
        case("parse_header ignores folded lines", route="bug"),
        (),
        ("parse_header", "ignores", "folded"),
    ),
    ("nothing telling", case("It does not work", route="bug"), (), ()),
    ("a version is no name", case("Crash since 2.3.1", route="bug"), (), ()),
    ("a strong local answer", replace(case(route="bug"), trace=TRACE), (alike(0.7),), ()),
    (
        "a strong one of another repository",
        replace(case(route="bug"), trace=TRACE),
        (alike(0.7, "octo/other#3"),),
        ("QuotaExceededError", "invoice", "upload"),
    ),
    (
        "a weak local answer",
        replace(case(route="bug"), trace=TRACE),
        (alike(0.4),),
        ("QuotaExceededError", "invoice", "upload"),
    ),
    ("a security report", replace(case(route="security"), trace=TRACE), (), ()),
    (
        "what may be one",
        replace(
            case(route="bug"), trace=TRACE, decision=decided("bug", prediction=prediction(security_flag=True))
        ),
        (),
        (),
    ),
]


@pytest.mark.parametrize(("what", "given", "similar", "words"), CASES, ids=[one[0] for one in CASES])
def test_what_is_asked(what: str, given: Case, similar: tuple[Similar, ...], words: tuple[str, ...]) -> None:
    assert asked(given, *similar) == ([SearchIssues(REPO, words)] if words else [])
    assert asked(given, *similar) == asked(given, *similar)


def test_what_is_made_of_the_answer() -> None:
    given = replace(case("Uploading invoices fails", number=7, route="bug"), trace=TRACE)
    answer = (
        alike(0.0, f"{REPO}#7"),
        alike(0.0, f"{REPO}#9", "Uploading invoices fails"),
        alike(0.0, f"{REPO}#2", "Uploading invoices fails"),
        alike(0.0, f"{REPO}#3", "Invoices cannot be uploaded"),
        alike(0.0, f"{REPO}#4", "Something else"),
    )
    done = run(SearchGithub(), given, replace(context(), ask=Asked(answer)))
    scores = {one.ref: one.score for one in done.similar}
    assert list(scores) == [f"{REPO}#2", f"{REPO}#3", f"{REPO}#4"]
    # Never so much that a public comment would call it a duplicate.
    assert 0.9 > scores[f"{REPO}#2"] > scores[f"{REPO}#3"] > scores[f"{REPO}#4"] == 0.3


@pytest.mark.parametrize("answer", [(), None])
def test_no_answer_adds_nothing(answer: Any) -> None:
    given = replace(case(route="bug"), trace=TRACE)
    assert run(SearchGithub(), given, replace(context(), ask=Asked(answer))) is given


def test_three_searches_at_once() -> None:
    given = replace(case("Uploading invoices fails", route="bug"), trace=TRACE)
    steps = Parallel(SearchGithub(), SearchShortcut(), SearchKnowledgeBase())
    port = Asked((alike(0.0, f"{REPO}#2", "Other"),))
    ctx = replace(context(similar=(alike(0.5, f"{REPO}#1"),), services=frozenset({"shortcut"})), ask=port)
    done = run(steps, given, ctx)
    assert {one.ref for one in done.similar} == {f"{REPO}#1", f"{REPO}#2"}
    assert len(port.asks) == 2
