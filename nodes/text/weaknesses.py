"""What a text says of a vulnerability: identifiers, vectors, packages, kinds of weakness, secrets."""

import re
from dataclasses import dataclass
from functools import lru_cache

from models.issue import Issue
from nodes.text.escape import clean
from nodes.text.markdown import scan
from nodes.text.secrets import redact

_ID = re.compile(
    r"CVE-\d{4}-\d{4,7}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|CWE-\d{1,4}|OSV-\d{4}-\d{1,7}"
    r"|RUSTSEC-\d{4}-\d{4}",
    re.I,
)
_VECTOR = re.compile(r"(?:CVSS:[34]\.[01]/|\()?AV:[A-Z](?:/[A-Za-z]{1,3}:[A-Z]{1,2}){4,30}")
_PACKAGE = re.compile(
    r"(?<![\w@./-])(@?[A-Za-z][\w.-]{1,60}(?:/[\w.-]{1,60})?)(?:@|=="
    r"|[<>~^]=?)\s?v?(\d{1,5}(?:\.\d{1,6}){1,3}[\w.-]{0,20})"
)
_AFFECTED = re.compile(
    r"(?:versions? )?(?:(?:<=?|>=?|before|prior to|up to|through|until)\s?v?\d{1,5}(?:\.\d{1,6}){1,3})"
)
_FIXED = re.compile(r"(?:fixed|patched|resolved) in (?:version )?v?(\d{1,5}(?:\.\d{1,6}){1,3})")
_V3 = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "NLH", "I": "NLH", "A": "NLH"}
_V2 = {"AV": "NAL", "AC": "LMH", "Au": "NSM", "C": "NPC", "I": "NPC", "A": "NPC"}
_V4 = {
    "AV": "NALP",
    "AC": "LH",
    "AT": "NP",
    "PR": "NLH",
    "UI": "NPA",
    "VC": "NLH",
    "VI": "NLH",
    "VA": "NLH",
    "SC": "NLH",
    "SI": "NLHS",
    "SA": "NLHS",
}


@dataclass(frozen=True, slots=True)
class Weakness:
    """One kind of weakness: its name, its CWE, and what to do first about it."""

    name: str
    cwe: str
    grave: bool
    step: str
    pattern: re.Pattern[str]


def _kind(name: str, cwe: str, grave: bool, words: str, step: str) -> Weakness:
    return Weakness(name, cwe, grave, step, re.compile(words))


KINDS = (
    _kind(
        "remote code execution",
        "CWE-94",
        True,
        r"remote code execution|\brce\b|arbitrary code|code injection|execute arbitrary"
        r"|\beval\(.{0,40}(?:user|input|request)",
        "Find every place where this input reaches an interpreter or loader and close it; look for signs "
        "of use in logs.",
    ),
    _kind(
        "command injection",
        "CWE-78",
        True,
        r"command injection|shell injection|os injection|shell=true|execute arbitrary commands?",
        "Pass arguments as a list without a shell; check each caller that builds a command from input.",
    ),
    _kind(
        "SQL injection",
        "CWE-89",
        True,
        r"sql injection|\bsqli\b|unsanitized sql|inject(?:s|ed|ing)? sql",
        "Bind parameters instead of building the query text; check the other queries of the same module.",
    ),
    _kind(
        "cross-site scripting",
        "CWE-79",
        False,
        r"cross.site scripting|\bxss\b|<script>|onerror=|html injection|javascript:",
        "Escape on output where the value is shown, and add a test with the reported payload.",
    ),
    _kind(
        "cross-site request forgery",
        "CWE-352",
        False,
        r"\bcsrf\b|\bxsrf\b|cross.site request forgery",
        "Require a token or a same-site check on every request that changes something.",
    ),
    _kind(
        "server-side request forgery",
        "CWE-918",
        True,
        r"\bssrf\b|server.side request forgery|metadata endpoint|169\.254\.169\.254",
        "Allow named hosts only and refuse private addresses when connecting, not when parsing.",
    ),
    _kind(
        "path traversal",
        "CWE-22",
        True,
        r"path traversal|directory traversal|\.\./\.\./|zip.?slip"
        r"|arbitrary file (?:read|write|overwrite|delet)",
        "Resolve the path and refuse what leaves the allowed folder, symbolic links included.",
    ),
    _kind(
        "broken authentication or authorization",
        "CWE-287",
        True,
        r"auth(?:entication|orization)? bypass|bypass(?:es|ed|ing)? (?:the )?(?:auth|login|permission"
        r"|access|2fa)|privilege escalation|unauthenticated|unauthori[sz]ed access|session fixation"
        r"|\bidor\b|any(?:one| user) can (?:read|access|delete|modify|see)",
        "Check on the server who may do this, for this object, and test it with a foreign account.",
    ),
    _kind(
        "memory safety",
        "CWE-119",
        True,
        r"buffer overflow|heap.overflow|stack.overflow.{0,40}(?:exploit|attack)|use.after.free"
        r"|out.of.bounds (?:read|write)|double.free"
        r"|memory corruption|integer overflow|uninitiali[sz]ed memory",
        "Reproduce under a sanitizer, fix the bound, and keep the input as a fuzzing seed.",
    ),
    _kind(
        "unsafe deserialization",
        "CWE-502",
        True,
        r"deseriali[sz]ation|pickle\.loads?|yaml\.load\("
        r"|unserialize\(|readobject\(",
        "Replace the loader by one that builds data only.",
    ),
    _kind(
        "XML external entities",
        "CWE-611",
        True,
        r"\bxxe\b|external entit(?:y|ies)|billion laughs",
        "Turn off external entities and document types in the parser.",
    ),
    _kind(
        "exposed secret",
        "CWE-200",
        True,
        r"(?:leak|expos|disclos|hard.?cod)\w{0,6} (?:\w{1,20} ){0,3}(?:secret|credential|password|token"
        r"|api.key|private key|private keys)|(?:secret|credential|password|token|api.key"
        r"|private key)s? (?:is|are|was|were|gets?|being) (?:\w{1,20} )?(?:leak|expos|log|disclos|visible"
        r"|committed|printed)",
        "Revoke the secret first, then remove it from code, history and logs.",
    ),
    _kind(
        "denial of service",
        "CWE-400",
        False,
        r"denial.of.service|\bredos\b|\bdos attack|resource exhaustion|catastrophic backtracking"
        r"|decompression bomb|zip bomb",
        "Bound the input or the work per request, and measure with the reported input.",
    ),
    _kind(
        "open redirect",
        "CWE-601",
        False,
        r"open redirect|unvalidated redirect",
        "Redirect to relative or listed addresses only.",
    ),
    _kind(
        "prototype pollution",
        "CWE-1321",
        False,
        r"prototype pollution|__proto__",
        "Refuse the keys __proto__, constructor and prototype when merging.",
    ),
    _kind(
        "weak cryptography",
        "CWE-327",
        False,
        r"weak (?:\w{1,20} ){0,2}(?:cipher|crypto|hash|random|key)|\bmd5\b.{0,60}password|insecure random"
        r"|predictable (?:token|random|id)|timing attack"
        r"|(?:certificate|tls|ssl) (?:verification|validation) (?:is )?(?:disabled|skipped|missing|off)",
        "Use the platform's vetted primitive, and plan how existing values are replaced.",
    ),
    _kind(
        "vulnerable dependency",
        "CWE-1395",
        False,
        r"vulnerab\w{0,6} (?:dependenc|package|version|transitive)|npm audit|dependabot|snyk"
        r"|depends on (?:a )?vulnerable|security (?:update|advisory) (?:for|of|in) ",
        "Raise the dependency to the fixed version, or say why its weak part is not reached.",
    ),
)


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in one text."""

    ids: tuple[str, ...] = ()
    vectors: tuple[tuple[str, bool], ...] = ()
    """(vector, whether its form is valid)."""
    packages: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    kinds: tuple[Weakness, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        """What the kind of weakness alone suggests; empty where none was recognised."""
        if self.secrets or any(kind.grave for kind in self.kinds):
            return "high"
        return "medium" if self.kinds else ""


@lru_cache(maxsize=64)
def audit(issue: Issue) -> Audit:
    """Everything a text says of a weakness."""
    found = scan(issue.body)
    title, secrets = redact(clean(issue.title[:2_000]))
    text = f"{title}\n{found.text[:30_000]}"
    lowered = text.lower()
    vectors = tuple(dict.fromkeys(match.strip("(") for match in _VECTOR.findall(text)[:10]))
    return Audit(
        ids=tuple(
            dict.fromkeys(
                found_id.upper() if not found_id.lower().startswith("ghsa") else _ghsa(found_id)
                for found_id in _ID.findall(text)
            )
        )[:20],
        vectors=tuple((vector, valid_vector(vector)) for vector in vectors),
        packages=tuple(
            dict.fromkeys(f"{name} {version}".rstrip(".") for name, version in _PACKAGE.findall(text)[:40])
        )[:12],
        affected=tuple(dict.fromkeys(_AFFECTED.findall(lowered)))[:6],
        fixed=tuple(dict.fromkeys(_FIXED.findall(lowered)))[:4],
        kinds=tuple(kind for kind in KINDS if kind.pattern.search(lowered))[:5],
        secrets=tuple(dict.fromkeys((*secrets, *found.secrets))),
    )


def _ghsa(text: str) -> str:
    return "GHSA" + text[4:].lower()


def valid_vector(vector: str) -> bool:
    """Whether a CVSS vector names each base metric once with a value it may have."""
    prefix, _, rest = vector.partition("/") if vector.startswith("CVSS:") else ("", "", vector)
    metrics = [part.partition(":")[::2] for part in rest.split("/")]
    names = [name for name, _ in metrics]
    base = _V4 if prefix == "CVSS:4.0" else _V3 if prefix else _V2
    values = dict(metrics)
    return len(set(names)) == len(names) and all(
        values.get(name, "?") in tuple(allowed) for name, allowed in base.items()
    )
