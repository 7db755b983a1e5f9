"""Passes a question for a draft on to the language model, where one is on."""

from bot.think.sources import Sources
from models.asks import Drafted, WriteDraft


async def write(sources: Sources, ask: WriteDraft, run: str) -> Drafted | None:
    """A draft, checked and cleaned; None where no model is on or it had nothing to say."""
    return None if sources.llm is None else await sources.llm.write(ask, run)
