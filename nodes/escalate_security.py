"""Notes what the security team is told of a report in private, and drafts an advisory where the operator wants that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.case import Case
from models.commands import Command, draft_advisory
from models.text.escape import bounded, headline, inline
from nodes.base import Context
from nodes.text.security.purl import spoken
from nodes.text.security.weaknesses import Audit, claimed, findings, rated, shown

_ECOSYSTEMS = {"pypi": "pip", "gem": "rubygems", "golang": "go", "cargo": "rust", "hex": "erlang"}
"""GitHub's names for what a package URL calls otherwise."""
_KNOWN = ("npm", "pip", "maven", "nuget", "composer", "go", "rubygems", "rust", "erlang", "pub", "swift")
_DESCRIPTION = 20_000


@dataclass(frozen=True)
class EscalateSecurity:
    """One message a run carries these facts for all its reports; a message each would flood the channel."""

    most: int = 8
    """Ids and packages that are named."""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = findings(case)
        commands = case.commands
        if ctx.policy.draft_advisories and is_own(case, found):
            commands = (*commands, advisory(case, found))
        return replace(case, escalation=tuple(self._facts(case, found)), commands=commands)

    def _facts(self, case: Case, found: Audit) -> list[str]:
        level, source = rated(case, found)
        facts = [f"severity {level}, {source}"] if level else []
        if found.secrets:
            facts.append("the text holds secrets, to be revoked: " + ", ".join(found.secrets))
        if found.kinds:
            facts.append("kind: " + ", ".join(kind.name for kind in found.kinds))
        if found.ids:
            facts.append("ids: " + ", ".join(found.ids[: self.most]))
        if found.packages or found.named:
            names = (*map(spoken, found.packages), *found.named)
            facts.append("packages: " + ", ".join(names[: self.most]))
        if case.advisories:
            fixed = list(dict.fromkeys(text for known in case.advisories for text in known.fixed))
            known = ", ".join(known.id for known in case.advisories[: self.most])
            facts.append(f"known: {known}" + (f"; fixed in {', '.join(fixed[:3])}" if fixed else ""))
        if case.decision and case.decision.rules:
            facts.append("why: " + "; ".join(case.decision.rules))
        return facts


def is_own(case: Case, found: Audit) -> bool:
    """Is it about a weakness of the project's own without an advisory, which the text shows or somebody saw in it?"""
    if found.of_dependency or case.advisories or _has_advisory(found):
        return False
    said = case.decision is not None and case.decision.by in ("person", "label", "rule")
    return found.rating is not None or (bool(found.kinds) and (said or (claimed(case) and shown(case))))


def _has_advisory(found: Audit) -> bool:
    return any(not name.startswith("CVE-") for name in found.public_ids)


def advisory(case: Case, found: Audit) -> Command:
    """The draft, which only maintainers see; its text is the story's report."""
    level, _ = rated(case, found)
    sections = [text for text in case.sections if text.title in ("Security audit", "Vulnerability report")]
    parts = [f"From [{inline(case.issue.ref, 200)}]({case.issue.html_url}); nobody has confirmed it yet."]
    parts += [f"## {text.title}\n\n{text.body}" for text in sections]
    cves = [name for name in found.ids if name.startswith("CVE-")]
    return draft_advisory(
        case.issue.ref,
        summary=headline(case.issue.title, 300) or "Possible vulnerability",
        description=bounded("\n\n".join(parts), _DESCRIPTION),
        severity=level,
        vector=found.rating.text if found.rating else "",
        cve=cves[0] if len(cves) == 1 else "",
        weaknesses=[kind.cwe for kind in found.kinds],
        packages=_packages(case, found),
    )


def _packages(case: Case, found: Audit) -> list[Mapping[str, str]]:
    """The project's own package where the text names it; others are not what the advisory is about."""
    project = case.issue.repo.rpartition("/")[2].casefold()
    for url in found.packages:
        kind, _, _ = url.removeprefix("pkg:").partition("/")
        name = spoken(url).rpartition(" ")[0]
        ecosystem = _ECOSYSTEMS.get(kind, kind)
        if name.rpartition("/")[2].casefold() == project and ecosystem in _KNOWN:
            return [
                {"ecosystem": ecosystem, "name": name, "affected": f"<= {spoken(url).rpartition(' ')[2]}"}
            ]
    return []
