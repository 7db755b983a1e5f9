"""The small chart beside a digest: how many issues took which route in the last runs."""

import asyncio
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from bot.app.app import App
from bot.report.wording import route_words
from bot.store import runs
from bot.store.database import Transaction
from models.commands import Command
from models.messages import upload_chart
from models.report import RunReport

log = structlog.get_logger()

MOST, FEWEST = 14, 2
"""Runs that are drawn; of one alone there is nothing to compare."""
LOOKED_AT = 60
"""Runs that are looked through for those in which there was something to route."""
WIDTH, HEIGHT = 900, 300
"""Pixels."""
_PARTS = {
    "bug": ("bugs", "#d9480f"),
    "feature": ("features", "#2b8a3e"),
    "docs": ("docs", "#1971c2"),
    "security": ("for review", "#6741d9"),
    "needs_human": ("need a person", "#e8a200"),
}
"""Words and colours, those of the digest's dots."""
_INK, _SOFT, _LINE = "#1d1c1d", "#616061", "#dddddd"


@dataclass(frozen=True, slots=True)
class Bar:
    """One run: when it began (epoch seconds), and its issues by route."""

    at: float
    routes: Mapping[str, int]


async def command(app: App, report: RunReport) -> Command | None:
    """The chart into the thread of the run's digest; None where there is too little to draw, or nothing to draw with.

    It is drawn in a thread. A chart is a help: whatever goes wrong with it, the digest is told without.
    """
    slack = app.settings.integrations.slack
    if slack is None or not slack.chart:
        return None
    bars = await app.database.query(lambda c: history(c, report))
    if len(bars) < FEWEST:
        return None
    try:
        content = await asyncio.to_thread(draw, bars, app.settings.schedule.timezone)
    except ImportError:
        # matplotlib is an extra (`plot`).
        return None
    except Exception as error:
        log.warning("no chart beside the digest", error=type(error).__name__)
        return None
    return upload_chart(report.run_id, content, title=f"Routes of the last {len(bars)} runs", alt=words(bars))


def history(connection: Transaction, report: RunReport) -> list[Bar]:
    """This run and those of its kind before it, as far as there was something to route; the oldest first."""
    found: list[Bar] = []
    for run in runs.alike(connection, report.run_id, report.trigger, LOOKED_AT):
        routes = runs.totals(connection, run.id)["routes"]
        if any(routes.get(route) for route in _PARTS):
            found.append(Bar(run.started_at, routes))
        if len(found) == MOST:
            break
    return found[::-1]


def words(bars: Sequence[Bar]) -> str:
    """What the chart shows, for those who cannot see it."""
    last = ", ".join(
        f"{bars[-1].routes[r]} {route_words(r, bars[-1].routes[r])}" for r in _PARTS if bars[-1].routes.get(r)
    )
    before = ", ".join(str(sum(bar.routes.values())) for bar in bars[:-1])
    return f"Issues by route in the last {len(bars)} runs. The latest: {last}. Before it, in all: {before}."


def draw(bars: Sequence[Bar], zone: str) -> bytes:
    """The bars as a PNG of WIDTH by HEIGHT; ImportError where matplotlib is not installed."""
    # It tells of caches and fonts that it had to do without; nobody asked.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
    from PIL import Image  # comes with matplotlib, which writes its own pictures by it

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)  # the figure draws without a display, whatever $MPLBACKEND says
    axes = figure.add_axes((0.055, 0.17, 0.93, 0.69))
    places = range(len(bars))
    below = [0] * len(bars)
    for route, (name, colour) in _PARTS.items():
        counts = [bar.routes.get(route, 0) for bar in bars]
        if any(counts):
            axes.bar(places, counts, 0.72, bottom=below, color=colour, label=name)
            below = [low + count for low, count in zip(below, counts, strict=True)]
    for place, total in zip(places, below, strict=True):
        axes.annotate(
            f"{total:,}",
            (place, total),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=_INK,
        )
    axes.set_xticks(places, _days(bars, zone))
    # A few runs stand side by side at the left, not as wide as a page.
    axes.set_xlim(-0.6, max(len(bars), 7) - 0.4)
    axes.margins(y=0.12)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)
    axes.tick_params(colors=_SOFT, labelsize=9, length=0)
    figure.legend(
        loc="upper left", ncols=len(_PARTS), frameon=False, fontsize=9, handlelength=1, labelcolor=_INK
    )
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = io.BytesIO()
    # A few colours are enough for bars and letters, and a third of the bytes.
    pixels = bytes(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    picture = Image.frombytes("RGBA", canvas.get_width_height(), pixels).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(drawn, format="png", optimize=True)
    return drawn.getvalue()


def _days(bars: Sequence[Bar], zone: str) -> list[str]:
    """What stands below the bars: days, and the time where two are of one day."""
    times = [datetime.fromtimestamp(bar.at, UTC).astimezone(ZoneInfo(zone)) for bar in bars]
    apart = len({time.date() for time in times}) == len(times)
    return [f"{time:%d %b}" if apart else f"{time:%d %b}\n{time:%H:%M}" for time in times]
