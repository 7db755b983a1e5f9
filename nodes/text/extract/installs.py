"""Picks the shell commands and the packages out of an issue's text."""

import re
import sys
from collections.abc import Iterator

from models.text.words import words
from nodes.text.extract.languages import language_of_info
from nodes.text.markdown.markdown import Scan

_MAX_BLOCKS, _MAX_LINES, _WIDTH = 20, 300, 200

_TOOLS = words(
    "npm npx pnpm yarn bun deno node tsc ng vue pip pip3 pipx uv poetry conda mamba python python3 py pytest "
    "tox cargo rustup rustc go git docker docker-compose podman kubectl helm minikube brew apt apt-get dnf yum "
    "pacman apk snap gem bundle bundler rails rake ruby composer php artisan dotnet nuget mvn gradle java javac "
    "make cmake ninja gcc g++ clang bazel curl wget sudo terraform ansible flutter dart swift pod adb "
    "systemctl service journalctl az aws gcloud ssh chmod mkdir cd expo eas nx winget choco scoop flatpak"
)
_TOOL_LINE = re.compile(r"(?:sudo )?(?:\./)?([a-z][a-z0-9+.-]{0,30})\s{1,3}[\w./@:\"'<~$-]")
_SCRIPT_LINE = re.compile(r"\./(?:gradlew|mvnw|configure|[\w-]{1,40}\.sh)(?:\s|$)")
_PROMPT = re.compile(
    r"\s{0,8}(?:\([\w.-]{1,40}\) )?(?:[\w.-]{1,40}@[\w.-]{1,60}(?::| )?[\w./~-]{0,100} ?)?[$%❯➜] {1,3}"
    r"(?:[\w./~-]{1,60} git:\([^()\s]{1,60}\) (?:✗ )?)?(\S.{0,300})"
    r"|\s{0,4}(?:PS )?[A-Za-z]:\\[^>\n]{0,120}> ?(\S.{0,300})"
)
_SHELLS = ("Shell", "PowerShell")
_NO_COMMAND = re.compile(
    r"[.!?:,;{(]$|^npm (?:ERR|WARN|notice)|^[\w.-]{1,20} (?:version|v?\d{1,4}\.\d)|=>"
    r"|\b(?:is|are|was|should|does|will|the|and then|not)\b"
)

_INSTALLS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "pypi",
            r"(?:pip3?|pipx|uv pip|uv tool|pip3?\.exe) install |(?:uv|poetry|pdm|pipenv) (?:add|install) ",
        ),
        (
            "npm",
            r"npm (?:install|i|add|update|uninstall) |(?:yarn|pnpm|bun)(?: global)? add |pnpm (?:i|install) |npx ",
        ),
        ("cargo", r"cargo (?:add|install) "),
        ("golang", r"go (?:get|install) "),
        ("gem", r"gem install "),
        ("composer", r"composer (?:require|global require) "),
        ("nuget", r"dotnet add (?:\S{1,100} )?package |Install-Package "),
    )
)
_NAMES = {
    "pypi": re.compile(
        r"([A-Za-z][\w.-]{0,80})(?:\[[\w,-]{0,80}\])?(?:(==)([\w.+!-]{1,30})|[<>~!]=?.{0,40})?$"
    ),
    "npm": re.compile(r"((?:@[\w.-]{1,60}/)?[a-z][\w.-]{0,80})(?:(@)([\w.^~<>=*+-]{1,40}))?$"),
    "cargo": re.compile(r"([A-Za-z][\w-]{0,60})(?:(@)=?([\w.+-]{1,30}))?$"),
    "golang": re.compile(
        r"((?:[\w-]{1,40}\.){1,4}[a-z]{2,8}(?:/[\w.~-]{1,80}){1,8})(?:/\.\.\.)?(?:(@)([\w.+-]{1,60}))?$"
    ),
    "gem": re.compile(r"([A-Za-z][\w.-]{0,80})(?:(:)([\d.]{1,20}))?$"),
    "composer": re.compile(r"([a-z0-9][\w.-]{0,60}/[a-z0-9][\w.-]{0,80})(?:(:)([\w.^~*-]{1,30}))?$"),
    "nuget": re.compile(r"([A-Za-z][\w.]{1,100})()()$"),
}
_VERSION_OPTION = re.compile(r"(?:--version|-v|-Version)[ =]\"?(\d[\w.+-]{0,30})")
_EXACT = re.compile(r"v?\d{1,6}(?:\.\w{1,20}){0,4}(?:[-+!][\w.+-]{1,60})?$")

# Each with groups for name and version (the second may be missing), found anywhere in a line.
_PLACES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, hint, re.compile(pattern))
    for kind, hint, pattern in (
        ("pypi", "-packages", r"(?:site|dist)-packages[\\/]([A-Za-z]\w{1,60})[\\/]()"),
        (
            "npm",
            "node_modules",
            r"node_modules[\\/]((?:@[\w.-]{1,60}[\\/])?[\w.-]{1,80})(?=[\\/])()(?!.{0,200}node_modules)",
        ),
        ("golang", "/pkg/mod/", r"/pkg/mod/([\w.!~/-]{3,160})@(v\d[\w.+-]{0,60})/"),
        (
            "cargo",
            "registry",
            r"registry[\\/]src[\\/][\w.-]{1,80}[\\/]([\w-]{1,60})-(\d{1,6}\.\d[\w.+-]{0,30})[\\/]",
        ),
        ("gem", "/gems/", r"/gems/([\w-]{1,60}?)-(\d{1,6}\.\d[\w.]{0,20})/"),
        (
            "composer",
            "/vendor/",
            r"/vendor/([a-z0-9][\w.-]{0,60}/[a-z0-9][\w.-]{0,60})/()(?=[^\s:]{1,200}\.php)",
        ),
        ("cargo", "Compiling ", r"Compiling ([\w-]{1,60}) v(\d[\w.+-]{0,30})"),
        (
            "nuget",
            "PackageReference",
            r"PackageReference Include=\"([\w.]{1,100})\"(?: Version=\"(\d[\w.-]{0,30})\")?",
        ),
        ("gem", "gem ", r"^\s{0,8}gem ['\"]([\w-]{1,60})['\"](?:, ['\"]=? ?(\d[\w.]{0,20})['\"])?"),
        (
            "pypi",
            "==",
            r"(?:^|[\s\"'`])([A-Za-z][\w.-]{1,60})(?:\[[\w,-]{1,60}\])?==(\d[\w.+!-]{0,30})(?=$|[\s\"'`,;)])",
        ),
        (
            "maven",
            "mplementation",
            r"mplementation[ (]{1,2}"
            r"['\"]([\w.-]{1,80}:[\w.-]{1,80}):(\d[\w.-]{0,30})['\"]",
        ),
        (
            "golang",
            " v",
            r"^\s{0,8}(?:require )?((?:github\.com|gitlab\.com|golang\.org/x|k8s\.io|gopkg\.in)"
            r"/[\w./-]{1,120}) (v\d[\w.+-]{1,60})",
        ),
    )
)
_AT_VERSION = re.compile(
    r"(?<![\w@/.])((?:@[\w.-]{1,60}/)?[a-z][\w.-]{1,60})@(\d{1,5}\.\d{1,5}\.\d[\w.+-]{0,30})(?![\w@])"
)
_JSON_LINE = re.compile(
    r"\s{0,12}\"((?:@[\w.-]{1,60}/)?[a-z][\w./-]{0,80})\": ?\"([\^~]?\d[\w.+-]{0,30})\",?\s*$"
)
_JSON_NO_NAMES = words("version node npm engines yarn lockfileversion")
_IMPORTS: dict[str, tuple[str, re.Pattern[str]]] = {
    "Python": (
        "pypi",
        re.compile(
            r"(?:>>> )?\s{0,8}(?:from ([A-Za-z]\w{0,60})[\w.]{0,100} import |import ([A-Za-z]\w{0,60}))"
        ),
    ),
    "JavaScript": (
        "npm",
        re.compile(
            r".{0,200}?(?:\bfrom ['\"]|\brequire\(['\"]|^import ['\"])"
            r"((?:@[\w.-]{1,60}/)?[a-z][\w.-]{0,80})()(?=[/'\"])"
        ),
    ),
    "Rust": ("cargo", re.compile(r"\s{0,8}(?:pub )?use ([a-z]\w{0,60})()::")),
    "Go": (
        "golang",
        re.compile(
            r"\s{0,8}(?:import )?(?:[\w.]{1,30} )?\"((?:github\.com|gitlab\.com|k8s\.io|golang\.org/x)"
            r"/[\w.-]{1,80}(?:/[\w.-]{1,80})?)()"
        ),
    ),
}
_IMPORTS["TypeScript"] = _IMPORTS["Vue"] = _IMPORTS["JavaScript"]
_DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "jwt": "pyjwt",
    "serial": "pyserial",
    "attr": "attrs",
    "google": "",
    "_pytest": "pytest",
}
"""What installs a module of another name; empty where several packages may."""
_BUILT_IN = {
    "pypi": frozenset(sys.stdlib_module_names)
    | {"setup", "main", "utils", "config", "tests", "test", "src", "app"},
    "npm": words(
        "fs path os http https url util events stream crypto assert child_process buffer net tls zlib cluster dns "
        "readline vm worker_threads process module querystring perf_hooks timers tty install run test start"
    ),
    "cargo": words("std core alloc crate self super proc_macro test"),
}


def commands_in(found: Scan, limit: int = 12) -> tuple[str, ...]:
    """Shell commands without their prompt, each once, at most 200 characters long, in order."""
    kept: dict[str, None] = {}
    for command in _commands(found):
        if len(kept) >= limit:
            break
        kept[command[:_WIDTH].strip()] = None
    return tuple(kept)


def _commands(found: Scan) -> Iterator[str]:
    for block in found.blocks[:_MAX_BLOCKS]:
        shell = language_of_info(block.info) in _SHELLS
        for row in block.text.split("\n", _MAX_LINES)[:_MAX_LINES]:
            if (match := _prompted(row)) or ((shell or not block.info) and _is_command(row.strip())):
                yield match or row.strip()
    for kind, row in found.lines:
        if kind == "log" and (match := _prompted(row)):
            yield match
    for text in found.inline:
        if _is_command(text.strip()):
            yield text.strip()


def _prompted(row: str) -> str:
    if not ("$" in row or "%" in row or "> " in row or ":\\" in row or "❯" in row or "➜" in row):
        return ""
    match = _PROMPT.match(row[:500])
    return (match[1] or match[2] or "").strip() if match else ""


def _is_command(row: str) -> bool:
    if _SCRIPT_LINE.match(row):
        return True
    match = _TOOL_LINE.match(row)
    return match is not None and match[1] in _TOOLS and not _NO_COMMAND.search(row)


def packages_in(found: Scan, commands: tuple[str, ...], limit: int = 12) -> dict[str, str]:
    """Packages as "ecosystem/name[@version]", each with the line it was read from; the ecosystem is never a guess.

    A version is given only where the text names one exactly. A package that is named with its version is not
    given without it.
    """
    kept: dict[tuple[str, str], tuple[str, str, str]] = {}
    for kind, name, version, line in _packages(found, commands):
        key = (kind, name.lower())
        known = kept.get(key)
        if (known is None and len(kept) < limit) or (known and version and not known[1]):
            kept[key] = (name, version, line)
    return {
        f"{kind}/{name}" + (f"@{version}" if version else ""): " ".join(line.split())[:120]
        for (kind, _), (name, version, line) in kept.items()
    }


def _packages(found: Scan, commands: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    for command in commands:
        yield from _installed(command)
    text = found.text
    places = [(kind, hint, pattern) for kind, hint, pattern in _PLACES if hint in text]
    npm = "npm" in text or "yarn" in text or "node_modules" in text or "package.json" in text
    at_version = npm and "@" in text
    if places or at_version:
        for row in text.split("\n", 2_000)[:2_000]:
            yield from _placed(row[:1_000], places, at_version=at_version)
    for block in found.blocks[:_MAX_BLOCKS]:
        language = language_of_info(block.info)
        if language == "JSON" or (not block.info and 'ependencies"' in block.text):
            yield from _listed(block.text)
        elif language in _IMPORTS:
            yield from _imported(block.text, *_IMPORTS[language])


def _installed(command: str) -> Iterator[tuple[str, str, str, str]]:
    for kind, pattern in _INSTALLS:
        match = pattern.search(command)
        if match is None:
            continue
        rest = command[match.end() :].split("&&")[0].split(" | ")[0].split(" #")[0]
        told = _VERSION_OPTION.search(rest)
        skip = False
        for token in rest.split()[:12]:
            skip, skipped = token in ("-r", "-e", "-c", "-v", "-f", "--version", "--index-url", "-i"), skip
            if skipped or token.startswith("-"):
                continue
            name = _NAMES[kind].match(token.strip("\"'`,"))
            if name and not token.endswith((".txt", ".whl", ".gz", ".toml", ".tgz")):
                version = name[3] or (told[1] if told else "")
                yield from _checked(kind, name[1], version or "", command)
            if match[0].startswith("npx"):
                break


def _placed(
    row: str, places: list[tuple[str, str, re.Pattern[str]]], *, at_version: bool
) -> Iterator[tuple[str, str, str, str]]:
    for kind, hint, pattern in places:
        if hint in row and (match := pattern.search(row)):
            yield from _checked(kind, match[1].replace("\\", "/"), match[2] or "", row)
    if at_version and "@" in row:
        for match in _AT_VERSION.finditer(row):
            yield from _checked("npm", match[1], match[2], row)


def _listed(text: str) -> Iterator[tuple[str, str, str, str]]:
    """The dependencies in a piece of a package.json."""
    if 'ependencies"' not in text:
        return
    for row in text[text.index('ependencies"') :].split("\n", _MAX_LINES)[:_MAX_LINES]:
        if (match := _JSON_LINE.match(row)) and match[1] not in _JSON_NO_NAMES:
            yield from _checked("npm", match[1], match[2], row)


def _imported(text: str, kind: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str, str, str]]:
    for row in text.split("\n", _MAX_LINES)[:_MAX_LINES]:
        if match := pattern.match(row[:300]):
            yield from _checked(kind, match[1] or match[2], "", row)


def _checked(kind: str, name: str, version: str, line: str) -> Iterator[tuple[str, str, str, str]]:
    if name in _BUILT_IN.get(kind, ()) or name.startswith("_"):
        return
    if kind == "pypi":
        name = _DISTRIBUTIONS.get(name, name).lower().replace("_", "-").replace(".", "-")
    elif kind in ("npm", "composer"):
        name = name.lower()
    elif kind == "maven":
        name = name.replace(":", "/")
    if name:
        yield kind, name, version if _EXACT.match(version) else "", line
