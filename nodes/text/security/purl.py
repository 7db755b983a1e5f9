"""Packages that a text names, with their version, as package URLs: what a vulnerability database can be asked for."""

import re
from collections.abc import Iterable

_TYPES = {
    "pypi": "pypi",
    "pip": "pypi",
    "npm": "npm",
    "maven": "maven",
    "cargo": "cargo",
    "crates.io": "cargo",
    "golang": "golang",
    "go": "golang",
    "gem": "gem",
    "rubygems": "gem",
    "nuget": "nuget",
    "composer": "composer",
    "packagist": "composer",
    "hex": "hex",
    "pub": "pub",
    "hackage": "hackage",
    "cran": "cran",
    "swift": "swift",
}
"""Ecosystems that OSV knows, by the names they go under."""
_NAME = re.compile(r"@?[A-Za-z0-9][\w.~-]{0,99}(?:/[\w.~-]{1,100}){0,5}", re.ASCII)
_VERSION = re.compile(r"v?\d[\w.+~-]{0,39}", re.ASCII)
_PURL = re.compile(r"(?<![\w:/])pkg:[a-z][a-z.]{1,20}/[\w.%@/~+-]{1,200}@[\w.%+~-]{1,60}")
_MAVEN = re.compile(
    r"(?<![\w.:/-])([a-z][\w-]{1,40}(?:\.[\w-]{1,40}){1,6}:[a-zA-Z][\w.-]{1,60})"
    r":(\d{1,5}(?:\.\d{1,6}){1,3}[\w.-]{0,20})"
)
_NAMED = re.compile(
    r"(?<![\w@./:-])(@?[A-Za-z][\w.-]{1,60}(?:/[\w.-]{1,60}){0,4})(@|===?)\s?"
    r"(v?\d{1,5}(?:\.\d{1,6}){1,3}(?:[-+.]?[A-Za-z][\w.-]{0,20})?)"
)
_NODE = re.compile(
    r"(?<![\w.-])(?:npm|npx|yarn|pnpm|node_modules|package(?:-lock)?\.json|node\.?js)(?![\w-])"
)
_TRIES = 200


def purl_of(ecosystem: str, name: str, version: str) -> str:
    """The package URL; empty where the ecosystem is none that is known, or a part holds what no name holds."""
    # It takes 30 ms to import, and most texts name no package.
    from packageurl import PackageURL

    kind = _TYPES.get(ecosystem.lower())
    name = name.replace(":", "/") if kind == "maven" else name
    if kind is None or not _NAME.fullmatch(name) or not _VERSION.fullmatch(version) or ".." in name:
        return ""
    namespace, _, last = name.rpartition("/")
    if kind == "maven" and not namespace:
        return ""
    try:
        return PackageURL(kind, namespace or None, last, version).to_string()
    except ValueError:
        return ""


def read_purl(text: str) -> str:
    """A package URL that a text holds, less its qualifiers and sub-path; empty where it is none with a version."""
    from packageurl import PackageURL

    try:
        found = PackageURL.from_string(text)
    except ValueError:
        return ""
    name = f"{found.namespace}/{found.name}" if found.namespace else found.name
    return purl_of(found.type, name, found.version or "")


def told(packages: Iterable[str], limit: int = 12) -> tuple[str, ...]:
    """Of packages as "ecosystem/name@version" those that make a package URL."""
    found: dict[str, None] = {}
    for text in packages:
        ecosystem, _, rest = text.partition("/")
        name, at, version = rest.rpartition("@")
        if at and (purl := purl_of(ecosystem, name, version)):
            found.setdefault(purl)
        if len(found) >= limit:
            break
    return tuple(found)


def purls_in(text: str, limit: int = 12) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(package URLs, other packages as "name version") that the prose of a text names with a version."""
    urls: dict[str, None] = {}
    others: dict[str, None] = {}
    for match, _ in zip(_PURL.finditer(text), range(_TRIES), strict=False):
        if purl := read_purl(match[0].rstrip(".")):
            urls.setdefault(purl)
    for match, _ in zip(_MAVEN.finditer(text), range(_TRIES), strict=False):
        if purl := purl_of("maven", match[1], match[2].rstrip(".-")):
            urls.setdefault(purl)
    node = _NODE.search(text.lower()) is not None
    for match, _ in zip(_NAMED.finditer(text), range(_TRIES), strict=False):
        name, version = match[1], match[3].rstrip(".-")
        kind = _guess(name, match[2], node)
        purl = purl_of(kind, name, version) if kind else ""
        if purl:
            urls.setdefault(purl)
        elif "." not in name.rpartition("/")[2]:
            others.setdefault(f"{name} {version}")
    return tuple(urls)[:limit], tuple(others)[:limit]


def _guess(name: str, sign: str, node: bool) -> str:
    """The ecosystem that a name and the sign before its version speak for; empty where they do not."""
    if sign == "==":
        return "" if "/" in name or name.startswith("@") else "pypi"
    if sign != "@":
        return ""
    if name.startswith("@"):
        return "npm" if name.count("/") == 1 else ""
    if "." in name.partition("/")[0] and "/" in name:
        return "golang"
    return "npm" if node and "/" not in name else ""


def spoken(purl: str) -> str:
    """A package URL as people write it: name and version."""
    name, _, version = purl.partition("/")[2].rpartition("@")
    return f"{name.replace('%40', '@')} {version}" if name else purl
