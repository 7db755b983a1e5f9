"""Gathers what a security report names, identifiers, vectors, packages, weaknesses, secrets; and asks OSV of it."""

from dataclasses import dataclass, replace

from models.asks import FindAdvisories
from models.case import Case
from models.text.escape import code, section
from nodes.base import Context
from nodes.text.security.cvss import Vector
from nodes.text.security.purl import spoken
from nodes.text.security.weaknesses import Audit, findings


@dataclass(frozen=True)
class AuditSecurity:
    """At most `items` of a kind are listed. Only identifiers and package names ever go out."""

    items: int = 10

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = findings(case)
        unknown: tuple[str, ...] = ()
        silent = False
        if "osv" in ctx.policy.services and (found.public_ids or found.packages):
            known = await ctx.ask(FindAdvisories(ids=found.public_ids, packages=found.packages))
            silent = known is None
            if known is not None:
                case = replace(case, advisories=known)
                names = {name for one in known for name in (one.id, *one.aliases)}
                unknown = tuple(name for name in found.public_ids if name not in names)
        lines = [
            f"- {name}: {', '.join(items[: self.items])}" for name, items in _parts(found, unknown) if items
        ]
        if silent:
            lines.append("- OSV did not answer: published vulnerabilities were not looked up")
        if not lines:
            return case
        return replace(case, sections=(*case.sections, section("Security audit", *lines)))


def _parts(found: Audit, unknown: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    return [
        ("Identifiers", [identifier(name) for name in found.ids]),
        ("Not known to OSV", list(unknown)),
        ("CVSS", [_vector(vector) for vector in found.vectors]),
        ("Packages", [code(text, 100) for text in (*map(_package, found.packages), *found.named)]),
        ("Kind of weakness", [f"{kind.name} ({identifier(kind.cwe)})" for kind in found.kinds]),
        (
            "Secrets in the text",
            [f"{name}: taken out here, still in the issue; revoke it" for name in found.secrets],
        ),
    ]


def _vector(vector: Vector) -> str:
    if vector.wrong:
        return f"{code(vector.text, 150)} is wrong, so nothing follows from it ({code(vector.wrong, 90)})"
    return f"{code(vector.text, 150)} {vector.score} {vector.severity} (version {vector.version})"


def _package(purl: str) -> str:
    return f"{spoken(purl)} ({purl.partition(':')[2].partition('/')[0]})"


def identifier(name: str) -> str:
    """An identifier with the link to its public page."""
    kind, _, number = name.partition("-")
    if kind == "CVE":
        return f"[{name}](https://nvd.nist.gov/vuln/detail/{name})"
    if kind == "GHSA":
        return f"[{name}](https://github.com/advisories/{name})"
    if kind == "CWE":
        return f"[{name}](https://cwe.mitre.org/data/definitions/{int(number)}.html)"
    return f"[{name}](https://osv.dev/vulnerability/{name})"
