"""The documentation flow: which page, which slip, does it say so already, what to write and where to put it."""

from nodes.check_docs import CheckDocs
from nodes.create_story import CreateStory
from nodes.draft_docs import DraftDocs
from nodes.estimate_effort import EstimateEffort
from nodes.push_notion import PushNotion
from nodes.score_priority import ScorePriority
from nodes.search_knowledge_base import SearchKnowledgeBase
from subflows.base import Subflow

docs = Subflow(
    name="docs",
    steps=(
        CheckDocs(),
        SearchKnowledgeBase(),
        DraftDocs(),
        EstimateEffort(),
        ScorePriority(),
        PushNotion(),
        CreateStory(story_type="chore"),
    ),
)
