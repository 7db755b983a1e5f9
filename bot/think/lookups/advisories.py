"""Asks OSV for published vulnerabilities, and keeps what it said for a day. Only ids and package names go out."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from bot.store import answers
from bot.think.sources import Sources
from models.asks import FindAdvisories
from models.case import SEVERITIES, Advisory
from models.commands import payload_hash
from models.text.escape import clean
from nodes.text.security.cvss import read_vector

if TYPE_CHECKING:
    from integrations.osv.client import OsvClient

KIND = "advisories"
KEPT = 86_400.0
"""Seconds for which an answer is believed."""
MOST = 10
"""Vulnerabilities that are read for one question; those that were named come first."""
MOST_NAMED, MOST_PACKAGES = 20, 50


async def find(sources: Sources, ask: FindAdvisories, run: str) -> tuple[Advisory, ...] | None:
    """What is known, gravest first, and kept where it is for a run; None where OSV is off. models.errors where it
    does not answer."""
    if sources.osv is None:
        return None
    now = time.time()
    key = f"{KIND}:{payload_hash(asdict(ask))}"
    kept = await sources.database.query(lambda c: answers.find(c, key, since=now - KEPT))
    if kept is not None:
        return tuple(_read(one) for one in kept[KIND])
    found = await _look_up(sources.osv, ask)
    data = {KIND: [asdict(one) for one in found]}
    if run:
        await sources.database.run(
            lambda c: answers.keep(c, key=key, kind=KIND, run_id=run, at=now, data=data)
        )
    return found


async def _look_up(osv: "OsvClient", ask: FindAdvisories) -> tuple[Advisory, ...]:
    names = dict.fromkeys(ask.ids[:MOST_NAMED])
    packages = ask.packages[:MOST_PACKAGES]
    if packages:
        affecting = await osv.affecting(packages)
        names |= dict.fromkeys(name for ids in affecting.values() for name in ids)
    found: list[Advisory] = []
    for name in list(names)[:MOST]:
        # The same thing has a CVE, a GHSA and an ecosystem's own name.
        if any(name in (one.id, *one.aliases) for one in found):
            continue
        known = await osv.record(name)
        if known is not None and all(known.id not in (one.id, *one.aliases) for one in found):
            found.append(_rated(_clean(known)))
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.severity)))


_ORDER: Sequence[str] = (*SEVERITIES, "")


def _clean(known: Advisory) -> Advisory:
    """Without control and invisible characters: its words go into stories."""
    values: dict[str, Any] = {
        name: clean(value) if isinstance(value, str) else tuple(map(clean, value))
        for name, value in asdict(known).items()
    }
    return Advisory(**values)


def _rated(known: Advisory) -> Advisory:
    """Its vector says more than a label; a vector that is wrong says nothing."""
    vector = read_vector(known.vector) if known.vector else None
    if vector is None or vector.wrong:
        return replace(known, vector="")
    return replace(known, severity="low" if vector.severity == "none" else vector.severity)


def _read(data: dict[str, Any]) -> Advisory:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    return Advisory(**values)
