"""The similar-issues port that nodes ask: what the index has, and what this process is thinking about just now."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.store.documents import Document, of_issue
from bot.think.similar.index import Index, folder_of
from bot.think.similar.search import Hit, Live, Query, find
from bot.think.similar.segment import build, name_number
from models.case import Case, Similar
from models.issue import Issue, title_key
from nodes.text.markdown.markdown import scan
from nodes.text.search.terms import count_words, marks, pack, spell
from nodes.text.traces import parse, project_name

SHOWN = 5
LEAST = 0.25
"""Less alike is not told."""
SHOWN_ELSEWHERE = 2
RECENT = 400
"""Documents that are remembered until the table has them."""
SAME_TRACE, SAME_TITLE, DOUBTFUL = 0.97, 0.92, 0.85
TITLE_NEEDS = 0.5
"""How alike (cosine) two texts of the same title must be to be taken for the same."""
COVERED, TITLED, SHARED = 0.75, 0.5, 8
"""For a score above DOUBTFUL so much of each title must be in the other text, so much be in both titles, and so many
words be shared: siblings ("docs of x", "docs of y") differ in the one word that counts, and long logs are alike."""
_SCORES = ((0.0, 0.12, 0.25, 0.40, 0.60, 0.78, 1.0), (0.0, 0.05, 0.20, 0.38, 0.65, 0.91, 1.0))
"""From a cosine to how likely two texts are about the same thing: judged on pairs of real issues."""
_NOT_YET = 2**62


class SimilarDocuments:
    """One process's; `begin` before each batch."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._index: Index | None = None
        self._views: list[Live] = []
        self._overlay: Live | None = None
        self._places: dict[str, int] = {}
        self._terms: dict[str, dict[int, int]] = {}
        self._documents: list[Document] = []
        self._recent: dict[str, Document] = {}
        self._found: dict[tuple[str, str], tuple[Similar, ...]] = {}

    def close(self) -> None:
        """Give the index's connections back; the next batch connects anew."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def begin(self, issues: Sequence[Issue]) -> None:
        """Take in what others have stored, and lay these over it: later ones are compared with earlier ones."""
        # Not `or`: an index that is still empty is false.
        if self._index is None:
            self._index = self._connect()
        index = self._index
        for document in index.refresh():
            self._recent.pop(document.key, None)
        self._terms = {issue.ref: count_words(issue.title, issue.body) for issue in issues}
        own = [_document(issue, self._packed(issue, _fingerprint(issue))) for issue in issues]
        refs = set(self._terms)
        self._recent = {key: one for key, one in self._recent.items() if key not in refs}
        self._documents = [*self._recent.values(), *own]
        segment = build(self._documents)
        self._places = {document.key: at for at, document in enumerate(self._documents)}
        self._overlay = Live.whole(segment)
        # Until one is known to be no security report, the others do not see it.
        self._overlay.alive[[self._places[ref] for ref in refs]] = False
        self._views = index.without(np.array([name_number(key) for key in self._places], "<u8"))
        self._found = {}

    def find(self, case: Case) -> tuple[Similar, ...]:
        """Issues and stories that may be about the same thing, the likeliest first; reports to security never."""
        issue, fingerprint = case.issue, case.trace.fingerprint if case.trace else ""
        if case.route == "security":
            return ()
        if (issue.ref, fingerprint) not in self._found:
            self._show(issue)
            terms = self._packed(issue, fingerprint)
            floor = self._index.floor if self._index else 0
            lives = [*self._views, self._overlay] if self._overlay else self._views
            hits = find(lives, Query.of(issue.repo, issue.number, terms), floor)
            self._found[issue.ref, fingerprint] = _told(hits, issue, fingerprint)
        return self._found[issue.ref, fingerprint]

    def finish(self, case: Case) -> Case:
        """The case with what the index will keep of it."""
        issue = case.issue
        if case.route == "security":
            self._recent.pop(issue.ref, None)
            return case
        terms = self._packed(issue, case.trace.fingerprint if case.trace else "")
        self._recent.pop(issue.ref, None)
        self._recent[issue.ref] = _document(issue, terms)
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        return replace(case, terms=terms)

    def _connect(self) -> Index:
        if self._url is None:
            return Index(None, None)
        from bot.store.database import Database

        return Index(Database(self._url), folder_of(self._url))

    def _show(self, issue: Issue) -> None:
        if self._overlay is not None and issue.ref in self._places:
            self._overlay.alive[self._places[issue.ref]] = bool(self._terms.get(issue.ref))

    def _packed(self, issue: Issue, fingerprint: str) -> bytes:
        words = self._terms.get(issue.ref)
        if words is None:
            words = count_words(issue.title, issue.body)
        return pack(words, marks(issue.title, fingerprint))


def _fingerprint(issue: Issue) -> str:
    """Of the trace in the issue; the reading of both is remembered, and the nodes do it anyway."""
    trace = parse(scan(issue.body).text, project_name(issue.repo))
    return trace.fingerprint if trace else ""


def _document(issue: Issue, terms: bytes) -> Document:
    return replace(of_issue(issue, terms), seq=_NOT_YET)


def _told(hits: Sequence[Hit], issue: Issue, fingerprint: str) -> tuple[Similar, ...]:
    own_title, own_trace = marks(issue.title, ""), marks("", fingerprint)
    judged = [(*_judge(hit, issue, own_title, own_trace), hit) for hit in hits]
    judged = sorted((one for one in judged if one[0] >= LEAST), key=lambda one: -one[0])
    own = [one for one in judged if not one[2].elsewhere][:SHOWN]
    away = [one for one in judged if one[2].elsewhere][:SHOWN_ELSEWHERE]
    found = []
    for score, reason, hit in (*own, *away):
        key, title, url, done, estimate = hit.tell()
        found.append(
            Similar(
                ref=key,
                title=title,
                url=url,
                score=round(score, 3),
                reason=reason or _words(hit, issue),
                done=done,
                estimate=estimate,
            )
        )
    return tuple(found)


def _judge(hit: Hit, issue: Issue, own_title: Sequence[int], own_trace: Sequence[int]) -> tuple[float, str]:
    """How likely they are about the same thing, 0…1, and why, where it is not for the words that they share."""
    score = float(np.interp(hit.cosine, *_SCORES))
    if hit.elsewhere:
        return 0.6 * score, "related, in another repository"
    if own_trace and hit.marks.issuperset(own_trace):
        return max(score, SAME_TRACE), "the same stack trace"
    # The number alone may be another word's.
    if hit.marks.intersection(own_title) and title_key(hit.tell()[1]) == title_key(issue.title):
        return max(score, SAME_TITLE if hit.cosine >= TITLE_NEEDS else DOUBTFUL), "the same title"
    if hit.covered < COVERED or hit.titled < TITLED or hit.shared < SHARED:
        score = min(score, DOUBTFUL) * (0.6 + 0.05 * min(SHARED, hit.shared))
    return score, ""


def _words(hit: Hit, issue: Issue) -> str:
    """The telling words that both have."""
    spelt = spell(issue.title, issue.body, hit.words)
    words = ", ".join(spelt[number] for number in hit.words if number in spelt)
    return f"both speak of {words}" if words else ""
