"""What the bot says of cases in Slack: one that needs a person, one that was settled, several at once."""

from collections.abc import Iterable, Mapping, Sequence

from integrations.slack.payloads_blocks import (
    MAX_NAME,
    MAX_OPTION_VALUE,
    MAX_TOTAL,
    Block,
    actions,
    button,
    context,
    escape,
    fitting,
    header,
    link,
    menu,
    section,
    take,
)
from models.report import CaseLine

CHOICES = {"bug": "Bug", "feature": "Feature", "docs": "Docs", "question": "Question", "security": "Security"}
"""What a person may say an issue is, and its button's words."""
MOST_GATHERED = 20
MAX_REASON = 60
_GONE_BY = {
    "snooze": "put it off",
    "ignore": "said it is not for us",
    "hold": "holds it",
    "approve": "approved it",
}

Message = tuple[str, list[Block]]
"""(plain text for notifications, blocks)"""


def case_message(line: CaseLine) -> Message:
    """A case that a person should decide: what it is, why it was not clear, and a button for each way out."""
    if line.route == "security":
        return _for_review(line)
    return f"{_name(line)} needs a person: {escape(line.title)}", [
        section(f":raising_hand: {case_text(line)}"),
        decision(line),
    ]


def approval_message(line: CaseLine) -> Message:
    """A case whose route is configured to be asked about first."""
    if line.route == "security":
        return _for_review(line)
    route = escape(line.route, 20)
    elements = [
        button(f"Approve {line.route}", "switchyard:approve", line.ref, style="primary"),
        button("Hold", "switchyard:hold", line.ref),
        _other(),
        button("Why", "switchyard:why", line.ref),
        button("Not for us", "switchyard:ignore", line.ref),
    ]
    return f"{_name(line)} is to become {route}: {escape(line.title)}", [
        section(f"{case_text(line)}\n:traffic_light: Nothing is written until somebody approves *{route}*."),
        actions(f"ask:{line.ref}", elements),
    ]


def security_message(line: CaseLine) -> Message:
    """A possible security report with everything known of it; only for the private channel."""
    facts = [f"• {escape(str(fact), 200)}" for fact in line.detail.get("escalation", ())[:6]]
    head = f":lock: *Possible security report* {_title(line, secret=True)}"
    elements = [
        button("Confirm security", "switchyard:route:security", line.ref, style="danger"),
        _other(),
        button("Why", "switchyard:why", line.ref),
        button("Snooze", "switchyard:snooze", line.ref),
    ]
    return f"Possible security report: {_name(line)}", [
        section(fitting(head, facts, len(facts), "in the story")),
        actions(f"security:{line.ref}", elements),
        context("Please answer here, not on the public issue."),
    ]


def settled_message(line: CaseLine, sentence: str, *, secret: bool = False) -> Message:
    """A case after somebody decided, as `settled_by` words it; it can be corrected again.

    `secret` is for the private channel: only there a security case shows its title.
    """
    text = f"{_title(line, secret=secret)}\n:white_check_mark: {escape(sentence, 200)}{_story(line)}"
    is_hidden = line.route == "security" and not secret
    more = {} if is_hidden else {"accessory": _other(), "block_id": f"settled:{line.ref}"}
    return f"{_name(line)}: {escape(sentence, 200)}", [section(text, **more)]  # type: ignore[arg-type]


def settled_by(person: str, action: str, value: str = "") -> str:
    """Who decided what, as one sentence."""
    return f"{person or 'Somebody'} {_GONE_BY.get(action, f'routed it to {value}')}"


def gathered(
    lines: Sequence[CaseLine], settled: Mapping[str, str] | None = None, *, secret: bool = False
) -> Message:
    """Several cases that need a person as one message, most urgent first; each can be decided in its line.

    `settled` has the sentences of those that were decided meanwhile, by issue. `secret` is for the private channel.
    """
    open_ones = sum(line.ref not in (settled or {}) for line in lines)
    head = f"{open_ones} issue{'s' if open_ones != 1 else ''} need{'s' if open_ones == 1 else ''} a person"
    # Block names must differ: an issue has one line, whatever it was told of twice.
    ordered = {line.ref[:MAX_NAME]: line for line in sorted(lines, key=lambda line: -line.urgency)}
    groups = (
        _gathered_line(line, (settled or {}).get(line.ref), secret=secret)
        for line in [*ordered.values()][:MOST_GATHERED]
    )
    shown, count = take(groups, blocks=45, text=MAX_TOTAL - 400)
    more = len(ordered) - count
    foot = [context(f"… and {more} more in the home tab")] if more > 0 else []
    return head, [header(head), *shown, *foot]


def _gathered_line(line: CaseLine, sentence: str | None, *, secret: bool) -> list[Block]:
    if line.route == "security" and not secret:
        return [section(case_line(line))]
    if secret and sentence is None:
        told = f":lock: *Possible security report* {_title(line, secret=True)}{_story(line)}"
        return [section(told, block_id=f"gathered:{line.ref}", accessory=_decide(line))]
    if sentence is not None:
        text = f"{_title(line, secret=secret)}\n:white_check_mark: {escape(sentence, 200)}{_story(line)}"
        return [section(text, block_id=f"gathered:{line.ref}", accessory=_other())]
    return [section(case_text(line), block_id=f"gathered:{line.ref}", accessory=_decide(line))]


def decision(line: CaseLine, block: str = "case") -> Block:
    """The row of buttons below a case; `block` tells the row apart from others about the same issue."""
    shares = likeliest(line)
    routes = [name for name, _ in shares] + [name for name in CHOICES if name not in dict(shares)]
    elements = [
        button(
            _share(name, dict(shares)), f"switchyard:route:{name}", line.ref, style="" if at else "primary"
        )
        for at, name in enumerate(routes[:2])
    ]
    elements += [
        _other(),
        button("Why", "switchyard:why", line.ref),
        button("Snooze", "switchyard:snooze", line.ref),
        button("Not for us", "switchyard:ignore", line.ref),
    ]
    return actions(f"{block}:{line.ref}", elements)


def _other() -> Block:
    return menu("Other…", "switchyard:other", [(words, name) for name, words in CHOICES.items()])


def _decide(line: CaseLine) -> Block:
    shares = dict(likeliest(line))
    routes = [*shares, *(name for name in CHOICES if name not in shares)]
    options = [(_share(name, shares), f"route:{name}"[:MAX_OPTION_VALUE]) for name in routes]
    options += [("Why", "why"), ("Snooze", "snooze"), ("Not for us", "ignore")]
    return menu("Decide…", "switchyard:decide", options)


def _share(name: str, shares: Mapping[str, float]) -> str:
    return f"{CHOICES[name]} {shares[name]:.0%}" if name in shares else CHOICES[name]


def likeliest(line: CaseLine) -> list[tuple[str, float]]:
    """The two routes that the router holds most likely, with their shares; only those there are buttons for."""
    shares = line.detail.get("probabilities") or {}
    known = [(name, float(share)) for name, share in shares.items() if name in CHOICES]
    return sorted(known, key=lambda item: (-item[1], item[0]))[:2]


def case_text(line: CaseLine) -> str:
    """Title, weight and reasons of a case, in three lines."""
    facts = [f"*{escape(str(line.detail.get('severity') or 'low'), 20)}*", f"urgency {line.urgency:.0f}"]
    return f"{_title(line)}\n{' · '.join(facts)}{_story(line)}\n{why_line(line).strip()}".rstrip()


def case_line(line: CaseLine) -> str:
    """One case in one line; of a security case only that it was routed for review."""
    if line.route == "security":
        return f"• {link(line.url, line.ref)} routed for review"
    severity = escape(str(line.detail.get("severity", "")), 20)
    return f"• {link(line.url, line.ref)} {escape(line.title)} ({severity}){_story(line)}"


def why_line(line: CaseLine) -> str:
    """The two likeliest routes and what spoke for and against the first; empty where nothing is known."""
    shares = sorted(line.detail.get("probabilities", {}).items(), key=lambda item: (-item[1], item[0]))
    if line.route == "security" or not shares:
        return ""
    likely = " or ".join(f"{escape(name, 20)} {share:.0%}" for name, share in shares[:2])
    speaks_for, against = reasons(line, 2)
    told = [", ".join(speaks_for)] if speaks_for else []
    told += [f"against: {against[0]}"] if against else []
    return f"\n      likely {likely}" + (f" ({'; '.join(told)})" if told else "")


def reasons(line: CaseLine, most: int) -> tuple[list[str], list[str]]:
    """What spoke for and against the router's first choice, escaped."""
    found: Iterable[tuple[str, float]] = line.detail.get("reasons", ())
    told = [(escape(str(name), MAX_REASON), weight) for name, weight in found]
    return [n for n, w in told if w > 0][:most], [n for n, w in told if w < 0][:most]


def _for_review(line: CaseLine) -> Message:
    return f"{_name(line)} was routed for review", [section(case_line(line))]


def _title(line: CaseLine, *, secret: bool = False) -> str:
    if line.route == "security" and not secret:
        return f"{link(line.url, line.ref)} routed for review"
    return f"*{link(line.url, line.ref)}* {escape(line.title) or '(no title)'}"


def _name(line: CaseLine) -> str:
    return link("", line.ref)


def _story(line: CaseLine) -> str:
    return f" · {link(line.story_url, 'story')}" if line.story_url else ""
