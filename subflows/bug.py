"""The bug flow: from the trace to a story that says where to start."""

from nodes.create_story import CreateStory
from nodes.estimate_effort import EstimateEffort
from nodes.parse_stack_trace import ParseStackTrace
from nodes.request_review import RequestReview
from nodes.score_priority import ScorePriority
from nodes.search_knowledge_base import SearchKnowledgeBase
from nodes.suggest_fix import SuggestFix
from subflows.base import Subflow

bug = Subflow(
    name="bug",
    steps=(
        ParseStackTrace(),
        SearchKnowledgeBase(),
        SuggestFix(),
        RequestReview(),
        EstimateEffort(),
        ScorePriority(),
        CreateStory(story_type="bug"),
    ),
)
