"""Notes what the security team is told of a report in its private channel, and nobody else."""

from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.weaknesses import Audit, audit


@dataclass(frozen=True)
class EscalateSecurity:
    """One message a run carries these facts for all its reports; a message each would flood the channel."""

    most: int = 8
    """Ids and packages that are named."""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        return replace(case, escalation=tuple(self._facts(case, audit(case.issue))))

    def _facts(self, case: Case, found: Audit) -> list[str]:
        severity = found.severity or (case.impact.severity if case.impact and case.impact.evidence else "")
        facts = [f"severity {severity}, not confirmed"] if severity else []
        if found.kinds:
            facts.append("kind: " + ", ".join(kind.name for kind in found.kinds))
        if found.ids:
            facts.append("ids: " + ", ".join(found.ids[: self.most]))
        if found.packages:
            facts.append("packages: " + ", ".join(found.packages[: self.most]))
        if found.secrets:
            facts.append("the text holds secrets, to be revoked: " + ", ".join(found.secrets))
        if case.decision and case.decision.rules:
            facts.append("why: " + "; ".join(case.decision.rules))
        return facts
