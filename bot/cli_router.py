"""The commands under `switchyard router`: train, evaluate, predict, explain, list, promote and rollback."""

import csv
import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from models.errors import UserFacing
from models.issue import parse_ref
from models.router.text import Text

if TYPE_CHECKING:
    from models.router.data import Row
    from models.router.store import Store

app = typer.Typer(
    help="Train, measure, use and explain the router.", no_args_is_help=True, add_completion=False
)


@dataclass
class Hooks:
    """What the command line of the whole bot knows and this part does not; set once when it is mounted."""

    load_issue: Callable[[str, Path | None], Text | None] = lambda ref, config: None
    """The stored text of "owner/name#n", with the configuration file that was named."""
    default_model: Callable[[Path | None], str | None] = lambda config: None
    """The configuration's `router.model`; None for the active version of the store."""
    rules: Callable[[Text, Path | None], list[str]] = lambda text, config: []
    """The configured rules that match a text, as sentences."""


hooks = Hooks()

CHUNK = 512
Csvs = Annotated[
    list[Path], typer.Option("--csv", help="CSV with repo,created_at,label,title,body; repeatable.")
]
Csv = Annotated[Path, typer.Option("--csv", help="CSV with repo,created_at,label,title,body.")]
ModelName = Annotated[
    str | None, typer.Option("--model", help="Directory, version of the store, or builtin.")
]
LabelMap = Annotated[
    Path | None, typer.Option("--label-map", help="YAML that maps foreign labels to routes.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Encoding of the CSV.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Config = Annotated[Path | None, typer.Option("--config", help="Configuration file.")]
StoreDir = Annotated[Path | None, typer.Option("--store", help="Where versions are kept.")]


P = ParamSpec("P")
T = TypeVar("T")


def _told(command: Callable[P, T]) -> Callable[P, T]:
    """Errors written for people go to stderr in one line, with exit code 2."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except UserFacing as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None

    return wrapped


@app.command("train")
@_told
def train_command(
    files: Annotated[
        list[Path] | None,
        typer.Option("--csv", help="CSV with repo,created_at,label,title,body; repeatable."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Directory that becomes the model.")] = None,
    label_map: LabelMap = None,
    encoding: Encoding = "utf-8",
    json_output: Json = False,
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """Train a model on labelled issues, above the built-in one."""
    from models.router.predict import BUILTIN

    if not files:
        raise UserFacing(
            "nothing to train on: name labelled issues with --csv FILE "
            "(columns repo,created_at,label,title,body)"
        )
    rows, sources = _read_all(files, label_map, encoding)
    _say("loading scikit-learn" if sys.stderr.isatty() else "")
    from models.router import train
    from models.router.files import save

    base, base_folds = train.load_base()
    places = _store(store)
    active = places.active()
    with _progress("training") as progress:
        trained = train.train(
            rows,
            base,
            base_folds,
            sources,
            champion=None if active == BUILTIN else places.load(active),
            progress=progress,
        )
    for note in trained.notes:
        _say(note)
    written = (
        save(output, trained.arrays, trained.card) if output else places.add(trained.arrays, trained.card)
    )
    if json_output:
        typer.echo(json.dumps(written, indent=2, ensure_ascii=False))
        return
    _print_figures(written)
    typer.echo(f"model {written['version']} in {output or places.path(written['version'])}")
    if not output:
        typer.echo(f"use it: switchyard router promote {written['version']}")


@app.command("evaluate")
@_told
def evaluate_command(
    files: Csvs,
    model: ModelName = None,
    label_map: LabelMap = None,
    encoding: Encoding = "utf-8",
    json_output: Json = False,
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """Measure a model on labelled issues."""
    rows, _ = _read_all(files, label_map, encoding)
    figures = _measure(rows, store, model or hooks.default_model(config))
    if json_output:
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))
        return
    _print_figures(figures)
    if "security" in figures:
        found = figures["security"]
        typer.echo(f"security: {found['flagged']} of {found['rows']} flagged")


def _measure(rows: "list[Row]", store: Path | None, name: str | None) -> dict[str, Any]:
    from models.router.data import SECURITY
    from models.router.evaluate import measure, reliability

    loaded = _store(store).load(name)
    found = []
    with _progress("measuring") as progress:
        for start in range(0, len(rows), CHUNK):
            found += loaded.predict([row.text for row in rows[start : start + CHUNK]])
            progress(min(len(rows), start + CHUNK), len(rows))
    routed = [(row, p) for row, p in zip(rows, found, strict=True) if row.label != SECURITY]
    if not routed:
        raise UserFacing("no rows with a route (bug, feature, docs, question) to measure on")
    truth, said = [row.label for row, _ in routed], [p.route for _, p in routed]
    figures = measure(truth, said, [p.accepted for _, p in routed], [row.text.repo for row, _ in routed])
    figures["reliability"] = reliability(
        [p.confidence for _, p in routed], [t == s for t, s in zip(truth, said, strict=True)]
    )
    secret = [p for row, p in zip(rows, found, strict=True) if row.label == SECURITY]
    if secret:
        figures["security"] = {"rows": len(secret), "flagged": sum(p.security_flag for p in secret)}
    figures["model"] = loaded.version
    return figures


@app.command("predict")
@_told
def predict_command(
    file: Csv,
    output: Annotated[Path, typer.Option("--output", help="CSV to write.")],
    model: ModelName = None,
    encoding: Encoding = "utf-8",
    json_output: Json = False,
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """Predict a route for each issue of a CSV."""
    from models.router.data import read_records, record_text

    loaded = _store(store).load(model or hooks.default_model(config))
    routes: dict[str, int] = {}
    rows = accepted = flagged = 0
    partial = output.with_name(f".{output.name}.partial")
    records = read_records(file, encoding)
    first = next(records, None)  # an unreadable file is refused before anything is written
    records = records if first is None else chain([first], records)
    try:
        with partial.open("w", encoding="utf-8", newline="") as target, _progress("predicting") as progress:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(COLUMNS)
            for texts in _chunks(map(record_text, records)):
                for text, p in zip(texts, loaded.predict(texts), strict=True):
                    writer.writerow(
                        (
                            text.repo,
                            text.title,
                            p.route,
                            p.confidence,
                            str(p.accepted).lower(),
                            p.security_score,
                            str(p.security_flag).lower(),
                        )
                    )
                    routes[p.route] = routes.get(p.route, 0) + 1
                    accepted += p.accepted
                    flagged += p.security_flag
                rows += len(texts)
                progress(rows, 0)
        partial.replace(output)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserFacing(f"{output}: cannot be written ({error.strerror})") from None
    except UserFacing:
        partial.unlink(missing_ok=True)
        raise
    if json_output:
        summary = {
            "rows": rows,
            "routes": routes,
            "accepted": accepted,
            "security_flags": flagged,
            "output": str(output),
            "model": loaded.version,
        }
        typer.echo(json.dumps(summary, indent=2))
        return
    shares = ", ".join(
        f"{count} {route}" for route, count in sorted(routes.items(), key=lambda item: -item[1])
    )
    typer.echo(
        f"{rows} rows: {shares or 'none'}; {accepted} accepted, {flagged} flagged by the security screen"
    )
    typer.echo(f"written to {output}")


def _chunks(texts: Iterator[Text]) -> Iterator[list[Text]]:
    while chunk := list(islice(texts, CHUNK)):
        yield chunk


def _store(root: Path | None) -> "Store":
    from models.router import store

    return store.Store(root or store.DEFAULT)


@app.command("explain")
@_told
def explain_command(
    issue: Annotated[
        str | None, typer.Argument(metavar="OWNER/NAME#N", help="An issue of an earlier run.")
    ] = None,
    repo: Annotated[str, typer.Option("--repo", help="OWNER/NAME of the text.")] = "",
    title: Annotated[str | None, typer.Option("--title", help="Title of the text.")] = None,
    body_file: Annotated[
        Path | None, typer.Option("--body-file", help="File with the body; - for stdin.")
    ] = None,
    model: ModelName = None,
    json_output: Json = False,
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """Say why an issue or a text gets its route."""
    text = _text(issue, repo, title, body_file, config)
    explained = _store(store).load(model or hooks.default_model(config)).explain(text)
    found = explained.prediction
    rules = hooks.rules(text, config)
    if json_output:
        document = {
            "route": found.route,
            "confidence": found.confidence,
            "accepted": found.accepted,
            "probabilities": dict(found.probabilities),
            "security_score": found.security_score,
            "security_flag": found.security_flag,
            "features": {
                "for": [{"feature": s.feature, "weight": s.weight} for s in explained.for_],
                "against": [{"feature": s.feature, "weight": s.weight} for s in explained.against],
            },
            "rules": rules,
            "model": found.model,
        }
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    verdict = "accepted" if found.accepted else "not sure enough; a person decides"
    typer.echo(f"{found.route} ({found.confidence:.0%}, {verdict})")
    typer.echo(f"security screen: {found.security_score:.0%}{', flagged' if found.security_flag else ''}")
    for heading, signs in (("for", explained.for_), ("against", explained.against)):
        typer.echo(f"{heading} {found.route}:")
        for sign in signs:
            typer.echo(f"  {sign.weight:+.3f}  {sign.feature}")
    for rule in rules:
        typer.echo(f"rule: {rule}")
    typer.echo(f"model {found.model}")


def _text(
    issue: str | None, repo: str, title: str | None, body_file: Path | None, config: Path | None
) -> Text:
    if issue is None:
        if title is None and body_file is None:
            raise UserFacing("name an issue (OWNER/NAME#N), or a text with --title and --body-file")
        return Text(repo, title or "", _body(body_file))
    if title is not None or body_file is not None:
        raise UserFacing("name an issue or a text, not both")
    try:
        parse_ref(issue)
    except ValueError as error:
        raise UserFacing(str(error)) from None
    stored = hooks.load_issue(issue, config)
    if stored is None:
        raise UserFacing(
            f"{issue} is not in the database; run `switchyard run --issue {issue}` first, "
            "or use --title and --body-file"
        )
    return stored


def _body(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UserFacing(f"{path}: cannot be read ({error.strerror})") from None
    return data.decode("utf-8-sig", "replace")


@app.command("list")
@_told
def list_command(json_output: Json = False, config: Config = None, store: StoreDir = None) -> None:
    """List the versions of the store."""
    versions = _store(store).versions()
    if json_output:
        document = [
            {"name": v.name, "active": v.active, **{key: v.card.get(key) for key in LISTED}} for v in versions
        ]
        typer.echo(json.dumps({"versions": document}, indent=2))
        return
    for v in versions:
        rows = sum((v.card.get("rows") or {}).values())
        mark = "*" if v.active else " "
        typer.echo(
            f"{mark} {v.name:<22} {v.card.get('created_at', '')[:16]:<17} {rows:>7} rows  "
            f"macro-F1 {v.card.get('macro_f1')}"
        )


@app.command("promote")
@_told
def promote_command(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A version that `list` names.")],
    force: Annotated[bool, typer.Option("--force", help="Promote it even if it is worse.")] = False,
    files: Annotated[
        list[Path] | None, typer.Option("--csv", help="Compare both on this data instead.")
    ] = None,
    label_map: LabelMap = None,
    encoding: Encoding = "utf-8",
    json_output: Json = False,
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """Make a version the active one; refuses a worse one."""
    places = _store(store)
    if files and not force:
        rows, _ = _read_all(files, label_map, encoding)
        ours, theirs = (_measure(rows, store, name)["macro_f1"] for name in (version, places.active()))
        if ours < theirs:
            raise UserFacing(
                f"{version} is not promoted: on this data its macro-F1 is {ours:.3f}, that of the active "
                f"{places.active()} {theirs:.3f}; --force promotes it all the same"
            )
    before = places.promote(version, force=force or bool(files))
    _say_switched(version, before, json_output)


@app.command("rollback")
@_told
def rollback_command(json_output: Json = False, config: Config = None, store: StoreDir = None) -> None:
    """Return to the version that was active before."""
    places = _store(store)
    before = places.active()
    _say_switched(places.rollback(), before, json_output)


def _say_switched(active: str, before: str, json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps({"active": active, "before": before}))
    else:
        typer.echo(f"{active} is active (before: {before})")


LISTED = ("version", "created_at", "rows", "macro_f1", "accuracy", "coverage", "accepted_accuracy", "sha256")
COLUMNS = ("repo", "title", "route", "confidence", "accepted", "security_score", "security_flag")


def _read_all(paths: list[Path], label_map: Path | None, encoding: str) -> "tuple[list[Row], dict[str, int]]":
    from models.router.data import DEFAULT_LABELS, read_label_map, read_rows

    mapping = {**DEFAULT_LABELS, **read_label_map(label_map)} if label_map else None
    rows: list[Row] = []
    sources: dict[str, int] = {}
    for path in paths:
        table = read_rows(path, mapping, encoding)
        for note in table.notes:
            _say(f"{path}: {note}")
        rows += table.rows
        sources[path.name] = sources.get(path.name, 0) + len(table.rows)
    if not rows:
        raise UserFacing(
            f"{', '.join(map(str, paths))}: no row has a known label; --label-map FILE maps labels to routes"
        )
    return rows, sources


def _say(note: str) -> None:
    if note:
        typer.echo(note, err=True)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
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


def _print_figures(figures: dict[str, Any]) -> None:
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
