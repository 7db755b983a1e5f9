"""A hundred traces, fingerprints that outlast what changes from machine to machine, and traces in odd places."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.case import Frame
from nodes.text.markdown.markdown import scan
from nodes.text.traces import MAX_FRAMES, fingerprint, parse
from tests.nodes.text.traces.traces_100 import Sample, load, told

SAMPLES = load()
TRACES = tuple(sample for sample in SAMPLES if sample.wanted)
NUMBERED = tuple(sample for sample in TRACES if ":" in sample.text)
WRONG_UNFENCED = {
    # Without a fence markdown makes a quote of its "> assert" and a heading of RSpec's "# ./lib/…".
    "python pytest long",
    "ruby rspec",
}


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_a_hundred(sample: Sample) -> None:
    assert told(parse(scan(f"It fails:\n\n````\n{sample.text}\n````\n\nAny idea?").text)) == sample.wanted


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_the_same_pasted_without_a_fence(sample: Sample) -> None:
    if sample.name not in WRONG_UNFENCED:
        assert told(parse(scan(sample.text).text)) == sample.wanted


@pytest.mark.parametrize("sample", load("later.txt"), ids=lambda sample: str(sample.name))
def test_twenty_written_when_the_hundred_were_right(sample: Sample) -> None:
    assert told(parse(scan(f"```\n{sample.text}\n```").text)) == sample.wanted


def test_they_are_a_hundred_of_many_kinds() -> None:
    assert len(SAMPLES) == len({sample.name for sample in SAMPLES}) == 100
    languages = [sample.wanted[0] for sample in TRACES if sample.wanted]
    assert (
        len(set(languages)) >= 11 and min(map(languages.count, ("Python", "Java", "C#", "Ruby", "PHP"))) >= 5
    )
    assert sum(sample.wanted is None for sample in SAMPLES) >= 8


_NUMBER = re.compile(r"(?<=:)\d{1,5}(?=\D)|(?<=line )\d{1,5}")
_ADDRESS = re.compile(r"0x[0-9a-f]{4,16}")
_HOME = re.compile(r"/(?:home/\w+|srv|var/www|Users/\w+)/")
_name = st.from_regex(r"[a-z]{3,9}", fullmatch=True)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(sample=st.sampled_from(TRACES), data=st.data())
def test_lines_addresses_and_folders_do_not_change_the_fingerprint(
    sample: Sample, data: st.DataObject
) -> None:
    before = parse(sample.text)
    assert before is not None
    line, address = data.draw(st.integers(1, 9_999)), data.draw(st.integers(16**6, 16**11))
    text = re.sub(r"line \d{1,5}|\.(\w{2,5}):\d{1,5}(?=\D)", lambda m: _renumbered(m, line), sample.text)
    text = _ADDRESS.sub(f"0x{address:012x}", text)
    text = _HOME.sub(f"/opt/{data.draw(_name)}/{data.draw(_name)}/", text)
    after = parse(text)
    assert after is not None
    if [frame.own for frame in after.frames] == [frame.own for frame in before.frames]:
        assert after.fingerprint == before.fingerprint


def _renumbered(match: re.Match[str], line: int) -> str:
    return f".{match[1]}:{line}" if match[1] else f"line {line}"


_frame = st.builds(
    Frame,
    file=st.lists(_name, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".py"),
    line=st.integers(1, 9_999),
    function=_name,
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(frames=st.lists(_frame, min_size=1, max_size=8), at=st.integers(0, 2), other=_name, folder=_name)
def test_another_function_changes_the_fingerprint(
    frames: list[Frame], at: int, other: str, folder: str
) -> None:
    at = min(at, len(frames) - 1)
    known = fingerprint("Python", "KeyError", "", tuple(frames))
    moved = tuple(replace(frame, file=f"/home/{folder}/{frame.file}", line=7) for frame in frames)
    assert fingerprint("Python", "KeyError", "other words", moved) == known
    frames[at] = replace(frames[at], function=f"{frames[at].function}_{other}")
    assert fingerprint("Python", "KeyError", "", tuple(frames)) != known
    assert fingerprint("Python", "ValueError", "", moved) != known


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("render@https://x.example/app.3f2a9c1b.js", "render@https://y.example/app.99ab01cd.js"),
        ("render@https://x.example/chunk-BX4k2P9a.js", "render@https://x.example/chunk-Qz81mmP0.js"),
        ("render@https://x.example/app.js?v=12", "render@https://x.example/app.js?v=13"),
    ],
)
def test_a_build_does_not_change_the_fingerprint(one: str, other: str) -> None:
    first, second = (parse(f"TypeError: a is undefined\n{text}:1:2\n{text}:3:4") for text in (one, other))
    assert first and second and first.fingerprint == second.fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mill.lambda$work$0", "Mill.lambda$work$7"),
        ("main.main.func1", "main.main.func2"),
        ("Clock.Cog.<>c__DisplayClass3_0.<Turn>b__0", "Clock.Cog.<>c__DisplayClass9_1.<Turn>b__2"),
        ("kiln::fire::{{closure}}::h0011223344556677", "kiln::fire::{closure#0}"),
    ],
)
def test_numbers_of_anonymous_functions_do_not_count(one: str, other: str) -> None:
    assert _print_of(one) == _print_of(other)


def test_closures_of_two_methods_differ() -> None:
    assert _print_of("Clock.Cog.<>c.<Turn>b__0") != _print_of("Clock.Cog.<>c.<Stop>b__0")


def _print_of(function: str) -> str:
    return fingerprint("x", "E", "", (Frame(file="a.x", function=function),))


def test_a_trace_at_the_end_of_ten_thousand_lines_of_log() -> None:
    noise = "\n".join(
        f"2026-11-20 02:00:{n % 60:02d} INFO keel: request {n} done in 3 ms" for n in range(10_000)
    )
    sample = next(sample for sample in SAMPLES if sample.name == "python logged with prefixes")
    assert told(parse(scan(f"```\n{noise}\n{sample.text}\n```").text)) == sample.wanted


def test_a_trace_within_ten_thousand_lines_of_another_ones_frames() -> None:
    frames = "\n".join(f"    at f{n} (/srv/a/node_modules/b/c.js:{n}:1)" for n in range(1, 10_000))
    trace = parse(f"Error: a\n{frames}")
    assert trace is not None and len(trace.frames) == MAX_FRAMES


def test_of_several_traces_the_one_with_own_code_is_told() -> None:
    texts = {sample.name: sample.text for sample in SAMPLES}
    mixed = f"{texts['ruby bundler']}\n\nand then\n\n{texts['go nil pointer']}"
    assert told(parse(mixed)) == (
        "Go",
        "panic",
        2,
        "/home/joss/bees/hive/hive.go",
        "example.com/bees/hive.(*Hive).Weigh",
    )
