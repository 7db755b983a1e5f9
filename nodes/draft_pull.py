"""Wishes for a draft pull request with the drafted fix that applies, where the configuration wants such."""

from dataclasses import dataclass, replace

from models.asks import ListFiles
from models.case import Case
from models.commands import open_draft_pull
from models.text.escape import bounded, calm, code, one_line
from nodes.base import Context
from nodes.suggest_fix import FIX
from nodes.text.drafting.patch import refused_path, unlinked

_BODY = 20_000


@dataclass(frozen=True)
class DraftPull:
    """At most `reviewers` of those who own the changed files, or changed them last, are asked to look."""

    reviewers: int = 2

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        fix = case.data.get(FIX)
        if not ctx.policy.draft_pulls or case.route != "bug" or case.suspicions or not fix:
            return case
        changed = [file for file in fix["files"] if not refused_path(file["path"])]
        files = await ctx.ask(ListFiles(case.issue.repo))
        if files is None or not files.commit or len(changed) != len(fix["files"]):
            return case
        names = [file["path"] for file in changed]
        wish = open_draft_pull(
            case.issue.ref,
            base=files.branch,
            base_commit=files.commit,
            files=changed,
            # Of the issue's own words there are none: a title may end up in a commit.
            title=f"Draft for issue {case.issue.number}: {unlinked(calm(one_line(', '.join(names), 150)))}",
            body=self._body(case, fix["mark"], fix["cause"], names),
            reviewers=self._reviewers(case, names),
        )
        return replace(case, commands=(*case.commands, wish))

    def _body(self, case: Case, mark: str, cause: str, names: list[str]) -> str:
        """What it is, what it is about and what to know, with nothing in it that closes an issue."""
        changed = "\n".join(f"- {code(name, 200)}" for name in names)
        parts = [
            mark,
            f"This is about #{case.issue.number}, and changes:\n\n{changed}",
            unlinked(cause),
            "Nobody has run it. Its commit asks for no checks (`[skip ci]`), so that what a model wrote does not run "
            "by itself; read it first, then push a commit of your own to start them.",
        ]
        return bounded("\n\n".join(part for part in parts if part), _BODY)

    def _reviewers(self, case: Case, names: list[str]) -> list[str]:
        found: dict[str, None] = {}
        for suspect in case.suspects:
            if suspect.path in names:
                found |= dict.fromkeys(suspect.owners or suspect.authors[:1])
        return list(found)[: self.reviewers]
