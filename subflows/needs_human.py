"""What no rule and no model decides: a person does."""

from nodes.ask_human import AskHuman
from nodes.score_priority import ScorePriority
from nodes.search_knowledge_base import SearchKnowledgeBase
from subflows.base import Subflow

needs_human = Subflow(name="needs_human", steps=(SearchKnowledgeBase(), ScorePriority(), AskHuman()))
