"""Wishes for a page in Notion with the draft for a documentation issue, where Notion is on."""

from dataclasses import dataclass, replace

from models.case import Case
from models.commands import publish_page
from models.text.escape import bounded, headline, inline, section
from nodes.base import Context
from nodes.draft_docs import PAGE

_LIMIT = 60_000
_EVIDENCE = ("Documentation", "The documentation may already say it", "Where the documentation speaks of it")
_DRAFTS = ("Proposed change", "Outline of the page")


@dataclass(frozen=True)
class PushNotion:
    """A page for each issue that has a draft worth one: of a page, a patch that fits, or an outline."""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        page = case.data.get(PAGE)
        if not page or "notion" not in ctx.policy.services or case.route == "security" or case.suspicions:
            return case
        wish = publish_page(
            case.issue.ref,
            title=headline(case.issue.title, 150) or "(no title)",
            markdown=bounded("\n\n".join(_parts(case, page)), _LIMIT),
        )
        told = section("Page in Notion", "The draft is put on a page in Notion that has the issue's title.")
        return replace(case, sections=(*case.sections, told), commands=(*case.commands, wish))


def _parts(case: Case, page: dict[str, str]) -> list[str]:
    """What the page says: that it is a draft, of what, what the documentation has, and the draft."""
    issue = case.issue
    parts = [
        f"> **Draft** by Switchyard for [{inline(issue.ref, 200)}]({issue.html_url}). Nobody has checked it. Edit "
        "it as you like: it is not written again.",
        *(f"## {part.title}\n\n{part.body}" for part in case.sections if part.title in _EVIDENCE),
    ]
    if page["kind"] != "page":
        return [
            *parts,
            *(f"## {part.title}\n\n{part.body}" for part in case.sections if part.title in _DRAFTS),
        ]
    title = page.get("title") or "Draft of the page"
    return [*parts, "---", f"# {title}", page.get("mark", ""), page["markdown"]]
