"""Every node by the name that configuration uses for it."""

import dataclasses
import inspect
import re
from typing import TYPE_CHECKING

from nodes.aggregate import Aggregate
from nodes.analyze_code import AnalyzeCode
from nodes.analyze_sentiment import AnalyzeSentiment
from nodes.ask_human import AskHuman
from nodes.assess_impact import AssessImpact
from nodes.audit_security import AuditSecurity
from nodes.call_api import CallApi
from nodes.check_docs import CheckDocs
from nodes.create_story import CreateStory
from nodes.detect_injection import DetectInjection
from nodes.draft_docs import DraftDocs
from nodes.draft_pull import DraftPull
from nodes.escalate_security import EscalateSecurity
from nodes.estimate_effort import EstimateEffort
from nodes.outline_design import OutlineDesign
from nodes.parse_stack_trace import ParseStackTrace
from nodes.push_notion import PushNotion
from nodes.report_vulnerability import ReportVulnerability
from nodes.request_review import RequestReview
from nodes.route_issue import RouteIssue
from nodes.score_priority import ScorePriority
from nodes.search_github import SearchGithub
from nodes.search_knowledge_base import SearchKnowledgeBase
from nodes.search_shortcut import SearchShortcut
from nodes.suggest_fix import SuggestFix
from nodes.transform import Transform
from nodes.update_issue import UpdateIssue
from nodes.write_section import WriteSection
from nodes.write_spec import WriteSpec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

GROUP = "switchyard.nodes"
"""The entry-point group of nodes from other distributions."""

NODES: dict[str, type] = {
    "aggregate": Aggregate,
    "analyze_code": AnalyzeCode,
    "analyze_sentiment": AnalyzeSentiment,
    "ask_human": AskHuman,
    "assess_impact": AssessImpact,
    "audit_security": AuditSecurity,
    "call_api": CallApi,
    "check_docs": CheckDocs,
    "create_story": CreateStory,
    "detect_injection": DetectInjection,
    "draft_docs": DraftDocs,
    "draft_pull": DraftPull,
    "escalate_security": EscalateSecurity,
    "estimate_effort": EstimateEffort,
    "outline_design": OutlineDesign,
    "parse_stack_trace": ParseStackTrace,
    "push_notion": PushNotion,
    "report_vulnerability": ReportVulnerability,
    "request_review": RequestReview,
    "route_issue": RouteIssue,
    "score_priority": ScorePriority,
    "search_github": SearchGithub,
    "search_knowledge_base": SearchKnowledgeBase,
    "search_shortcut": SearchShortcut,
    "suggest_fix": SuggestFix,
    "transform": Transform,
    "update_issue": UpdateIssue,
    "write_section": WriteSection,
    "write_spec": WriteSpec,
}


def names() -> list[str]:
    """The names of all nodes, those of other distributions too; none of these is imported for it."""
    return sorted({*NODES, *(point.name for point in _points())})


def find(name: str) -> type | None:
    """The node of this name, imported only now where it is another distribution's; None where there is none.

    ValueError where it cannot be had: two distributions have it, it does not import, or it is no node.
    """
    points = [point for point in _points() if point.name == name]
    owners = [point.dist.name if point.dist else "an unknown distribution" for point in points]
    if name in NODES:
        if points:
            raise ValueError(f"{owners[0]} has a node of the name {name!r}, which is taken by a built-in one")
        return NODES[name]
    if not points:
        return None
    if len(points) > 1:
        raise ValueError(f"{' and '.join(sorted(owners))} both have a node {name!r}; uninstall one")
    try:
        node = points[0].load()
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ValueError(f"node {name!r} of {owners[0]} cannot be imported ({words})") from None
    if fault := _fault(name, node):
        raise ValueError(f"node {name!r} of {owners[0]} {fault}")
    return node  # type: ignore[no-any-return]


def _points() -> "EntryPoints":
    # Imported where it is needed: short commands import this module, and none of them needs it.
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def name_of(node: type) -> str:
    """The name that configuration uses for a node's class."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", node.__name__).lower()


def _fault(name: str, node: object) -> str:
    """Why an imported thing is no node; empty where it is one."""
    if not (isinstance(node, type) and dataclasses.is_dataclass(node)):
        return "is no dataclass"
    if not node.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return "is no frozen dataclass"
    if not inspect.iscoroutinefunction(getattr(node, "__call__", None)):  # noqa: B004
        return "has no `async def __call__(self, case, ctx)`"
    return (
        "" if name_of(node) == name else f"is a class named {node.__name__}, which would be {name_of(node)!r}"
    )
