"""Looks among the issues seen before for ones that may be about the same thing."""

from dataclasses import dataclass, replace

from models.case import Case, Similar
from nodes.base import Context
from nodes.text.escape import inline, one_line, section


@dataclass(frozen=True)
class SearchKnowledgeBase:
    """At most `shown` issues are named, and none that is less alike than `at_least`."""

    shown: int = 5
    at_least: float = 0.3

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        ref = case.issue.ref
        found = [similar for similar in ctx.similar.find(case) if similar.ref != ref]
        kept = sorted(found, key=lambda similar: -similar.score)[: self.shown]
        kept = [similar for similar in kept if similar.score >= self.at_least]
        if not kept:
            return case
        body = "\n".join(f"- {describe_similar(similar)}" for similar in kept)
        return replace(
            case,
            similar=(*case.similar, *kept),
            sections=(*case.sections, section("Possibly the same", body)),
        )


def describe_similar(similar: Similar) -> str:
    """One line with the link, how alike it is and why."""
    name = f"{inline(similar.ref, 150)}: {inline(similar.title, 150)}"
    url = one_line(similar.url, 500).replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    link = f"[{name}]({url})" if url.startswith(("https://", "http://")) else name
    return f"{link}, {min(1.0, similar.score):.0%} alike" + (
        f" ({inline(similar.reason, 120)})" if similar.reason else ""
    )
