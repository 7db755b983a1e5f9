"""Leaves the route to a person and says which two are likeliest and why."""

from dataclasses import dataclass, replace

from models.case import Case, Prediction
from models.text.escape import inline, section
from nodes.base import Context
from nodes.create_story import CreateStory, StoryType, moved
from nodes.text.markdown.markdown import scan
from nodes.text.writing.reasons import SHOWN, spoken

_STORY_TYPES: dict[str, StoryType] = {"bug": "bug", "feature": "feature"}
_NAMES = {"bug": "a bug", "feature": "a feature request", "docs": "documentation", "question": "a question"}
_TOO_LITTLE = 15
QUESTION = "question"
ASK_FOR_CONTENT = "What did you do, what happened, and what did you expect instead?"


@dataclass(frozen=True)
class AskHuman:
    """`signs` is how many of the model's reasons are shown in each direction."""

    signs: int = SHOWN

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        if case.decision and case.decision.by == "person":
            # Somebody has answered: it is a question. Its story stays, if it has one, and says so.
            return replace(case, commands=(*case.commands, moved(case, ctx.policy, QUESTION, None)))
        case = replace(case, sections=(*case.sections, section("Which route?", *self._lines(case))))
        if len(scan(case.issue.body).text.strip()) < _TOO_LITTLE:
            case = replace(case, questions=(*case.questions, ASK_FOR_CONTENT))
        if ctx.policy.needs_human == "ask":
            if case.decision and case.decision.by_people:
                case = replace(case, commands=(*case.commands, moved(case, ctx.policy, QUESTION, None)))
            return case
        label = ctx.policy.route_labels.get("needs_human", "needs triage")
        return await CreateStory(story_type=_story_type(case), label=label)(case, ctx)

    def _lines(self, case: Case) -> list[str]:
        decision = case.decision
        if decision is None or decision.prediction is None:
            return ["Nothing has decided this one: no rule and no model."]
        prediction = decision.prediction
        likeliest = sorted(prediction.probabilities.items(), key=lambda item: -item[1])[:2]
        choices = " or ".join(
            f"**{_NAMES.get(name, inline(name, 40))}** ({share:.0%})" for name, share in likeliest
        )
        lines = [f"Most likely {choices}." if choices else "The model has no opinion."]
        lines += [f"Decided so far: {inline(rule, 200)}." for rule in decision.rules[:4]]
        return lines + self._signs(prediction)

    def _signs(self, prediction: Prediction) -> list[str]:
        name = _NAMES.get(prediction.route, prediction.route)
        lines = []
        for words, against in ((f"Speaks for {name}", False), ("Speaks against", True)):
            if told := spoken(prediction, against=against, limit=self.signs):
                lines.append(f"- {words}: {told}")
        return ["", *lines] if lines else []


def _story_type(case: Case) -> StoryType:
    prediction = case.decision.prediction if case.decision else None
    return _STORY_TYPES.get(prediction.route, "chore") if prediction else "chore"
