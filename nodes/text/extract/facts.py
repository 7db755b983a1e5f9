"""Picks hard facts out of text: error lines, file paths, versions, operating systems."""

import re

from models.text.words import words
from nodes.text.extract.languages import SOURCE_ENDINGS

_TOLD = r"(?:\[\w{1,10}\]| [A-Z]{1,4}\d{1,6})?: ?\S"
# Every alternative begins with a letter of its own: the engine then skips to those letters.
_ERROR_SIGN = re.compile(
    rf"Error(?<=\w\wError)\b|Exception(?<=\w\wException)\b|Error{_TOLD}|ERROR{_TOLD}|error{_TOLD}"
    rf"|fatal{_TOLD}|FATAL{_TOLD}|panicked at|panic: |Segmentation fault|SIGSEGV|SIGABRT"
    r"|AddressSanitizer|Caused by: |npm ERR!|core dumped|Uncaught |Unhandled|exit code [1-9]"
    r"|undefined reference to|command not found|permission denied|Permission denied"
    r"|ECONNREFUSED\b|ECONNRESET\b|EACCES\b|ENOENT\b|EADDRINUSE\b|ETIMEDOUT\b|EMFILE\b|EPERM\b"
    r"|out of memory|Out of memory|OOMKilled"
)
_EDGES = "()[]{}<>,;:!?\"'`*|=…“”‘’"
_PATH = re.compile(
    r"(?:[A-Za-z]:[\\/]|~[\\/]|\.{0,2}[\\/])?[\w.@+~-]{1,100}(?:[\\/][\w.@+~-]{1,100}){0,30}[\\/]?"
)
_LINE_SUFFIX = re.compile(r"(?::\d{1,7}){1,2}$|#L\d{1,7}(?:-L?\d{1,7})?$|\(\d{1,7}(?:,\d{1,7})?\)?$")
_TOP_FOLDERS = words(
    "src lib libs docs doc test tests app apps packages pkg cmd internal include scripts "
    "examples modules "
    "core "
    "tools website content public server client components api config .github etc usr var"
)
_BLOB = re.compile(
    r"https?://github\.com/[\w.-]{1,100}/[\w.-]{1,100}/(?:blob|tree|edit)/[^/\s]{1,100}/([^\s#?)]{1,300})"
)
_NO_FILES = words(
    "node.js vue.js next.js react.js d3.js nuxt.js express.js asp.net three.js discord.js "
    "console.log system.js mocha.js module.js chart.js socket.io moment.js ember.js backbone.js require.js"
)
_VERSION = re.compile(
    r"(?<![\w.:/\\@-])[vV]?\d{1,4}(?:\.\d{1,6}){1,3}"
    r"(?:[-+.]?(?:rc|beta|alpha|dev|pre|post|nightly|canary|next|SNAPSHOT|insider)[\w.-]{0,20})?"
    r"(?![\w/%@]|[.:]\d)"
)
_NAME_BEFORE = re.compile(
    r"(?<![\w.])([A-Za-z][A-Za-z0-9+#_-]{1,30})[\"'`)*]{0,3}[ \t:=|(]{1,4}(?:[Vv]ersion[ :=*]{1,4})?[\"'(]?$"
)
_VERSION_WORD = re.compile(r"(?i)version[^\n]{0,20}$")
_NO_NAMES = words(
    "version versions v is in to from on at of with the and or since for until using by than "
    "release it i "
    "latest about around only was before after like between currently upgrade upgraded over under tag "
    "takes approximately ratio value least minimum section chapter step build jar com org "
    "current affected changing changed click used installed running tested bug issue old new stable recent fixed "
    "high medium low critical severity score cvss rating "
    "broken broke works worked working update updated updating page item line level number all both either"
)
_UNIT = re.compile(
    r"\s{0,2}(?:ms|s|secs?|seconds?|min|minutes?|hours?|[kmgt]i?b|%|px|em|fps|times|million|k|x)\b",
    re.IGNORECASE,
)
_SYSTEM = re.compile(
    r"(?:windows(?: server)?(?: ?(?:xp|vista|7|8\.1|8|10|11|20\d\d))?|win ?(?:7|10|11)"
    r"|mac ?os(?: x)?(?: \d{1,2}(?:\.\d{1,2}){0,2})?|os x(?: \d{1,2}\.\d{1,2})?|darwin"
    r"|ubuntu(?: \d\d\.\d\d)?|debian(?: \d{1,2})?|fedora(?: \d\d)?|arch ?linux|alpine(?: linux)?"
    r"|centos(?: \d)?|rhel(?: \d)?|opensuse|linux mint|manjaro|nixos|raspbian|raspberry pi|freebsd"
    r"|openbsd|linux|wsl ?2?|android(?: \d{1,2})?|ios(?: \d{1,2}(?:\.\d{1,2})?)?|ipados)(?!\w)"
)
_SPELLING = {
    "macos": "macOS",
    "mac os": "macOS",
    "os x": "macOS",
    "ios": "iOS",
    "ipados": "iPadOS",
    "nixos": "NixOS",
    "freebsd": "FreeBSD",
    "openbsd": "OpenBSD",
    "opensuse": "openSUSE",
    "wsl": "WSL",
    "wsl2": "WSL 2",
    "rhel": "RHEL",
    "centos": "CentOS",
    "darwin": "macOS",
    "win": "Windows",
}
_MAX_TRIES = 60
_MAX_WORDS = 1_000
"""Words with a dot or a slash that are looked at; a long log has thousands."""


def error_lines(text: str, limit: int = 12) -> tuple[str, ...]:
    """Lines that tell of an error, each once, at most 200 characters long."""
    found: dict[str, None] = {}
    position = 0
    for _ in range(_MAX_TRIES):
        match = _ERROR_SIGN.search(text, position)
        if match is None or len(found) >= limit:
            break
        start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - 120)
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
        line = " ".join(text[start : min(end, start + 200)].split())
        if line:
            found[line] = None
        position = end
    return tuple(found)


def paths_in(text: str, links: tuple[tuple[str, str], ...] = (), limit: int = 12) -> tuple[str, ...]:
    """File paths that the text or its links name, without line numbers, each once, in order."""
    found: dict[str, None] = {}
    for _, url in links:
        if blob := _BLOB.match(url):
            found[blob[1]] = None
    tries = 0
    for token in text.split():
        if ("." in token[1:-1] or "/" in token or "\\" in token) and 4 <= len(token) <= 300:
            tries += 1
            if len(found) >= limit or tries > _MAX_WORDS:
                break
            if path := _as_path(token):
                found[path] = None
    return tuple(found)[:limit]


def _as_path(token: str) -> str:
    """The path in a word of text; empty where it is something else."""
    if "://" in token or token.startswith("www."):
        return ""
    token = token.strip(_EDGES).rstrip(".")
    if token[-1:].isdigit() or token[-1:] == ")":
        token = _LINE_SUFFIX.sub("", token)
    if len(token) < 4 or not _PATH.fullmatch(token) or token.lower() in _NO_FILES:
        return ""
    path = token.replace("\\", "/")
    parts = path.strip("/.").split("/")
    stem, dot, ending = parts[-1].rpartition(".")
    if dot and stem and ending.lower() in SOURCE_ENDINGS and not stem.replace(".", "").isdigit():
        return path
    # Without a file's ending only a path through a well-known folder is one; "and/or" is none.
    known = len(parts) >= 2 and parts[0].lower() in _TOP_FOLDERS and len(parts[1]) > 2
    return path.rstrip("/") if known and "//" not in path else ""


def versions_in(text: str, limit: int = 12) -> tuple[str, ...]:
    """Versions with the name before them where there is one ("Python 3.11.2"), each once, in order."""
    found: dict[str, str] = {}
    for tries, match in enumerate(_VERSION.finditer(text)):
        if tries >= _MAX_TRIES or len(found) >= limit:
            break
        number = match[0].rstrip(".-")
        before = text[max(0, match.start() - 45) : match.start()]
        name = _version_name(before)
        dots = number.partition("-")[0].count(".")
        told = number[0] in "vV" or _VERSION_WORD.search(before) is not None
        if (
            dots == 1
            and not told
            and (not name[:1].isupper() or number[0] == "0" or _UNIT.match(text, match.end()))
        ):
            continue
        if dots == 3 and not name[:1].isupper():
            continue  # more likely an address in a network
        if name or number not in found:
            found[number] = f"{name} {number}" if name else number
    return tuple(found.values())


def _version_name(before: str) -> str:
    """The name of what has the version; empty where the word before the number is none."""
    match = _NAME_BEFORE.search(before)
    return "" if match is None or match[1].lower() in _NO_NAMES or "_" in match[1] else match[1]


def systems_in(text: str, limit: int = 6) -> tuple[str, ...]:
    """Operating systems that the text names, in their own spelling, each once."""
    found: dict[str, str] = {}
    for tries, match in enumerate(_SYSTEM.finditer(text.lower())):
        if tries >= _MAX_TRIES or len(found) >= limit:
            break
        if match.start() and (text[match.start() - 1].isalnum() or text[match.start() - 1] in "-_/\\."):
            continue
        words = match[0].split(" ")
        first = " ".join(words[:2]) if match[0].startswith(("mac os", "os x")) else words[0]
        rest = match[0][len(first) :].removeprefix(" x").strip()
        name = _SPELLING.get(first, first.capitalize())
        found.setdefault(name, "")
        if rest and not found[name]:
            found[name] = rest.title() if rest.isalpha() else rest
    return tuple(f"{name} {rest}".strip() for name, rest in found.items())
