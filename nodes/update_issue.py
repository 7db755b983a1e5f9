"""Wishes for the GitHub issue itself: labels, and the one comment where the policy wants one."""

from dataclasses import dataclass, replace

from models.case import Case, Pointer
from models.commands import Command, add_labels, write_comment
from models.text.escape import address, headline, inline
from nodes.ask_human import QUESTION
from nodes.base import Context
from nodes.text.extract.labels import is_priority, route_of_label
from nodes.text.search.similar import ranked

_LABEL_LIMIT = 50
_NEXT = {
    "bug": "Thank you for the report. It was routed as a **bug** and is in the team's queue.",
    "feature": "Thank you for the idea. It was routed as a **feature request** and will be weighed with the "
    "others.",
    "docs": "Thank you for pointing this out. It was routed to the **documentation**.",
    "security": "Thank you. This was routed for review.",
    "needs_human": "Thank you. A person will look at this and decide where it goes.",
}


@dataclass(frozen=True)
class UpdateIssue:
    """Similar issues with at least `duplicate_score` are named as likely duplicates; nothing is closed."""

    duplicate_score: float = 0.9

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        commands: list[Command] = []
        # None at all is said, too: it takes off what the bot had put on.
        commands.append(add_labels(case.issue.ref, self.labels(case, ctx)))
        if body := self.comment(case, ctx):
            with_story = ctx.policy.link_story and _has_story(case)
            commands.append(write_comment(case.issue.ref, body, with_story=with_story))
        return replace(case, commands=(*case.commands, *commands))

    def labels(self, case: Case, ctx: Context) -> list[str]:
        """What is missing on the issue; a label that a person chose is never doubled by a synonym."""
        present = {label.casefold() for label in case.issue.labels}
        wanted = []
        if not any(route_of_label(label) == case.route for label in case.issue.labels):
            wanted.append(_route_label(case, ctx))
        grave = case.impact is not None and case.impact.severity in ("high", "critical")
        ranked = any(is_priority(label) for label in case.issue.labels)
        if grave and not ranked and case.route in ("bug", "feature", "docs"):
            wanted.append("priority: high")
        names = [headline(label, _LABEL_LIMIT) for label in wanted]
        return [name for name in names if name and name.casefold() not in present]

    def comment(self, case: Case, ctx: Context) -> str:
        """The comment's markdown; empty where the policy wants none. Holds no text of any issue."""
        policy = ctx.policy.comment
        if policy == "never" or (case.route == "security" and policy != "always"):
            return ""
        parts = [] if case.route == "security" else self._useful(case)
        if policy == "always":
            parts.insert(0, _NEXT[case.route])
        if not parts:
            return ""
        # The marker is how the lane finds the comment again.
        return "\n\n".join([f"<!-- switchyard:{case.issue.ref} -->", *parts])

    def _useful(self, case: Case) -> list[str]:
        parts, own = [], f"{case.issue.repo}#"
        # Of the same repository only: another one, and what Shortcut has, may be none of the reader's business.
        duplicates = [
            f"#{one.ref.removeprefix(own)}"
            for one in ranked(case.similar)
            if one.score >= self.duplicate_score and one.ref.startswith(own) and one.ref != case.issue.ref
        ]
        if duplicates:
            names = ", ".join(duplicates[:3])
            parts.append(f"This may be the same as {names}. If it is not, please say what differs.")
        if case.pointers:
            places = ", ".join(_place(pointer) for pointer in case.pointers[:3])
            parts.append(f"The documentation may already say it: {places}.")
        if case.questions:
            asked = "\n".join(f"- {question}" for question in case.questions[:3])
            parts.append(f"To look into this, it would help to know:\n\n{asked}")
        return parts


def _route_label(case: Case, ctx: Context) -> str:
    """The label that says where it went; nobody need look any more at what a person called a question."""
    answered = case.route == "needs_human" and case.decision is not None and case.decision.by == "person"
    return QUESTION if answered else ctx.policy.route_labels.get(case.route, "")


def _place(pointer: Pointer) -> str:
    """A link to a page of the documentation, by its heading."""
    name = inline(" › ".join(part for part in (pointer.path, pointer.heading) if part), 160)
    return f"[{name}]({address(pointer.url)})"


def _has_story(case: Case) -> bool:
    return any(command.operation == "create_story" for command in case.commands)
