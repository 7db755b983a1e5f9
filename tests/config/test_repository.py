"""A repository's own configuration: what is good loads, what is bad is named with its line, and nothing hangs."""

from collections.abc import Callable

import pytest

from config.repository import FILE, MAX_BYTES, check, restored
from nodes.text.safety import linear
from tests.growth import grows_linearly, text_grows_linearly

WHOLE = """
enabled: true
comment: useful
needs_human: ask
routes:
  bug: {label: "type: bug"}
  docs: {enabled: false}
rules:
  - {route: bug, pattern: '\\bpanic(s|ked)?\\b', name: panics}
  - {route: feature, action: boost, weight: 2, label: "idea*"}
channels: {digest: "#widgets", security: "C0123456789"}
webhooks: [{url: "https://hooks.example.com/x"}]
"""
LINES = {
    "routes:\n  bgu: {label: x}\nenabeld: false\n": [
        (2, "routes.bgu: unknown key; did you mean bug?"),
        (3, "enabeld: unknown key; did you mean enabled?"),
    ],
    "rules:\n  - route: bug\n    lable: x\n": [(3, "rules.0.lable: unknown key; did you mean label?")],
    "channels:\n  digest: #widgets\n": [(1, "quote the name")],
    "channels: {digest: widgets}": [(1, 'write it like "#widgets"')],
    "channels: {digest: '#a b'}": [(1, 'write it like "#widgets"')],
    "rules: [{route: bug, label: x, repository: a/b}]": [(1, "leave `repository` out")],
    "rules: [{route: bug}]": [(1, "needs a condition: label, author, path or pattern")],
    "rules: [{route: security, action: forbid, label: x}]": [(1, "security cannot be forbidden here")],
    "routes: {security: {enabled: false}}": [(1, "cannot be switched off")],
    "routes: {needs_human: {enabled: false}}": [(1, "cannot be switched off")],
    "routes: {bug: {label: 'a\n\n  b'}}": [(1, "one line of visible characters")],
    "rules: [" + "{route: bug, label: x}," * 51 + "]": [(1, "at most 50 are allowed, not 51")],
    f"rules: [{{route: bug, pattern: {'a' * 501}}}]": [(1, "at most 500 characters")],
    "rules: [{route: bug, pattern: '(a)\\1'}]": [(1, "not an expression that RE2 takes")],
    "rules: [{route: bug, pattern: 'x(?=y)'}]": [(1, "not an expression that RE2 takes")],
    "rules: [{route: bug, pattern: 'a{1,1000}b'}, {route: docs, pattern: 'a{1,1000}c'}]": [
        (1, "too large together")
    ],
    "webhooks: [{url: 'http://hooks.example.com/'}]": [(1, "write it like https://")],
    "webhooks: [{url: 'https://'}]": [(1, "write it like https://")],
    "webhooks: [{url: 'https://u@hooks.example.com/'}]": [(1, "no names and passwords")],
    "webhooks:\n  - {url: 'https://hooks.slack.com/services/T0/B0/abcdefghijkl'}": [(2, "take it out")],
    "slack_token: x": [(1, "secrets come from the environment")],
    "a: &a [x]\nb: *a\n": [(2, "anchors and aliases are not allowed here")],
    "enabled: true\nenabled: false\n": [(2, "given twice")],
    "enabled: [": [(2, "not valid YAML")],
    "enabled: !!python/object/apply:os.system [ls]": [(1, "not valid YAML")],
    "routes: null": [(1, "must hold keys and values")],
}


def aliases(count: int) -> bytes:
    return b"x: &a [" + b"*a," * count + b"]"


def keys(count: int) -> bytes:
    return b"\n".join(b"k%d: 1" % number for number in range(count))


def test_every_key_loads_and_comes_back_from_the_database() -> None:
    settings, mistakes = check(WHOLE.encode())
    assert mistakes == () and settings is not None
    assert settings.routes.bug.label == "type: bug" and not settings.routes.docs.enabled
    assert [rule.route for rule in settings.rules] == ["bug", "feature"]
    assert settings.channels.digest == "#widgets" and settings.webhooks[0].url.endswith("/x")
    assert restored(settings.model_dump(mode="json", exclude_unset=True)) == settings


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xef\xbb\xbfenabled: true\n"])
def test_what_is_left_out_is_as_the_operator_has_it(content: bytes) -> None:
    settings, mistakes = check(content)
    assert settings is not None and settings.enabled and mistakes == ()
    assert settings.comment is None and settings.rules == ()


@pytest.mark.parametrize(("text", "expected"), LINES.items(), ids=range(len(LINES)))
def test_each_mistake_is_one_line_with_its_place(text: str, expected: list[tuple[int, str]]) -> None:
    settings, mistakes = check(text.encode())
    assert settings is None and len(mistakes) == len(expected)
    for mistake, (line, words) in zip(mistakes, expected, strict=True):
        assert mistake.startswith(f"{FILE}:{line}: ") and words in mistake, mistake


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"a" * (MAX_BYTES + 1),
        b"[" * MAX_BYTES,
        b"{a: " * 16_000,
        b"- " * 30_000,
        b"enabled: " + b"9" * 5_000,
        b"enabled: " + b":".join([b"1"] * 20_000),
        b"enabled: 2026-02-31",
        b"[a]",
        b"hello",
        b"? [a]\n: b",
        b"1: 2",
        b"a: 1\n---\nb: 2",
        b'rules: [{route: bug, pattern: "\\ud800"}]',
        aliases(20_000),
        keys(5_000),
    ],
)
def test_hostile_files_are_refused_at_once(content: bytes) -> None:
    settings, mistakes = check(content)
    assert settings is None and 0 < len(mistakes) <= 21
    assert all(len(line) <= 300 and line.isprintable() for line in mistakes)


@pytest.mark.parametrize("make", [aliases, keys])
def test_a_hostile_file_takes_no_more_than_linear_time(make: Callable[[int], bytes]) -> None:
    assert grows_linearly(check, make(20_000), make(5_000))


def test_a_mistake_shows_no_secret_and_no_control_characters() -> None:
    token = "ghp_" + "a1" * 20
    for text in (f"comment: {token}", f'"{token}": 1', '"\\u202egpj\\a": 1'):
        told = " ".join(check(text.encode())[1])
        assert token not in told and told.isprintable()


def test_what_an_older_version_stored_still_switches_off() -> None:
    assert not restored({"enabled": False, "once": "there was"}).enabled
    assert restored({"once": "there was"}).enabled


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "a*a*a*a*a*b", r"(\w+\s?)+:", "[ab]*a[ab]{150}c"]
)
def test_no_pattern_makes_a_text_slow(pattern: str) -> None:
    settings, mistakes = check(f"rules: [{{route: bug, pattern: '{pattern}'}}]".encode())
    assert settings is not None, mistakes
    for text in ("a" * 30_000 + "!", "ab" * 15_000, "word " * 6_000):
        assert text_grows_linearly(lambda part: linear.occurs(pattern, part), text)


def test_patterns_look_at_lines_without_regard_to_case() -> None:
    assert linear.occurs("^panic:", "It fell\nPANIC: here") and not linear.occurs("^panic:", "no panic: here")
    assert not linear.occurs("(", "(") and not linear.occurs("x", "\ud800")
