"""Invented issues for the router's tests, the same each time."""

import csv
import random
from pathlib import Path

from models.router.inference.text import Text
from models.router.training.data import Row

THINGS = ("the kettle", "a tray", "the lamp panel", "the export dialog", "the mooring list", "the tide table")
PHRASES = {
    "bug": (
        "{} crashes when I open it",
        "{} shows an error after the update",
        "{} is broken since version 2.1",
        "wrong result from {}",
    ),
    "feature": (
        "please add a way to sort {}",
        "allow hiding {}",
        "it would be nice to colour {}",
        "support keyboard control for {}",
    ),
    "docs": (
        "typo in the documentation of {}",
        "the guide does not mention {}",
        "document the options of {}",
        "broken link in the readme about {}",
    ),
    "question": (
        "how do I configure {}?",
        "what does {} do?",
        "is it possible to move {}?",
        "where can I find {}?",
    ),
}
EXTRA = {
    "bug": "\n\n## Steps to reproduce\n1. open\n2. wait\n\n```\nTraceback (most recent call last):\n  boom\n```\n",
    "feature": "\n\n### Describe the solution\nA switch would help. Alternatives: none.\n",
    "docs": "\n\nSee https://docs.example.invalid/guide for the page.\n",
    "question": "\n\nI looked around and found no answer. Any hint?\n",
}


def rows(number: int = 240, labels: tuple[str, ...] = tuple(PHRASES), seed: int = 1) -> list[Row]:
    """Labelled issues of three repositories, one a day; every eighth has another label's words."""
    chance = random.Random(seed)
    found = []
    for index in range(number):
        label = labels[index % len(labels)]
        spoken = labels[(index + 1) % len(labels)] if index % 8 == 7 else label
        title = chance.choice(PHRASES[spoken]).format(chance.choice(THINGS))
        body = f"About {chance.choice(THINGS)}, seen {chance.randrange(100)} times.{EXTRA[spoken]}"
        repo = ("harbour/kettle", "harbour/lamp", "quay/tide")[index // len(labels) % 3]
        created = f"2025-{1 + index // 28 % 12:02}-{1 + index % 28:02}T08:00:00Z"
        found.append(Row(Text(repo, title, body), label, created))
    return found


SECRETS = (
    "anyone can read {} without a password",
    "{} shows the token of another person",
    "a forged link opens {}",
)


def reports(number: int = 30, seed: int = 2) -> list[Row]:
    """Security reports in one project's own words, one a day."""
    chance = random.Random(seed)
    return [
        Row(
            Text(
                "harbour/kettle",
                chance.choice(SECRETS).format(chance.choice(THINGS)),
                f"Seen {chance.randrange(1000)} times at quay {index}. The lockkeeper should look at this.",
            ),
            "security",
            f"2025-{1 + index // 28 % 12:02}-{1 + index % 28:02}T09:00:00Z",
        )
        for index in range(number)
    ]


def many(number: int, seed: int = 3) -> list[Row]:
    """Rows of which no two say the same, for the sizes at which training is spread over processes."""
    return [
        Row(Text(row.text.repo, row.text.title, f"{row.text.body} Berth {index}."), row.label, row.created_at)
        for index, row in enumerate(rows(number, seed=seed))
    ]


def write_csv(path: Path, issues: list[Row], label: str | None = "label") -> Path:
    """The rows as a CSV; without labels for None."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["repo", "created_at", *([label] if label else []), "title", "body"])
        for row in issues:
            cells = [
                row.text.repo,
                row.created_at,
                *([row.label] if label else []),
                row.text.title,
                row.text.body,
            ]
            writer.writerow(cells)
    return path
