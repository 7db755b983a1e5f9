"""Where to start, only from evidence."""

from dataclasses import replace
from typing import Any

import pytest

from models.asks import Ask, Drafted, File, ReadFile, WriteDraft
from models.case import Case, CodeSigns, Frame, StackTrace, Suspect
from nodes.base import Context
from nodes.parse_stack_trace import ParseStackTrace
from nodes.suggest_fix import FIX, SuggestFix
from nodes.text.traces.causes import CAUSES, advice_for
from tests.nodes.build import REPO, alike, case, context, run, text_of
from tests.nodes.test_parse_stack_trace import GO, JAVA, NODE, PYTHON, RUST


@pytest.mark.parametrize(
    ("trace", "place", "advice"),
    [
        (PYTHON, "`/home/ada/widgets/store.py:88` in `load`", "A key is taken for granted"),
        (JAVA, "`com/octo/widgets/Shelf.java:41`", "A value is missing"),
        (NODE, "`/srv/widgets/lib/shelf.js:17`", "A value is missing"),
        (GO, "`/home/ada/widgets/shelf/shelf.go:23`", "A value is missing"),
        (RUST, "`src/shelf.rs:42`", "A value is missing"),
    ],
)
def test_the_trace_says_where(trace: str, place: str, advice: str) -> None:
    given = run(ParseStackTrace(), case("It fell", trace, "bug"))
    text = text_of(run(SuggestFix(), given), "Where to start")
    assert f"Start at {place}" in text
    assert advice in text


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", "Nothing listens"),
        ("ModuleNotFoundError: No module named 'x'", "Something is missing"),
        ("thread 'main' panicked at 'already borrowed: BorrowMutError'", "A RefCell"),
        ("java.lang.OutOfMemoryError: Java heap space", "Memory runs out"),
        ("EACCES: permission denied, open '/x'", "A right is missing"),
        ("my own words", ""),
    ],
)
def test_well_known_errors(line: str, start: str) -> None:
    assert advice_for(line).startswith(start)
    given = replace(case("It fell", route="bug"), code=CodeSigns(errors=(line,)))
    assert bool(text_of(run(SuggestFix(), given), "Where to start")) == bool(start)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("It worked in 1.4.2 and fails since 1.5.0.", ""),
        ("It worked fine in version 1.4.2. Broken since 1.5.0.", "Worked in 1.4.2, fails since 1.5.0"),
        ("Works with 2.1, after upgrading to 2.2 it is empty.", "Worked in 2.1, fails since 2.2"),
        ("No problem in 3.0.1 on the same machine.", "Worked in 3.0.1: look at what changed after it"),
        ("I work with 3 people.", None),
    ],
)
def test_the_range_of_a_regression(body: str, text: str | None) -> None:
    given = case("It fell", body, "bug")
    done = run(SuggestFix(), given)
    if text is None:
        assert done is given
    else:
        assert text in text_of(done, "Where to start")


def test_nothing_to_go_on_adds_nothing() -> None:
    given = case("It fell", "It just fell.", "bug")
    assert run(SuggestFix(), given) is given


def test_advice_is_a_sentence() -> None:
    assert all(cause.advice.endswith(".") and 40 < len(cause.advice) < 240 for cause in CAUSES)


@pytest.mark.parametrize(
    ("done", "score", "told"), [(True, 0.8, True), (False, 0.8, False), (True, 0.4, False)]
)
def test_what_was_mended_before_is_named(done: bool, score: float, told: bool) -> None:
    given = replace(case("It fell", "It just fell.", "bug"), similar=(replace(alike(score), done=done),))
    text = text_of(run(SuggestFix(), given), "Where to start")
    assert ("Fixed before: [octo/widgets#3: Widgets fell over]" in text) is told


PATH = "src/widgets/store.py"
TEXT = "\n".join(f"line {number}" for number in range(1, 400)).replace("line 88\n", "return rows[key]\n")
FITS = {"path": PATH, "find": "return rows[key]", "replace": "return rows.get(key)"}
UNFIT = {**FITS, "find": "nowhere to be found"}


class Model:
    """Answers each request for a draft with the next of these; the file can be read."""

    def __init__(self, *drafts: dict[str, Any] | None) -> None:
        self.drafts = list(drafts)
        self.asked: list[WriteDraft] = []

    async def __call__(self, ask: Ask[Any], /) -> Any:
        if ask == ReadFile(REPO, PATH):
            return File(path=PATH, text=TEXT, sha="5ha")
        assert isinstance(ask, WriteDraft)
        self.asked.append(ask)
        data = self.drafts.pop(0)
        return None if data is None else Drafted(data=data, model="stub")


def draft(*edits: dict[str, str], cause: str = "A key is missing.") -> dict[str, Any]:
    return {"cause": cause, "steps": ["Look at the key.", "Ask for it kindly."], "edits": list(edits)}


def drafted(model: Model, **changes: Any) -> Case:
    ctx: Context = replace(context(services=frozenset({"llm"})), ask=model)
    suspect = Suspect(path=PATH, reason="in the trace", line=88)
    given = replace(case("It fell", PYTHON, "bug"), suspects=(suspect,), **changes)
    return run(SuggestFix(), run(ParseStackTrace(), given), ctx)


def test_a_draft_that_applies_is_shown_as_one() -> None:
    model = Model(draft(FITS))
    done = drafted(model)
    text = text_of(done, "Draft of a fix")
    assert text.startswith("*Draft by `stub`; nobody has checked it.*\n\nA key is missing.")
    assert "1. Look at the key.\n2. Ask for it kindly." in text
    assert "```diff\n--- a/src/widgets/store.py\n+++ b/src/widgets/store.py\n" in text
    assert "\n-return rows[key]\n+return rows.get(key)\n" in text
    fix = done.data[FIX]
    assert [(file["path"], file["sha"]) for file in fix["files"]] == [(PATH, "5ha")]
    assert fix["files"][0]["text"] == TEXT.replace("return rows[key]", "return rows.get(key)")


def test_the_place_is_named_as_the_repository_has_it() -> None:
    text = text_of(drafted(Model(None)), "Where to start")
    assert text.startswith(f"- Start at `{PATH}:88` in `load`, the first frame of the project's own code.")


def test_what_the_repository_does_not_have_is_not_called_its_own() -> None:
    """The reporter's program calls the project: its frames are no library's, and not the project's."""
    given = run(ParseStackTrace(), case("It fell", PYTHON, "bug"))
    text = text_of(run(SuggestFix(), given), "Where to start")
    assert "`load`, the first frame that is not a library's." in text


def test_the_place_is_a_frame_that_names_its_file() -> None:
    frames = (
        Frame(file="", function="Native.version"),
        Frame(file="src/Native.cs", line=33, function="Native.cctor"),
    )
    trace = StackTrace(language="C#", exception="X", message="m", frames=frames)
    given = replace(case("It fell", route="bug"), trace=trace)
    assert "Start at `src/Native.cs:33`" in text_of(run(SuggestFix(), given), "Where to start")
    given = replace(given, trace=replace(trace, frames=frames[:1]))
    assert "`Native.version`" in text_of(run(SuggestFix(), given), "Where to start")


def test_a_title_that_tells_the_error_is_not_repeated() -> None:
    title = "The server runs out of memory"
    given = replace(case(title, route="bug"), code=CodeSigns(errors=(title,)))
    assert text_of(run(SuggestFix(), given), "Where to start").startswith("- Memory runs out:")


def test_the_model_is_told_the_lines_around_and_no_more() -> None:
    model = Model(draft())
    drafted(model)
    (ask,) = model.asked
    assert ask.kind == "fix" and "KeyError" in ask.material and "return rows[key]" in ask.material
    assert "line 28\n" in ask.material and "line 27\n" not in ask.material
    assert "line 148" in ask.material and "line 149" not in ask.material


def test_a_draft_that_does_not_apply_is_asked_for_once_more() -> None:
    model = Model(draft(UNFIT), draft(FITS))
    assert FIX in drafted(model).data
    assert model.asked[0].complaint == ""
    assert "stands nowhere" in model.asked[1].complaint


@pytest.mark.parametrize("again", [draft(UNFIT), None])
def test_a_draft_that_never_applies_is_said_so(again: dict[str, Any] | None) -> None:
    model = Model(draft(UNFIT), again)
    done = drafted(model)
    text = text_of(done, "Draft of a fix")
    assert len(model.asked) == 2
    assert "does not apply" in text and "A key is missing." in text and "```" not in text
    assert FIX not in done.data


def test_no_edits_no_second_question() -> None:
    model = Model(draft())
    done = drafted(model)
    assert len(model.asked) == 1 and FIX not in done.data
    assert "1. Look at the key." in text_of(done, "Draft of a fix")


@pytest.mark.parametrize("data", [{}, {"edits": "all"}, {"edits": [1]}, {"steps": 7, "cause": None}])
def test_garbage_adds_nothing(data: dict[str, Any]) -> None:
    done = drafted(Model(data))
    assert text_of(done, "Draft of a fix") == "" and FIX not in done.data


def test_a_text_that_talks_to_the_model_gets_no_draft() -> None:
    model = Model()
    assert FIX not in drafted(model, suspicions=("an instruction",)).data
    assert model.asked == []


def test_what_a_draft_says_does_nothing() -> None:
    text = text_of(drafted(Model(draft(cause="@everyone <!-- x --> [a](javascript:b)"))), "Draft of a fix")
    assert "@everyone" not in text and "<!--" not in text and "](javascript" not in text
