"""The commands under `switchyard router`: train, evaluate, predict, explain, list, promote and rollback."""

import csv
import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from bot.router_input import CHUNK, label_map_of, measure_model, read_all, read_body
from bot.router_output import (
    explanation,
    print_confusion,
    print_explanation,
    print_figures,
    progress,
    say,
    status,
)
from bot.training import Lesson
from models.errors import UserFacing
from models.issue import parse_ref
from models.router.inference.text import Text

if TYPE_CHECKING:
    from models.router.inference.predict import Model
    from models.router.inference.store import Store

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
    lesson: Callable[[Path | None, "Mapping[str, str] | None", Callable[[str], None]], Lesson] = (
        lambda config, label_map, told: Lesson((), {})
    )
    """What the configured repositories' labels and the recorded corrections teach."""
    drift: Callable[[Path | None], list[dict[str, Any]]] = lambda config: []
    """Decisions week by week."""
    accept_threshold: Callable[[Path | None], float | None] = lambda config: None
    """The configuration's `router.accept_threshold`; None for the model's own."""
    note: Callable[[Path | None, str, str, str], None] = lambda config, action, version, before: None
    """Notes in the audit log which version was promoted or returned to, and from which."""


hooks = Hooks()

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
    """Train a model on labelled issues: of CSV files, or of the configured repositories with all corrections."""
    if files:
        rows, sources = read_all(files, label_map, encoding)
        lesson = Lesson(tuple(rows), sources)
    else:
        with status("reading labelled issues") as told:
            lesson = hooks.lesson(config, label_map_of(label_map), told)
    for note in lesson.notes:
        say(note)
    say("loading scikit-learn" if sys.stderr.isatty() else "")
    from bot.training import train_version

    places = _store(store)
    with progress("training") as advance:
        card, notes = train_version(lesson, places, output, advance)
    for note in notes:
        say(note)
    if json_output:
        typer.echo(json.dumps(card, indent=2, ensure_ascii=False))
        return
    print_figures(card)
    typer.echo(f"model {card['version']} in {output or places.path(card['version'])}")
    if not output:
        typer.echo(f"use it: switchyard router promote {card['version']}")


@app.command("evaluate")
@_told
def evaluate_command(
    files: Csvs,
    model: ModelName = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Write a reliability diagram.")
    ] = None,
    label_map: LabelMap = None,
    encoding: Encoding = "utf-8",
    json_output: Json = False,
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """Measure a model on labelled issues."""
    if plot:
        from models.router.training.plot import check, draw

        check(plot)
    rows, _ = read_all(files, label_map, encoding)
    loaded = _model(store, model, config)
    figures = measure_model(rows, loaded)
    if plot:
        draw(plot, figures["reliability"], figures["thresholds"], loaded.version)
        say(f"reliability diagram in {plot}")
    if json_output:
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))
        return
    print_figures(figures)
    print_confusion(figures["confusion"])
    if "security" in figures:
        found = figures["security"]
        typer.echo(f"security: {found['flagged']} of {found['rows']} flagged")


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
    from models.router.training.data import read_records, record_text

    partial = _partial(output, file)
    loaded = _model(store, model, config)
    routes: dict[str, int] = {}
    rows = accepted = flagged = 0
    records = read_records(file, encoding)
    first = next(records, None)  # an unreadable file is refused before anything is written
    records = records if first is None else chain([first], records)
    try:
        with partial.open("w", encoding="utf-8", newline="") as target, progress("predicting") as advance:
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
                advance(rows, 0)
        if partial != output:
            partial.replace(output.resolve())
    except OSError as error:
        raise UserFacing(f"{output}: cannot be written ({error.strerror})") from None
    finally:
        if partial != output:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
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


def _partial(output: Path, source: Path) -> Path:
    """Where rows are written first, beside `output`; `output` itself where that is a pipe or a device."""
    try:
        if output.is_dir() or not output.name:
            raise UserFacing(f"{output}: is a directory; name the CSV to write")
        if output.exists() and source.exists() and output.samefile(source):
            raise UserFacing(f"{output}: is the CSV that is read; name another for --output")
        if output.exists() and not output.is_file():
            return output
        target = output.resolve()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "a loop of links"
        raise UserFacing(f"{output}: cannot be written ({reason})") from None
    return target.with_name(f".{target.name}.partial")


def _chunks(texts: Iterator[Text]) -> Iterator[list[Text]]:
    while chunk := list(islice(texts, CHUNK)):
        yield chunk


def _store(root: Path | None) -> "Store":
    from models.router.inference import store

    return store.Store(root or store.DEFAULT)


def _model(root: Path | None, name: str | None, config: Path | None) -> "Model":
    """The named model, else the configured one, with the configured threshold in place of its own."""
    found = _store(root).load(name or hooks.default_model(config))
    return found.with_threshold(hooks.accept_threshold(config))


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
    explained = _model(store, model, config).explain(text)
    rules = hooks.rules(text, config)
    if json_output:
        typer.echo(json.dumps(explanation(explained, rules), indent=2, ensure_ascii=False))
    else:
        print_explanation(explained, rules)


def _text(
    issue: str | None, repo: str, title: str | None, body_file: Path | None, config: Path | None
) -> Text:
    if issue is None:
        if title is None and body_file is None:
            raise UserFacing("name an issue (OWNER/NAME#N), or a text with --title and --body-file")
        return Text(repo, title or "", read_body(body_file))
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


@app.command("drift")
@_told
def drift_command(json_output: Json = False, config: Config = None) -> None:
    """Show week by week how much the router left to people, and how often it was corrected."""
    weeks = hooks.drift(config)
    if json_output:
        typer.echo(json.dumps({"weeks": weeks}, indent=2))
        return
    if not weeks:
        typer.echo("no decisions yet; `switchyard run` makes some")
        return
    typer.echo(f"{'week from':<12}{'decided':>9}{'left to people':>18}{'corrected':>14}")
    for week in weeks:
        shares = [
            f"{week[name]} ({week[f'{name}_share']:.0%})" if week[f"{name}_share"] is not None else "-"
            for name in ("abstained", "corrected")
        ]
        typer.echo(f"{week['week']:<12}{week['decided']:>9}{shares[0]:>18}{shares[1]:>14}")


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
        rows, _ = read_all(files, label_map, encoding)
        ours, theirs = (measure_model(rows, places.load(v))["macro_f1"] for v in (version, places.active()))
        if ours < theirs:
            raise UserFacing(
                f"{version} is not promoted: on this data its macro-F1 is {ours:.3f}, that of the active "
                f"{places.active()} {theirs:.3f}; --force promotes it all the same"
            )
    before = places.promote(version, force=force or bool(files))
    hooks.note(config, "promote", version, before)
    _say_switched(version, before, json_output)


@app.command("rollback")
@_told
def rollback_command(json_output: Json = False, config: Config = None, store: StoreDir = None) -> None:
    """Return to the version that was active before."""
    places = _store(store)
    before = places.active()
    active = places.rollback()
    hooks.note(config, "rollback", active, before)
    _say_switched(active, before, json_output)


def _say_switched(active: str, before: str, json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps({"active": active, "before": before}))
    else:
        typer.echo(f"{active} is active (before: {before})")


LISTED = ("version", "created_at", "rows", "macro_f1", "accuracy", "coverage", "accepted_accuracy", "sha256")
COLUMNS = ("repo", "title", "route", "confidence", "accepted", "security_score", "security_flag")
