"""No text takes more than linear time, breaks a limit or stops triage."""

import asyncio
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.case import Case, Failure
from models.text.escape import open_fence
from nodes.text.extract.facts import error_lines, paths_in, systems_in, versions_in
from nodes.text.extract.installs import commands_in, packages_in
from nodes.text.extract.languages import guess_language
from nodes.text.markdown.markdown import scan
from nodes.text.traces import READERS, parse
from nodes.text.traces.base import Reader
from nodes.text.traces.prefixes import bare_lines
from subflows.triage import Paused, triage_all
from tests.growth import grows_linearly, text_grows_linearly
from tests.nodes.build import StubRouter, case, context, prediction

UNITS = {
    "one letter": "a",
    "no spaces": "aB3_",
    "nul bytes": "\x00\x01\x02",
    "binary-looking": "\x89PNG\r\n\x1a\n\x00\xff\ufffd",
    "quotes": ">",
    "deep quotes": "> " * 500 + "x\n",
    "brackets": "[",
    "bracket pairs": "[](",
    "images": "![",
    "backticks": "`",
    "odd backticks": "` `` ",
    "fences": "```\n",
    "tildes": "~~~x\n",
    "comments": "<!--",
    "comment ends": "-->",
    "tags": "<details ",
    "open tags": "<",
    "stars": "**",
    "hashes": "#",
    "dots": ".",
    "slashes": "/a",
    "backslashes": "\\",
    "versions": "1.2.",
    "numbers": "1",
    "colons": "at a:1:1:",
    "java": "at a.b.c.D(",
    "caused by": "Caused by: a.b.C: ",
    "python": 'File "a.py", line 1, in f\n',
    "python names": "a.b.",
    "errors": "Error: ",
    "php": "Error: in x in ",
    "ruby": "a.rb:1:in `f'\n",
    "go": "goroutine 1 [running]:\n",
    "rust": "panicked at '",
    "gdb": "#0 0x0 in f (",
    "sanitizer": "==1==ERROR: AddressSanitizer: ",
    "secrets": "token=",
    "jwt": "eyJa-",
    "keys": "-----BEGIN PRIVATE KEY-----",
    "addresses": "https://a:",
    "mentions": "@a ",
    "quoted words": "'a' should be '",
    "worked in": "worked in a a a 1.",
    "cve": "CVE-2020-",
    "cvss": "AV:N/",
    "packages": "a@",
    "boxes": "- [ ] a\n",
    "bold": "**a**: ",
    "questions": "why? ",
    "emoji": "👩‍👩‍👧",
    "spaces": " ",
    "tabs": "\t",
    "lines": "\n",
    "underlined": "a\n===\n",
    "not": "no not never crash ",
    "tables": "|a|b|\n|-|-|\n",
    "lists of quotes": "- > ",
    "preformatted": "<pre>\n",
    "hidden links": "[//]: # (a\n",
    "prefixes": "2026-11-20 02:00:00 ERROR: web-1  | > ",
    "pytest": "E   A: b\na.py:1: in f\n",
    "modules": "node_modules/a/",
    "pins": "a@1.2.3 b==1.2 ",
    "prompts": "$ npm i a\n",
    "markers": 'at @http File ", line goroutine panic: .rb:.php #0 Sanitizer panicked at ',
}


def _everything(body: str) -> None:
    """All five flows on one body."""
    cases = [case("A title", body, number=n) for n in range(1, 6)]
    routes = ("bug", "feature", "docs", "question")
    answers = {n: prediction(route) for n, route in enumerate(routes, 1)}
    answers[5] = prediction(security_flag=True, security_score=0.9)
    ctx = context(StubRouter(answers=answers), comment="always", needs_human="story")
    for result in asyncio.run(triage_all(cases, ctx)):
        _sound(result)


def _sound(result: Case | Failure | Paused) -> None:
    assert isinstance(result, Case), result
    for command in result.commands:
        json.dumps(command.payload).encode()
        description = command.payload.get("description")
        if description is not None:
            description.encode()
            assert len(description) <= 20_000
            assert 1 <= len(command.payload["name"]) <= 200
            assert "\x00" not in description
            assert not open_fence(description)


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
def test_time_is_linear(unit: str) -> None:
    small, large = ((unit * (size // len(unit) + 1))[:size] for size in (15_000, 200_000))
    # Four times as much, for only 60,000 characters are scanned.
    assert grows_linearly(_everything, large, small)


def _lines_read(reader: Reader) -> Callable[[str], object]:
    """A reader as it is driven: again and again, from where it stopped."""

    def read(text: str) -> None:
        lines = [line[:800] for line in text.split("\n")]
        at = 0
        for _ in range(20):
            _, end = reader.read(lines, at)
            at = max(end, at + 1)
            if at >= len(lines):
                return

    return read


def _installs(text: str) -> None:
    found = scan.__wrapped__(text)
    packages_in(found, commands_in(found))


READINGS: dict[str, Callable[[str], object]] = {
    "markdown": scan.__wrapped__,
    "traces": parse.__wrapped__,
    "prefixes": lambda text: bare_lines(text.split("\n")),
    "installs": _installs,
    "errors": error_lines,
    "paths": paths_in,
    "versions": versions_in,
    "systems": systems_in,
    "languages": guess_language,
    **{f"reader {at}: {reader.marks[0].strip()}": _lines_read(reader) for at, reader in enumerate(READERS)},
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS.keys())
def test_every_reading_is_linear(reading: Callable[[str], object]) -> None:
    """Of every unit, in one line and in many: four times the text, not much more than four times the time."""
    for name, unit in UNITS.items():
        for piece in (unit, f"{unit * (1 + 60 // len(unit))}\n"):
            text = (piece * (60_000 // len(piece) + 1))[:60_000]
            assert text_grows_linearly(reading, text), f"{name}: {piece[:20]!r}"


_LINE = st.one_of(
    st.sampled_from(list(UNITS.values())).flatmap(lambda unit: st.integers(1, 40).map(lambda n: unit * n)),
    st.text(max_size=80),
)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    title=st.text(max_size=400),
    lines=st.lists(_LINE, max_size=40),
    labels=st.lists(st.text(max_size=60), max_size=4),
)
def test_any_text_ends_as_sound_commands(title: str, lines: list[str], labels: list[str]) -> None:
    flagged = prediction(security_flag=True, security_score=0.9)
    answers = dict(
        enumerate([prediction(route) for route in ("bug", "feature", "docs", "question")] + [flagged], 1)
    )
    body = "\n".join(lines)
    cases = [case(title, body, number=n, labels=tuple(labels)) for n in answers]
    ctx = context(StubRouter(answers=answers), comment="always", needs_human="story")
    for result in asyncio.run(triage_all(cases, ctx)):
        _sound(result)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x" * 1_000_000,
        "\x00" * 100_000,
        ">" * 50_000,
        "2026-11-20 ERROR at f (a.js:1:2)\n" * 10_000,
        "\ud800" * 500,
    ],
    ids=["empty", "1 MB", "binary", "nested quotes", "10,000 log lines", "half characters"],
)
def test_bad_bodies(body: str) -> None:
    assert text_grows_linearly(_everything, body)
