"""What a text says of a vulnerability: identifiers, vectors, packages, kinds of weakness, secrets."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from models.case import SEVERITIES, Advisory, Case
from models.issue import Issue
from models.text.escape import clean
from models.text.secrets import redact
from nodes.text.markdown.markdown import scan
from nodes.text.security.cvss import Vector, vectors_in
from nodes.text.security.purl import purls_in, spoken, told

_ID = re.compile(
    r"(?<![\w-])(?:CVE-(?:199|20\d)\d-\d{4,7}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|CWE-\d{1,4}"
    r"|OSV-20\d\d-\d{1,7}|RUSTSEC-20\d\d-\d{4}|PYSEC-20\d\d-\d{1,5}|GO-20\d\d-\d{4}|MAL-20\d\d-\d{1,6}"
    r"|RSEC-20\d\d-\d{1,4}|HSEC-20\d\d-\d{4})(?![\w-])",
    re.I,
)
_IDS, _TRIES, _PACKAGES = 20, 2_000, 12
DEPENDENCY = "CWE-1395"
_NUMBER = r"v?\d{1,5}(?:\.\d{1,6}){1,3}(?:-[a-z]{1,10}(?:\.?\d{1,5})?)?"
_AFFECTED = re.compile(
    rf"(?<![\w<>/=\"'-])(?:versions? )?(?:{_NUMBER} )?(?:<=?|>=?|before|prior to|up to|through|until)\s?{_NUMBER}"
    rf"|(?:(?<=affected: )|(?<=versions: )|(?<=versions )|(?<=affects )){_NUMBER} (?:to|-|–) {_NUMBER}"
)
_CLAIM = re.compile(r"vulnerab|attack|exploit|malicious|security (?:issue|bug|hole|flaw|problem|risk)")
_PROOF = re.compile(
    r"\bpoc\b|proof.of.concept|\bexploit(?:ed|able|ing)?\b|\bpayloads?\b|<script|onerror=|\.\./\.\./"
    r"|' or '?1'?='?1|\bcurl -|__proto__|/etc/passwd|alert\(|\$\{jndi:"
)
_FIXED = re.compile(r"(?:fixed|patched|resolved) in (?:version )?v?(\d{1,5}(?:\.\d{1,6}){1,3})")


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
        "Escape on output where the value is shown, and add a test with such a payload.",
    ),
    _kind(
        "cross-site request forgery",
        "CWE-352",
        False,
        r"(?<![\w/-])(?:csrf|xsrf)\b(?![-_ ]?tokens?\b)|cross.site request forgery",
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
        r"|access|2fa)|(?:no|without|missing|lacks?) auth(?:entication|ori[sz]ation)\b"
        r"|privilege escalation|unauthenticated|unauthori[sz]ed access|session fixation"
        r"|\bidor\b|any(?:one| user) can (?:read|access|delete|modify|see)",
        "Check on the server who may do this, for this object, and test it with a foreign account.",
    ),
    _kind(
        "memory safety",
        "CWE-119",
        True,
        r"buffer overflow|heap.overflow|stack.overflow.{0,40}(?:exploit|attack)|use.after.free"
        r"|out.of.bounds (?:read|write)|double.free"
        r"|memory corruption|uninitiali[sz]ed memory",
        "Reproduce under a sanitizer, fix the bound, and keep the input as a fuzzing seed.",
    ),
    _kind(
        "integer overflow",
        "CWE-190",
        False,
        r"integer (?:over|under)flow",
        "Check what the overflowed number bounds: an allocation, a copy or an index makes it a memory error.",
    ),
    _kind(
        "unencrypted secret",
        "CWE-312",
        False,
        r"(?:clear|plain).?text.{0,30}(?:password|secret|token|credential)"
        r"|(?:password|secret|token|credential)s?\b.{0,60}\b(?:clear|plain).?text",
        "Leave the secret out of what is answered, logged or stored; where it has to be kept, keep it hashed or "
        "encrypted.",
    ),
    _kind(
        "information disclosure",
        "CWE-200",
        False,
        r"information (?:leak|leakage|disclosure|exposure)|(?:leak|expos|disclos)\w{0,6} (?:sensitive|private"
        r"|confidential|internal) (?:data|information)",
        "Find out who can see it, and since which version; answer less where it is not needed.",
    ),
    _kind(
        "man in the middle",
        "CWE-300",
        True,
        r"man.in.the.middle|\bmitm\b",
        "Say what an attacker on the way can read or change, and refuse the connection there.",
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
        "Find where it shows (log, error, page, history), take it out there, and renew what was shown.",
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
        DEPENDENCY,
        False,
        r"vulnerab\w{0,6} (?:dependenc|package|version|transitive|librar)|npm audit|dependabot|snyk|whitesource"
        r"|\b(?:update|upgrade|bump)\b.{0,60}\b(?:cves?\b|vulnerab)|cve-\d{4}-\d{4,7} (?:\(\w{1,10}\) )?detected in"
        r"|depends on (?:a )?vulnerable|security (?:update|advisory) (?:for|of|in) ",
        "Raise the dependency to the fixed version, or say why its weak part is not reached.",
    ),
)


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in one text."""

    ids: tuple[str, ...] = ()
    vectors: tuple[Vector, ...] = ()
    packages: tuple[str, ...] = ()
    """Package URLs with a version."""
    named: tuple[str, ...] = ()
    """Further packages, of no ecosystem that is known, as "name version"."""
    affected: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    kinds: tuple[Weakness, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def public_ids(self) -> tuple[str, ...]:
        """Those that name one vulnerability; a CWE names a kind."""
        return tuple(name for name in self.ids if not name.startswith("CWE-"))

    @property
    def of_dependency(self) -> bool:
        """Is it about a package that the project uses, and not about its own code?"""
        return any(kind.cwe == DEPENDENCY for kind in self.kinds)

    @property
    def rating(self) -> Vector | None:
        """The gravest of the vectors that are right."""
        return max((v for v in self.vectors if not v.wrong), key=lambda v: v.score, default=None)

    @property
    def severity(self) -> str:
        """What the kind of weakness alone suggests; empty where none was recognised."""
        if self.secrets or any(kind.grave for kind in self.kinds):
            return "high"
        return "medium" if self.kinds else ""


def findings(case: Case) -> Audit:
    """Everything a case's text says of a weakness, with the packages that its code names."""
    found = audit(case.issue)
    urls = told(case.code.packages) if case.code else ()
    if not urls:
        return found
    packages = tuple(dict.fromkeys((*found.packages, *urls)))[:_PACKAGES]
    known = {spoken(url) for url in packages}
    return replace(found, packages=packages, named=tuple(n for n in found.named if n not in known))


def proof_in(body: str) -> str:
    """The first sign of a demonstration: a payload, or a word for one; empty where there is none."""
    sign = _PROOF.search(scan(body).text[:30_000].lower())
    return sign[0] if sign else ""


def shown(case: Case) -> bool:
    """Is there something to see it by: a demonstration, steps or a stack trace?"""
    return bool(proof_in(case.issue.body) or case.trace or (case.code and case.code.has_steps))


def claimed(case: Case) -> bool:
    """Does the text say that something can be attacked, and not only what ought to be safer?"""
    said = f"{case.issue.title[:2_000]}\n{scan(case.issue.body).prose[:30_000]}".lower()
    return _CLAIM.search(said) is not None


def rated(case: Case, found: Audit) -> tuple[str, str]:
    """(low, medium, high or critical, where that is from); both empty where nothing speaks for any."""
    if found.rating is not None:
        level = "low" if found.rating.severity == "none" else found.rating.severity
        return level, f"by the vector in the text ({found.rating.score}); not confirmed yet"
    known = min((one for one in case.advisories if one.severity in SEVERITIES), key=_gravity, default=None)
    if known is not None and not (found.secrets and _gravity(known) > 1):
        return known.severity, f"by {known.id}"
    if found.severity:
        return found.severity, "by the kind of weakness alone; not confirmed yet"
    level = case.impact.severity if case.impact and case.impact.evidence else ""
    return level, "by the issue's impact; not confirmed yet" if level else ""


def _gravity(known: Advisory) -> int:
    return SEVERITIES.index(known.severity)


@lru_cache(maxsize=64)
def audit(issue: Issue) -> Audit:
    """Everything a text says of a weakness."""
    found = scan(issue.body)
    title, secrets = redact(clean(issue.title[:2_000]))
    text = f"{title}\n{found.text[:30_000]}"
    lowered = text.lower()
    # What code and logs hold is no claim: half of all programs have a CSRF token somewhere.
    claims = "\n".join([title, *(part.prose for part in found.parts)])[:30_000].lower()
    packages, named = purls_in(text, _PACKAGES)
    return Audit(
        ids=_ids(text),
        vectors=vectors_in(text),
        packages=packages,
        named=named,
        affected=tuple(dict.fromkeys(_AFFECTED.findall(lowered)))[:6],
        fixed=tuple(dict.fromkeys(_FIXED.findall(lowered)))[:4],
        kinds=tuple(kind for kind in KINDS if kind.pattern.search(claims))[:5],
        secrets=tuple(dict.fromkeys((*secrets, *found.secrets))),
    )


def _ids(text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for tries, match in enumerate(_ID.finditer(text)):
        if tries >= _TRIES or len(found) >= _IDS:
            break
        name = match[0]
        found.setdefault("GHSA" + name[4:].lower() if name[:4].upper() == "GHSA" else name.upper())
    return tuple(found)
