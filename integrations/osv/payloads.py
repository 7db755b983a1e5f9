"""OSV's shapes: queries as it wants them, and what is read of its answers; what does not fit is left out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.case import Advisory

_ID = re.compile(r"[A-Za-z][A-Za-z0-9]{0,20}-[\w.:-]{1,80}")
_RATED = {"critical": "critical", "high": "high", "moderate": "medium", "medium": "medium", "low": "low"}
_SUMMARY, _LISTED = 300, 10
_LINK = "https://osv.dev/vulnerability/"


def query(purl: str, page_token: str = "") -> dict[str, Any]:
    """What to ask of one package; its version is part of its URL."""
    asked: dict[str, Any] = {"package": {"purl": purl}}
    return asked | {"page_token": page_token} if page_token else asked


def read_results(data: Any, asked: int) -> list[tuple[list[str], str]]:
    """(ids, token of the next page) by query, in order; ValueError where that is no answer to as many."""
    results = data.get("results") if isinstance(data, Mapping) else None
    if not isinstance(results, list) or len(results) != asked:
        raise ValueError("results")
    return [_result(result) for result in results]


def _result(result: Any) -> tuple[list[str], str]:
    if not isinstance(result, Mapping):
        return [], ""
    found = [_text(vuln, "id") for vuln in _mappings(result.get("vulns"))]
    return [name for name in found if is_id(name)], _text(result, "next_page_token")


def is_id(name: str) -> bool:
    """Could this be the identifier of a record?"""
    return _ID.fullmatch(name) is not None


def read_record(data: Any) -> Advisory | None:
    """One vulnerability; None where it was withdrawn. ValueError where it is none."""
    if not isinstance(data, Mapping) or not is_id(_text(data, "id")):
        raise ValueError("id")
    if _text(data, "withdrawn"):
        return None
    own = data.get("database_specific")
    label = _text(own, "severity").lower() if isinstance(own, Mapping) else ""
    affected = list(_mappings(data.get("affected")))
    named = data.get("aliases")
    aliases = (
        [name for name in named if isinstance(name, str) and is_id(name)] if isinstance(named, list) else []
    )
    return Advisory(
        id=_text(data, "id"),
        aliases=tuple(aliases[:_LISTED]),
        summary=" ".join((_text(data, "summary") or _text(data, "details"))[: 4 * _SUMMARY].split())[
            :_SUMMARY
        ],
        severity=_RATED.get(label, ""),
        vector=_vector([data, *affected]),
        affected=_unique(_package(one, "purl") or _package(one, "name") for one in affected),
        fixed=_unique(text for one in affected for text in _fixed(one)),
        url=_LINK + _text(data, "id"),
    )


def _vector(parts: Sequence[Mapping[str, Any]]) -> str:
    """The CVSS vector of the newest version of CVSS that somebody rated it by."""
    found = {
        _text(severity, "type"): _text(severity, "score")[:300]
        for part in reversed(parts)
        for severity in _mappings(part.get("severity"))
    }
    return next((found[kind] for kind in ("CVSS_V4", "CVSS_V3", "CVSS_V2") if found.get(kind)), "")


def _fixed(affected: Mapping[str, Any]) -> Iterator[str]:
    name = _package(affected, "name")
    for part in _mappings(affected.get("ranges")):
        for event in _mappings(part.get("events")) if part.get("type") != "GIT" else ():
            version = _text(event, "fixed")[:60]
            if name and version and " " not in version:
                yield f"{name} {version}"


def _package(affected: Mapping[str, Any], key: str) -> str:
    package = affected.get("package")
    return _text(package, key)[:200] if isinstance(package, Mapping) else ""


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in value if isinstance(one, Mapping)) if isinstance(value, list) else iter(())


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _unique(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))[:_LISTED]
