"""Similar issues: kept and ordered; the story names them."""

from nodes.create_story import CreateStory
from nodes.search_knowledge_base import SearchKnowledgeBase
from tests.nodes.build import alike, case, command, context, run


def test_the_most_alike_comes_first() -> None:
    found = (alike(0.5, "octo/widgets#1"), alike(0.9, "octo/widgets#2"), alike(0.2, "octo/widgets#3"))
    done = run(SearchKnowledgeBase(), case(route="bug"), context(similar=found))
    assert [similar.ref for similar in done.similar] == ["octo/widgets#2", "octo/widgets#1"]


def test_the_story_names_them() -> None:
    found = (alike(0.5, "octo/widgets#1"), alike(0.9, "octo/widgets#2"))
    done = run(SearchKnowledgeBase(), case(route="bug"), context(similar=found))
    story = str(command(run(CreateStory(story_type="bug"), done), "create_story")["description"])
    assert (
        "## Possibly the same\n\n- [octo/widgets#2: Widgets fell over](https://github.com/octo/widgets/issues/3), "
        "90% alike (same error)\n- [octo/widgets#1"
    ) in story
    alone = str(command(run(CreateStory(story_type="bug"), case(route="bug")), "create_story")["description"])
    assert "Possibly the same" not in alone


def test_an_issue_is_not_its_own_likeness() -> None:
    given = case(route="bug")
    assert run(SearchKnowledgeBase(), given, context(similar=(alike(1.0, "octo/widgets#7"),))) is given


def test_nothing_found_adds_nothing() -> None:
    given = case(route="bug")
    assert run(SearchKnowledgeBase(), given) is given


def test_at_most_five() -> None:
    found = tuple(alike(0.9, f"octo/widgets#{n}") for n in range(20, 40))
    assert len(run(SearchKnowledgeBase(), case(route="bug"), context(similar=found)).similar) == 5
