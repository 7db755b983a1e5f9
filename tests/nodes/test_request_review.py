"""Suspects for the reviewer, and questions only where something is really missing."""

from dataclasses import replace
from typing import Any

import pytest

from models.asks import Ask, File, FileAuthors, Files, ListFiles, ReadFile
from models.case import Case
from nodes.analyze_code import AnalyzeCode
from nodes.parse_stack_trace import ParseStackTrace
from nodes.request_review import ASK_EXPECTED, ASK_STEPS, ASK_VERSION, RequestReview
from tests.nodes.build import REPO, answering, case, command, context, run, text_of
from tests.nodes.test_parse_stack_trace import PYTHON

FULL = "### Version\n\n1.4.2\n\n### Steps\n\n1. open it\n2. close it\n\n### Expected\n\nIt stays."


def review(body: str, **changes: Any) -> Case:
    given = run(AnalyzeCode(), case("It fell", body, "bug", **changes))
    return run(RequestReview(), run(ParseStackTrace(), given))


@pytest.mark.parametrize(
    ("body", "questions"),
    [
        ("It fell.", (ASK_STEPS, ASK_VERSION, ASK_EXPECTED)),
        ("It fell on Linux.", (ASK_STEPS, ASK_EXPECTED)),
        ("It fell, I expected it to stand. Version 1.2.3.", (ASK_STEPS,)),
        ("It fell in React 18, with `x`. I expected it to stand.", (ASK_STEPS,)),
        ("It fell on master at 0123abc.", (ASK_STEPS, ASK_EXPECTED)),
        ("```\nfall()\n```\nOn 1.2.3.", ()),
        ("```\nfall()\n```\nThe result should be 3, on 1.2.3 I get 4.", ()),
        (FULL, ()),
        (f"With 1.2.3:\n```\n{PYTHON}```", ()),
        (f"```\n{PYTHON}```", (ASK_VERSION,)),
        ("https://codesandbox.io/s/abc shows it, on Windows 11. It should stand.", ()),
    ],
)
def test_questions(body: str, questions: tuple[str, ...]) -> None:
    assert review(body).questions == questions


@pytest.mark.parametrize("changes", [{"author_association": "OWNER"}, {"author": "renovate[bot]"}])
def test_insiders_and_bots_are_not_asked(changes: dict[str, Any]) -> None:
    assert review("It fell.", **changes).questions == ()


def test_files_of_the_trace_come_first() -> None:
    text = text_of(review(f"See lib/other.py and widgets/store.py.\n```\n{PYTHON}```"), "For the review")
    assert text.split("\n")[:3] == [
        "- [ ] `/home/ada/widgets/store.py`, in the trace in `load`",
        "- [ ] `/home/ada/widgets/cli.py`, in the trace in `main`",
        "- [ ] `lib/other.py`, named in the text",
    ]


def test_no_files_no_section() -> None:
    assert review("It fell with a.py in /usr/lib/x/b.py").sections == ()


def test_the_knob_bounds_the_questions() -> None:
    given = run(AnalyzeCode(), case("It fell", "It fell.", "bug"))
    assert len(run(replace(RequestReview(), questions=1), given).questions) == 1


OWNERS = ".github/CODEOWNERS"
TREE = (OWNERS, "README.md", "src/widgets/store.py", "src/widgets/cli.py", "lib/other.py")
BODY = f"See lib/other.py, too.\n```\n{PYTHON}```"


def told(*paths: str, owners: str = "* @cy", **authors: tuple[str, ...]) -> dict[Ask[Any], Any]:
    """What a repository with these files answers; `authors` by the file's bare name."""
    files = Files(branch="main", commit="c0ffee", blobs=tuple((path, "0") for path in paths))
    return {
        ListFiles(REPO): files,
        ReadFile(REPO, OWNERS): File(path=OWNERS, text=owners, sha="0"),
        **{
            FileAuthors(REPO, path): authors.get(path.rpartition("/")[2].partition(".")[0], ())
            for path in paths
        },
    }


def looked(
    answers: dict[Ask[Any], Any], body: str = BODY, assignees: tuple[str, ...] = (), **policy: Any
) -> tuple[Case, list[Ask[Any]]]:
    given = run(AnalyzeCode(), case("It fell", body, "bug", assignees=assignees))
    ctx, asked = answering(context(**policy), answers)
    return run(RequestReview(), run(ParseStackTrace(), given), ctx), asked


def test_suspects_are_files_of_the_repository_with_their_people() -> None:
    rules = "* @cy\n/src/ @octo/core @dee"
    done, _ = looked(told(*TREE, owners=rules, store=("eve", "fay", "gus", "hal"), other=("eve",)))
    at = "https://github.com/octo/widgets/blob/c0ffee"
    assert text_of(done, "For the review").split("\n") == [
        f"- [ ] [`src/widgets/store.py:88`]({at}/src/widgets/store.py#L88), in the trace in `load`; "
        "owned by `octo/core`, `dee`; last changed by `eve`, `fay`, `gus`",
        f"- [ ] [`src/widgets/cli.py:12`]({at}/src/widgets/cli.py#L12), in the trace in `main`; "
        "owned by `octo/core`, `dee`",
        f"- [ ] [`lib/other.py`]({at}/lib/other.py), named in the text; owned by `cy`; last changed by `eve`",
    ]
    assert [(one.path, one.line, one.owners) for one in done.suspects][:1] == [
        ("src/widgets/store.py", 88, ("octo/core", "dee"))
    ]
    assert "@" not in text_of(done, "For the review")


def test_a_module_of_the_repositorys_address_is_its_own() -> None:
    trace = (
        "panic: it fell\n\ngoroutine 1 [running]:\n"
        "github.com/octo/widgets/shelf.(*Shelf).Take(0x0)\n"
        "\t/go/pkg/mod/github.com/octo/widgets/shelf@v1.8.2/take.go:23 +0x1d\n"
    )
    done, _ = looked(told("shelf/take.go", "other/take.go"), f"```\n{trace}```")
    assert [(one.path, one.line) for one in done.suspects] == [("shelf/take.go", 23)]


def test_nothing_is_asked_where_no_file_is_named() -> None:
    _, asked = looked(told(*TREE), "It just fell.")
    assert asked == []


def test_no_people_are_asked_for_where_no_file_is_there() -> None:
    done, asked = looked(told("README.md", OWNERS))
    assert asked == [ListFiles(REPO)]
    assert done.sections[1:] == () and done.suspects == ()


def test_only_the_first_suspects_people_are_asked_for() -> None:
    _, asked = looked(told(*TREE))
    assert sum(isinstance(ask, FileAuthors) for ask in asked) == 3
    assert asked[-1] == ReadFile(REPO, OWNERS)


def test_an_unreadable_repository_is_said_to_be_one() -> None:
    done, asked = looked({})
    assert asked == [ListFiles(REPO)]
    assert "could not be read" in text_of(done, "For the review")
    assert done.suspects == ()


@pytest.mark.parametrize(
    ("owners", "authors", "person"),
    [
        ("* @cy", ("eve",), "cy"),
        ("* @octo/core", ("eve",), "eve"),
        ("* @Ada", ("ada", "eve"), "eve"),
        ("* @ada", ("ada",), ""),
        ("", (), ""),
    ],
)
def test_who_is_assigned(owners: str, authors: tuple[str, ...], person: str) -> None:
    done, _ = looked(told(*TREE, owners=owners, store=authors), assign_suspects=True)
    assert command(done, "assign").get("login", "") == person


def test_nobody_is_assigned_unasked_or_beside_somebody_or_for_a_name_in_the_text() -> None:
    assert not looked(told(*TREE))[0].commands
    assert not looked(told(*TREE), assignees=("zoe",), assign_suspects=True)[0].commands
    assert not looked(told(*TREE), "lib/other.py is broken", assign_suspects=True)[0].commands


def test_hostile_paths_stay_in_their_line() -> None:
    path = "src/wid`gets/[x](y)/store.py"
    done, _ = looked(told(path), BODY.replace("/home/ada/widgets/store.py", path))
    text = text_of(done, "For the review")
    assert text.count("\n") == 0 and "`src/wid'gets/[x](y)/store.py:88`" in text
