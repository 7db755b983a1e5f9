"""Takes off what logs, containers and mails put before each line of a trace."""

import re

_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|SEVERE|CRITICAL|error|warn|warning|info|debug)"
_PIECE = re.compile(
    r"(?:> ?)+"
    r"|\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[.,\d]{0,12}(?: ?Z| ?[+-]\d\d:?\d\d)?\]?(?: |$)"
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]? "
    # Android: "06-01 12:00:00.001  4321  4321 E Tag: " and "E/Tag( 812): "
    r"|\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6}\s{1,4}\d{1,7}[ -]{1,4}\d{1,7}\s{1,4}[VDIWEF] [\w.$/-]{1,60}\s{0,30}: "
    r"|[VDIWEF]/[\w.$-]{1,60}\s{0,20}\(\s{0,6}\d{1,7}\): "
    # docker compose: "web-1  | "
    r"|[A-Za-z][\w.-]{0,60}\s{0,30}\|(?: |$)"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,80} [\w./@-]{1,60}(?:\[\d{1,7}\])?: "
    rf"|\[{_LEVEL}\] |{_LEVEL}:? (?!\()|(?:pid|tid)=\w{{1,20}} "
)
_PIECES = 6


def bare_lines(lines: list[str]) -> list[str] | None:
    """The lines without what was put before them; None where fewer than two have such a thing."""
    bare: list[str] = []
    changed = 0
    for line in lines:
        end = 0
        for _ in range(_PIECES):
            if not (piece := _PIECE.match(line, end)):
                break
            end = piece.end()
        changed += end > 0
        bare.append(line[end:] if end else line)
    return bare if changed >= 2 else None
