"""Wishes for the Shortcut story: a name, the evidence in order, labels, estimate, the link back; or that it moves."""

from dataclasses import dataclass, replace
from typing import Literal

from models.case import LABELS, Case, CodeSigns, Decision
from models.commands import Command, create_story, move_story
from models.text.escape import address, bounded, code, counted, headline, inline
from nodes.base import Context, Policy
from nodes.text.markdown.markdown import scan
from nodes.text.search.similar import similar_section
from nodes.text.writing.excerpt import excerpt
from nodes.text.writing.reasons import spoken
from nodes.text.writing.titles import story_name

DESCRIPTION_LIMIT = 20_000
_LABEL_LIMIT = 128
_LABELS = 12
_ROUTE_WORDS = {
    "bug": "bug",
    "feature": "feature",
    "docs": "documentation",
    "security": "security",
    "needs_human": "undecided",
}
_FAULTS = ("bug", "security", "needs_human")
_SURE = 0.9
SUBJECTS = (*LABELS, "security")
"""What a story may be about; its label says which."""
StoryType = Literal["bug", "feature", "chore"]


@dataclass(frozen=True, kw_only=True)
class CreateStory:
    """`story_type` is Shortcut's; `label` stands for the route's own name where another is wanted."""

    story_type: StoryType
    label: str = ""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        issue, decision, labels = case.issue, case.decision, self.labels(case)
        wishes: list[Command] = []
        if not (decision and decision.held):
            story = create_story(
                issue.ref,
                name=story_name(issue),
                description=describe(case),
                story_type=self.story_type,
                labels=labels,
                external_link=issue.html_url,
                estimate=case.estimate,
                route=case.route,
                tasks=case.tasks,
            )
            wishes.append(story)
        if decision and decision.by_people:
            # A story that stands is not made anew: it moves.
            wishes.append(moved(case, ctx.policy, labels[0], self.story_type))
        return replace(case, commands=(*case.commands, *wishes)) if wishes else case

    def labels(self, case: Case) -> list[str]:
        """The route's label, the severity where it is worth saying, and what nodes added; each once."""
        wanted = [self.label or case.route]
        if case.impact and case.impact.severity != "low" and case.route in _FAULTS:
            wanted.append(f"severity: {case.impact.severity}")
        unique: dict[str, str] = {}
        for label in (*wanted, *case.labels):
            text = headline(label, _LABEL_LIMIT)
            if text:
                unique.setdefault(text.casefold(), text)
        return list(unique.values())[:_LABELS]


def moved(case: Case, policy: Policy, label: str, story_type: StoryType | None) -> Command:
    """The wish that the story that stands has this label in place of those of other routes."""
    others = dict.fromkeys((*SUBJECTS, policy.route_labels.get("needs_human", "")))
    return move_story(
        case.issue.ref,
        route=case.route,
        story_type=story_type,
        label=label,
        instead_of=[other for other in others if other and other.casefold() != label.casefold()],
    )


def describe(case: Case) -> str:
    """The story's description in markdown, at most DESCRIPTION_LIMIT characters."""
    quote = excerpt(scan(case.issue.body))
    tail = f"## From the issue\n\n{quote}" if quote else "The issue has no text beyond its title."
    sections = [*case.sections, *([same] if (same := similar_section(case)) else [])]
    parts = [_header(case), *(f"## {section.title}\n\n{section.body}" for section in sections)]
    if case.questions:
        parts.append("## Asked of the reporter\n\n" + "\n".join(f"- {text}" for text in case.questions))
    body = bounded("\n\n".join(parts), DESCRIPTION_LIMIT - len(tail) - 2)
    return f"{body}\n\n{tail}"


def _header(case: Case) -> str:
    issue = case.issue
    author = code(issue.author, 60) if issue.author else "a deleted account"
    link = f"**[{inline(issue.ref, 200)}]({address(issue.html_url)})**"
    lines = [f"{link} by {author}, {issue.created_at:%-d %B %Y}"]
    if case.decision:
        lines.append(_why(case.decision))
    # How grave a fault is, is no question where something is wished for or to be written.
    if case.impact and case.route in _FAULTS:
        lines.append(_impact(case))
    if case.code and case.route in ("bug", "security") and (environment := _environment(case.code)):
        lines.append(environment)
    if case.sentiment and (case.sentiment.urgency >= 0.3 or case.sentiment.score <= -0.5):
        lines.append(_tone(case))
    return "  \n".join(lines)


def _why(decision: Decision) -> str:
    words = []
    prediction = decision.prediction
    if decision.rules:
        words.append("; ".join(inline(rule, 200) for rule in decision.rules[:4]))
    if prediction and decision.by == "model":
        words.append(f"{decision.confidence:.0%} sure")
        if decision.route == prediction.route:
            # What spoke against a route that is as good as sure, helps nobody who reads the story.
            against = spoken(prediction, against=True) if decision.confidence < _SURE else ""
            sides = (("for it", spoken(prediction)), ("against", against))
            words += [f"{side}: {told}" for side, told in sides if told]
    text = f"Route: **{_ROUTE_WORDS[decision.route]}**" + (f" ({'; '.join(words)})" if words else "")
    if prediction and prediction.security_flag and decision.route != "security":
        text += f". The security screen rates the text {prediction.security_score:.0%}: please check"
    return text


def _impact(case: Case) -> str:
    impact = case.impact
    if impact is None:
        return ""
    text = f"Severity: **{impact.severity}** (impact {impact.score:.0f} of 100)"
    if impact.evidence:
        text += ", " + "; ".join(inline(word, 100) for word in impact.evidence[:5])
    counts = [(case.issue.reactions, "reaction"), (case.issue.comments, "comment")]
    shown = [counted(count, name) for count, name in counts if count > 0]
    return text + (f" · {', '.join(shown)}" if shown else "")


def _environment(signs: CodeSigns) -> str:
    named = [
        *signs.versions[:5],
        *(name for name in signs.systems[:3] if name not in " ".join(signs.versions)),
    ]
    return f"Environment: {', '.join(code(name, 60) for name in named)}" if named else ""


def _tone(case: Case) -> str:
    tone = case.sentiment
    if tone is None:
        return ""
    feeling = "angry" if tone.score <= -0.7 else "unhappy" if tone.score <= -0.4 else "calm"
    pressing = "urgent" if tone.urgency >= 0.6 else "pressing" if tone.urgency >= 0.3 else "not urgent"
    words = ", ".join(code(word, 40) for word in tone.evidence[:4])
    return f"Reporter's tone: {feeling}, {pressing} ({words})"
