"""The feature flow: what it costs, what it is worth, what it means."""

from nodes.create_story import CreateStory
from nodes.estimate_effort import EstimateEffort
from nodes.outline_design import OutlineDesign
from nodes.score_priority import ScorePriority
from nodes.search_knowledge_base import SearchKnowledgeBase
from nodes.write_spec import WriteSpec
from subflows.base import Subflow

feature = Subflow(
    name="feature",
    steps=(
        SearchKnowledgeBase(),
        EstimateEffort(),
        ScorePriority(),
        OutlineDesign(),
        WriteSpec(),
        CreateStory(story_type="feature"),
    ),
)
