"""Rows that say the same text: counted once, the last label or correction counts, and it is said."""

from models.router.inference.text import Text
from models.router.training.clean import key_of, once
from models.router.training.data import CORRECTED, Row


def row(label: str, time: str = "", weight: float = 1.0, title: str = "A crash", repo: str = "a/b") -> Row:
    return Row(Text(repo, title, "It  fails.\n"), label, time, weight)


def test_the_same_text_is_one_row() -> None:
    found = once(
        [row("bug"), row("bug", title="a  CRASH"), row("bug", title="other"), row("bug", repo="A/B")]
    )
    assert [r.text.title for r in found.rows] == ["other", "A crash"]
    assert (found.repeated, found.relabelled, found.disagreements) == (2, 0, 0)
    assert found.notes == ["2 repeated rows counted once"]
    assert key_of(row("bug").text) == key_of(row("bug", repo="c/d").text)
    assert len(once([row("bug"), row("bug", repo="c/d")]).rows) == 2


def test_the_latest_label_counts() -> None:
    found = once([row("docs", "2025-03-01T00:00:00Z"), row("bug", "2025-01-01"), row("bug", "no date")])
    assert [r.label for r in found.rows] == ["docs"]
    assert (found.repeated, found.relabelled) == (2, 1)
    assert "latest label" in found.notes[1]


def test_a_correction_stands_above_labels_and_the_last_one_above_others() -> None:
    found = once(
        [
            row("docs", "2025-01-01", CORRECTED),
            row("feature", "2025-01-01", CORRECTED),
            row("bug", "2026-01-01"),
        ]
    )
    assert [(r.label, r.weight) for r in found.rows] == [("feature", CORRECTED)]
    assert (found.relabelled, found.disagreements) == (0, 1)
    agreed = once([row("bug"), row("docs", weight=CORRECTED), row("docs", weight=CORRECTED)])
    assert (agreed.relabelled, agreed.disagreements) == (0, 0)


def test_nothing_is_said_of_clean_rows() -> None:
    assert once([row("bug"), row("docs", title="other")]).notes == []
    assert once([]).rows == ()
