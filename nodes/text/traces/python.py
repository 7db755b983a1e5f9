"""Python tracebacks, with chained ones and those that pytest prints."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(r"[\s|]*File \"([^\"]{1,300})\", line (\d{1,7})(?:, in (.{1,100}))?")
_ERROR = re.compile(r"(?:E {1,7})?([A-Za-z_][\w.]{1,120})(?::\s?(.{0,500}))?$")
_DIRECT_CAUSE = "was the direct cause of the following"


def read(lines: list[str]) -> Found | None:
    """The last traceback of the first chain; its cause where the chain declares one."""
    chain: list[Found] = []
    frames: list[Frame] = []
    rooted = False
    since = 0
    for line in lines:
        if 'File "' in line and (match := _FRAME.match(line)):
            frames.append(Frame(file=match[1], line=number(match[2]), function=(match[3] or "").strip()))
            since = 0
            continue
        if not frames:
            rooted = rooted or (bool(chain) and _DIRECT_CAUSE in line)
            if chain and "Traceback (most" in line and not _follows(since):
                break
            since += 1
            continue
        since += 1
        bare = line.strip(" |+-")
        indented = line[:1] in (" ", "\t") and not line.lstrip().startswith(("|", "E "))
        if bare and not indented and (match := _ERROR.match(bare)):
            chain.append(Found("Python", match[1], match[2] or "", tuple(reversed(frames))))
            frames, since = [], 0
        elif since > 8:
            frames = []
    if frames and not chain:
        return Found("Python", "", "", tuple(reversed(frames)))
    if not chain:
        return None
    return chain[0] if rooted else chain[-1]


def _follows(since: int) -> bool:
    """A chained traceback stands a few lines below the one before."""
    return since <= 6


READER = Reader(
    marks=('File "',),
    read=read,
    library=re.compile(
        r"site-packages|dist-packages|/lib(?:64)?/python\d"
        r"|[\\/][Ll]ib[\\/](?:asyncio|json|threading|concurrent|importlib|logging|unittest|subprocess"
        r"|runpy|socket|ssl|http|urllib|multiprocessing)|^<frozen |^<string>|^<stdin>"
        r"|importlib[\\/]_bootstrap|Python\d{2,3}[\\/][Ll]ib[\\/]|/Frameworks/Python"
    ),
)
