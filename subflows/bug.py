"""The bug flow: from the trace to a story that says where to start."""

from nodes.create_story import CreateStory
from nodes.draft_pull import DraftPull
from nodes.estimate_effort import EstimateEffort
from nodes.parse_stack_trace import ParseStackTrace
from nodes.request_review import RequestReview
from nodes.score_priority import ScorePriority
from nodes.search_github import SearchGithub
from nodes.search_knowledge_base import SearchKnowledgeBase
from nodes.search_shortcut import SearchShortcut
from nodes.suggest_fix import SuggestFix
from subflows.base import Parallel, Subflow

bug = Subflow(
    name="bug",
    steps=(
        ParseStackTrace(),
        Parallel(SearchKnowledgeBase(), SearchGithub(), SearchShortcut()),
        # The suspects' files are what a fix is drafted from.
        RequestReview(),
        SuggestFix(),
        DraftPull(),
        EstimateEffort(),
        ScorePriority(),
        CreateStory(story_type="bug"),
    ),
)
