"""Similar issues: kept, ordered, shown."""

from nodes.search_knowledge_base import SearchKnowledgeBase
from tests.nodes.build import alike, case, context, run, text_of


def test_the_most_alike_comes_first() -> None:
    found = (alike(0.5, "octo/widgets#1"), alike(0.9, "octo/widgets#2"), alike(0.2, "octo/widgets#3"))
    done = run(SearchKnowledgeBase(), case(route="bug"), context(similar=found))
    assert [similar.ref for similar in done.similar] == ["octo/widgets#2", "octo/widgets#1"]
    assert text_of(done, "Possibly the same").split("\n")[0] == (
        "- [octo/widgets#2: Widgets fell over](https://github.com/octo/widgets/issues/3), 90% alike (same "
        "error)"
    )


def test_an_issue_is_not_its_own_likeness() -> None:
    given = case(route="bug")
    assert run(SearchKnowledgeBase(), given, context(similar=(alike(1.0, "octo/widgets#7"),))) is given


def test_nothing_found_adds_nothing() -> None:
    given = case(route="bug")
    assert run(SearchKnowledgeBase(), given) is given


def test_at_most_five() -> None:
    found = tuple(alike(0.9, f"octo/widgets#{n}") for n in range(20, 40))
    assert len(run(SearchKnowledgeBase(), case(route="bug"), context(similar=found)).similar) == 5


def test_a_foreign_title_does_nothing() -> None:
    done = run(SearchKnowledgeBase(), case(), context(similar=(alike(title="](x) @ada `<b>"),)))
    assert "\\](x) @\u200bada \\`\\<b\\>" in text_of(done, "Possibly the same")
