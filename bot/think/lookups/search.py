"""Asks GitHub's and Shortcut's own search, where their budgets leave room just now; nobody waits for one."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from bot.store import documents
from bot.think.sources import Sources
from integrations.github.client.search import plain_words
from integrations.github.client.search import search_issues as search_at_github
from models.asks import SearchIssues, SearchStories
from models.case import Similar
from models.story import ref_of

if TYPE_CHECKING:
    pass


async def search_issues(sources: Sources, ask: SearchIssues, run: str) -> tuple[Similar, ...] | None:
    """Issues with these words, without those that were routed to security."""
    found = await search_at_github(sources.github, ask.repo, ask.words)
    if found is None:
        return None
    private = await _private(sources, {issue.ref for issue in found})
    return tuple(
        Similar(
            ref=issue.ref,
            title=issue.title[:200],
            url=issue.html_url,
            score=0.0,
            reason="",
            done=issue.state == "closed",
        )
        for issue in found
        if issue.ref.lower() not in private
    )


async def search_stories(sources: Sources, ask: SearchStories, run: str) -> tuple[Similar, ...] | None:
    """Stories with these words; one that belongs to an issue goes by the issue's name."""
    client, words = sources.shortcut, plain_words(ask.words)
    found = await client.search(" ".join(words)) if client is not None and words else None
    if found is None:
        return None
    refs = {story.id: ref_of(story, sources.github_hosts) for story in found}
    private = await _private(sources, {ref for ref in refs.values() if ref})
    kept = []
    for story in found:
        ref = refs[story.id]
        if story.hidden or (ref is not None and ref.lower() in private):
            continue
        kept.append(
            Similar(
                ref=ref or f"shortcut:{story.id}",
                title=story.name[:200],
                url=story.url,
                score=0.0,
                reason="",
                done=story.done,
                estimate=story.estimate,
            )
        )
    return tuple(kept)


async def _private(sources: Sources, refs: Collection[str]) -> set[str]:
    """Of these issues, in lower case, those that are security's or may be."""
    if not refs:
        return set()
    _, private = await sources.database.query(lambda c: documents.issues_of(c, list(refs)))
    return {key.lower() for key in private}
