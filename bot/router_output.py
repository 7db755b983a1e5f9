"""What the router commands show: where a long work stands, figures, and why a text gets its route."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from models.case import LABELS, Prediction

if TYPE_CHECKING:
    from models.router.inference.predict import Explanation


def say(note: str) -> None:
    """A note on stderr, where there is one."""
    if note:
        typer.echo(note, err=True)


@contextmanager
def status(what: str) -> Iterator[Callable[[str], None]]:
    """A line that says where a reading stands, on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(what) as status:
        yield lambda text: status.update(escape(text))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, silence elsewhere; called with how much is done and of how much (0: unknown)."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


def print_figures(figures: dict[str, Any]) -> None:
    """Accuracy, coverage and a line for each route; of `evaluate` and of a card."""
    right = figures["accepted_accuracy"]
    typer.echo(
        f"accuracy {figures['accuracy']:.3f}, macro-F1 {figures['macro_f1']:.3f}; "
        f"accepted {figures['coverage']:.0%}" + (f", of those {right:.1%} right" if right is not None else "")
    )
    typer.echo(f"{'route':<10}{'precision':>10}{'recall':>8}{'f1':>8}{'rows':>8}")
    for route, line in figures["routes"].items():
        typer.echo(
            f"{route:<10}{line['precision']:>10.3f}{line['recall']:>8.3f}{line['f1']:>8.3f}{line['rows']:>8}"
        )


def print_confusion(confusion: dict[str, dict[str, int]]) -> None:
    """One line for each route that rows have, one column for each that they were given."""
    said = [route for route in LABELS if any(line.get(route) for line in confusion.values())]
    typer.echo("is \\ said  " + "".join(f"{route:>10}" for route in said))
    for route, line in confusion.items():
        typer.echo(f"{route:<11}" + "".join(f"{line.get(name, 0):>10}" for name in said))


def explanation(explained: "Explanation", rules: Sequence[str]) -> dict[str, Any]:
    """The JSON document of `explain`."""
    found = explained.prediction
    return {
        "route": found.route,
        "confidence": found.confidence,
        "accepted": found.accepted,
        "threshold": found.thresholds.get(found.route),
        "probabilities": dict(found.probabilities),
        "security_score": found.security_score,
        "security_flag": found.security_flag,
        "features": {
            "for": [{"feature": s.feature, "weight": s.weight} for s in explained.for_],
            "against": [{"feature": s.feature, "weight": s.weight} for s in explained.against],
        },
        "rules": list(rules),
        "model": found.model,
    }


def print_explanation(explained: "Explanation", rules: Sequence[str]) -> None:
    """The same in words."""
    found = explained.prediction
    typer.echo(f"{found.route} ({verdict(found)})")
    typer.echo(f"security screen: {found.security_score:.0%}{', flagged' if found.security_flag else ''}")
    for heading, signs in (("for", explained.for_), ("against", explained.against)):
        typer.echo(f"{heading} {found.route}:")
        for sign in signs:
            typer.echo(f"  {sign.weight:+.3f}  {sign.feature}")
    for rule in rules:
        typer.echo(f"rule: {rule}")
    typer.echo(f"model {found.model}")


def verdict(found: Prediction) -> str:
    """How sure, how sure it must be, and what follows: "62%, needs 88%: a person decides"."""
    needed = found.thresholds.get(found.route)
    end = "accepted" if found.accepted else "a person decides"
    if needed is None:
        return f"{found.confidence:.0%}, never sure enough: {end}"
    # As many digits as tell the two apart: 87.6 and 88.4 are both 88.
    digits = next((d for d in range(5) if f"{found.confidence:.{d}%}" != f"{needed:.{d}%}"), 0)
    return f"{found.confidence:.{digits}%}, needs {needed:.{digits}%}: {end}"
