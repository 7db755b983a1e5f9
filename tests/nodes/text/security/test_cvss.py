"""CVSS vectors: the specifications' own scores, what is said of wrong ones, and that nothing makes it fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.text.security.cvss import Vector, read_vector, vectors_in

WORST = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
FOUR = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
TWO = "AV:N/AC:L/Au:N/C:P/I:P/A:P"


@pytest.mark.parametrize(
    ("text", "version", "score", "severity"),
    [
        (WORST, "3.1", 9.8, "critical"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "3.0", 6.1, "medium"),
        (f"{WORST}/E:P/RL:O", "3.1", 9.8, "critical"),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:L/A:N", "3.1", 1.6, "low"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "3.1", 0.0, "none"),
        (FOUR, "4.0", 9.3, "critical"),
        (TWO, "2.0", 7.5, "high"),
        (f"CVSS:2.0/{TWO}", "2.0", 7.5, "high"),
    ],
)
def test_a_right_vector_is_scored(text: str, version: str, score: float, severity: str) -> None:
    assert read_vector(text) == Vector(text, version=version, score=score, severity=severity)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "missing A"),
        ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "unknown value X in field AV:X"),
        ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "duplicate metric AV"),
        (f"{WORST}/ZZ:Q", "unknown metric ZZ in field ZZ:Q"),
        (f"{WORST}/", "trailing /"),
        ("CVSS:3.1/AV", "malformed part AV"),
        ("CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "there is no CVSS 3.2"),
        ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "its version is missing"),
        ("cvss:3.1/av:n/ac:l/pr:n/ui:n/s:u/c:h/i:h/a:h", "its letters are not capitals"),
        ("AV:N/AC:L/Au:N/C:P/I:P", "missing A"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N", "missing SA"),
        (WORST + "/" + "E:P/" * 100, "too long"),
        ("", "vector is empty"),
    ],
)
def test_a_wrong_vector_says_why_and_nothing_else(text: str, why: str) -> None:
    assert read_vector(text) == Vector(text[:300], wrong=why)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Rated {WORST}.", [WORST]),
        (f"`{WORST}` ({TWO})", [WORST, TWO]),
        (f"[{FOUR}](https://example.com/?v={WORST})", [FOUR, WORST]),
        (f"{WORST} {WORST}", [WORST]),
        ("CVSS:3.1 score 9.8", []),
        ("NAV:N/x CAV:N/AC:L", []),
        (f"{WORST}\n" + "\n".join(f"CVSS:3.1/AV:{n}" for n in range(100_000)), None),
    ],
)
def test_where_vectors_stand(text: str, found: list[str] | None) -> None:
    texts = [vector.text for vector in vectors_in(text)]
    assert texts == found if found is not None else len(texts) == 5


VECTORS = st.sampled_from([WORST, FOUR, TWO, f"CVSS:2.0/{TWO}"])
PIECES = st.text(alphabet="CVSAPRUINLHXEMau:/.0123459 \n\x00é", max_size=6)


@settings(max_examples=200, deadline=None)
@given(VECTORS, st.lists(st.tuples(st.integers(0, 80), st.integers(0, 8), PIECES), min_size=1, max_size=5))
def test_no_mutation_makes_it_fail(vector: str, changes: list[tuple[int, int, str]]) -> None:
    for at, length, piece in changes:
        vector = vector[:at] + piece + vector[at + length :]
    found = read_vector(vector)
    assert bool(found.wrong) != bool(found.severity)
    assert 0 <= found.score <= 10
    assert all(read_vector(one.text) == one for one in vectors_in(f"x {vector} y"))
