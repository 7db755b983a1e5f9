"""Every node by the name that configuration uses for it."""

from nodes.analyze_code import AnalyzeCode
from nodes.analyze_sentiment import AnalyzeSentiment
from nodes.ask_human import AskHuman
from nodes.assess_impact import AssessImpact
from nodes.audit_security import AuditSecurity
from nodes.check_docs import CheckDocs
from nodes.create_story import CreateStory
from nodes.draft_docs import DraftDocs
from nodes.escalate_security import EscalateSecurity
from nodes.estimate_effort import EstimateEffort
from nodes.outline_design import OutlineDesign
from nodes.parse_stack_trace import ParseStackTrace
from nodes.report_vulnerability import ReportVulnerability
from nodes.request_review import RequestReview
from nodes.route_issue import RouteIssue
from nodes.score_priority import ScorePriority
from nodes.search_knowledge_base import SearchKnowledgeBase
from nodes.suggest_fix import SuggestFix
from nodes.update_issue import UpdateIssue
from nodes.write_spec import WriteSpec

NODES: dict[str, type] = {
    "analyze_code": AnalyzeCode,
    "analyze_sentiment": AnalyzeSentiment,
    "ask_human": AskHuman,
    "assess_impact": AssessImpact,
    "audit_security": AuditSecurity,
    "check_docs": CheckDocs,
    "create_story": CreateStory,
    "draft_docs": DraftDocs,
    "escalate_security": EscalateSecurity,
    "estimate_effort": EstimateEffort,
    "outline_design": OutlineDesign,
    "parse_stack_trace": ParseStackTrace,
    "report_vulnerability": ReportVulnerability,
    "request_review": RequestReview,
    "route_issue": RouteIssue,
    "score_priority": ScorePriority,
    "search_knowledge_base": SearchKnowledgeBase,
    "suggest_fix": SuggestFix,
    "update_issue": UpdateIssue,
    "write_spec": WriteSpec,
}
