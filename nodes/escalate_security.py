"""Tells the private security channel about a report, and nobody else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.case import Case
from models.commands import post_message
from nodes.base import Context
from nodes.text.escape import headline, slack
from nodes.text.weaknesses import Audit, audit

_HEADER_LIMIT = 150
_TEXT_LIMIT = 2_900
_SAFE_URL = re.compile(r"https?://[^\s<>|]{1,500}")
CHANNEL_OF_THE_LANE = ""
"""Empty: the delivering lane puts the configured security channel in its place."""


@dataclass(frozen=True)
class EscalateSecurity:
    """`channel` replaces the configured security channel."""

    channel: str = CHANNEL_OF_THE_LANE

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        ref = case.issue.ref
        command = post_message(
            f"security:{ref}",
            channel=self.channel,
            text=f"Possible security report: {slack(ref, 200)}",
            blocks=_blocks(case, audit(case.issue)),
            issue=ref,
        )
        return replace(case, commands=(*case.commands, command))


def _blocks(case: Case, found: Audit) -> list[Mapping[str, Any]]:
    issue = case.issue
    title = headline(issue.title, 250) or "(no title)"
    header = f"Possible security report: {issue.ref}"
    return [
        {"type": "header", "text": {"type": "plain_text", "text": header[:_HEADER_LIMIT]}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": slack("\n".join(_facts(case, found)), _TEXT_LIMIT)},
        },
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": f"{_link(issue.html_url, title)}"},
        },
        {
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": slack(_why(case), 500)}],
        },
    ]


def _facts(case: Case, found: Audit) -> list[str]:
    severity = found.severity or (case.impact.severity if case.impact and case.impact.evidence else "")
    facts = [f"Severity: {severity}, not confirmed" if severity else "Nothing in the text names a severity"]
    if found.kinds:
        facts.append("Kind: " + ", ".join(kind.name for kind in found.kinds))
    if found.ids:
        facts.append("Ids: " + ", ".join(found.ids[:8]))
    if found.packages:
        facts.append("Packages: " + ", ".join(found.packages[:8]))
    if found.secrets:
        facts.append("The text holds secrets, to be revoked: " + ", ".join(found.secrets))
    return facts


def _link(url: str, title: str) -> str:
    label = slack(title, 400).replace("|", "¦").replace("\n", " ")
    return f"<{url.replace('&', '&amp;')}|{label}>" if _SAFE_URL.fullmatch(url) else label


def _why(case: Case) -> str:
    decision = case.decision
    reason = "; ".join(decision.rules) if decision and decision.rules else "routed as security"
    return f"Why: {reason}. Please answer in this channel, not on the public issue."
