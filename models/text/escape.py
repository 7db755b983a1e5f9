"""Makes foreign text harmless where it is published: no mentions, no control characters, no broken markup."""

import re

from models.case import Section
from models.text.secrets import redact

SECTION_LIMIT = 4_000

# Control characters, invisible and direction-changing ones, lone surrogates; the joiners U+200C and U+200D
# stay because emoji and several scripts need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_MENTION = re.compile(r"(?<![^\W_])@(?=\w)")
_SPACES = re.compile(r"\s+")
_MARKUP = re.compile(r"([\\`*\[\]<>|])")
_LONG_FENCE = re.compile(r"`{3,}")
_HUGE_FENCE = re.compile(r"`{9,}")
_COMMENT_MARK = re.compile(r"<!--|-->")


def clean(text: str) -> str:
    """Text without control and invisible characters, with plain line ends; encodable as UTF-8."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    return _UNWANTED.sub("", text)


def calm(text: str) -> str:
    """Text in which `@name` notifies nobody; call it last, `clean` would undo it."""
    return _MENTION.sub("@\u200b", text) if "@" in text else text


def one_line(text: str, limit: int) -> str:
    """Everything on one line of at most `limit` characters."""
    line = _SPACES.sub(" ", text[: limit * 4]).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def headline(title: str, limit: int = 200) -> str:
    """An issue's title as plain text: clean, without secrets, comments and mentions; may be empty."""
    text = clean(title[:2_000])
    if "--" in text:
        text = _without_comments(text)
    return calm(one_line(redact(text)[0], limit))


def inline(text: str, limit: int = 300) -> str:
    """Foreign text as a piece of one markdown line, shown as it was written."""
    return calm(_MARKUP.sub(r"\\\1", one_line(clean(text[: 4 * limit]), limit)))


def address(url: str) -> str:
    """The target of a markdown link: an address that cannot leave its brackets."""
    return one_line(url, 500).replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("<", "%3C")


def code(text: str, limit: int = 200) -> str:
    """Foreign text as an inline code span."""
    return f"`{one_line(clean(text[: 4 * limit]), limit).replace('`', chr(39))}`"


def fenced(text: str, info: str = "") -> str:
    """Text as a fenced block that its own fences cannot close; absurdly long runs of backticks are cut."""
    text = _HUGE_FENCE.sub("`" * 8, text)
    longest = max((len(run) for run in _LONG_FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text}\n{fence}"


def bounded(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a line's end where there is one near, with an open fence closed."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 20]
    cut = kept.rfind("\n")
    if cut > len(kept) // 2:
        kept = kept[:cut]
    fence = open_fence(kept)
    return kept + (f"\n{fence}" if fence else "") + "\n…"


def open_fence(text: str) -> str:
    """The fence that a markdown text leaves open; empty where all are closed."""
    fence = ""
    for line in text.split("\n"):
        start = line.lstrip(" >")
        if not start.startswith(("```", "~~~")):
            continue
        run = start[: len(start) - len(start.lstrip(start[0]))]
        if not fence:
            fence = run if start[0] == "~" or "`" not in start[len(run) :] else ""
        elif start.rstrip() == run and run.startswith(fence):
            fence = ""
    return fence


def quoted(text: str) -> str:
    """Every line as a quote."""
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def section(title: str, *lines: str) -> Section:
    """A section of the story, bounded; the lines must be escaped already."""
    return Section(title=title, body=bounded("\n".join(lines), SECTION_LIMIT))


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 comment", "2 comments"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _without_comments(text: str) -> str:
    """Cut HTML comments out of one line; a lone marker goes too."""
    kept: list[str] = []
    while True:
        start = text.find("<!--")
        end = text.find("-->", start + 4)
        if start < 0 or end < 0:
            kept.append(_COMMENT_MARK.sub("", text))
            return "".join(kept)
        kept.append(text[:start])
        text = text[end + 3 :]
