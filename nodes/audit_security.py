"""Gathers what a security report names: identifiers, vectors, packages, kinds of weakness, secrets."""

from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.escape import code, section
from nodes.text.weaknesses import audit


@dataclass(frozen=True)
class AuditSecurity:
    """At most `items` of a kind are listed."""

    items: int = 10

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = audit(case.issue)
        vectors = [
            f"{code(text, 150)} ({'valid' if valid else 'not valid'} form)" for text, valid in found.vectors
        ]
        parts = [
            ("Identifiers", [_identifier(name) for name in found.ids]),
            ("CVSS", vectors),
            ("Packages", [code(name, 100) for name in found.packages]),
            ("Kind of weakness", [f"{kind.name} ({_identifier(kind.cwe)})" for kind in found.kinds]),
            (
                "Secrets in the text",
                [f"{name}: taken out here, still in the issue; revoke it" for name in found.secrets],
            ),
        ]
        lines = [f"- {name}: {', '.join(items[: self.items])}" for name, items in parts if items]
        if not lines:
            return case
        return replace(case, sections=(*case.sections, section("Security audit", *lines)))


def _identifier(name: str) -> str:
    """An identifier with the link to its public page."""
    kind, _, number = name.partition("-")
    if kind == "CVE":
        return f"[{name}](https://nvd.nist.gov/vuln/detail/{name})"
    if kind == "GHSA":
        return f"[{name}](https://github.com/advisories/{name})"
    if kind == "CWE":
        return f"[{name}](https://cwe.mitre.org/data/definitions/{int(number)}.html)"
    return f"[{name}](https://osv.dev/vulnerability/{name})"
