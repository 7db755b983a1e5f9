"""The security flow: audit, report, story in the private tracker, private channel."""

from nodes.audit_security import AuditSecurity
from nodes.create_story import CreateStory
from nodes.escalate_security import EscalateSecurity
from nodes.estimate_effort import EstimateEffort
from nodes.parse_stack_trace import ParseStackTrace
from nodes.report_vulnerability import ReportVulnerability
from nodes.score_priority import ScorePriority
from subflows.base import Subflow

security = Subflow(
    name="security",
    steps=(
        ParseStackTrace(),
        AuditSecurity(),
        ReportVulnerability(),
        EstimateEffort(),
        ScorePriority(),
        CreateStory(story_type="bug"),
        EscalateSecurity(),
    ),
)
