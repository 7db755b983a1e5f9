"""What is said of similar issues and stories, and by which words the services' own search is asked for more."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from models.case import Case, Section, Similar
from models.issue import title_key
from models.text.escape import address, inline, section
from models.text.secrets import redact
from models.text.words import words
from nodes.text.search.terms import is_common, stem

SHOWN = 5
AT_LEAST = 0.3
"""Less alike is not worth a person's look."""
STRONG = 0.6
"""Where something of the same repository is that much alike, nobody else is asked."""
ASKED = 4
"""Words of a search: the services want all of them to occur."""
_IDENTIFIER = re.compile(r"[a-z0-9][A-Z]|[A-Za-z]\d|\d[A-Za-z]|[a-z]_[a-z]|\w::\w|\w\.\w")
_WORD = re.compile(r"[^\W\d_]{4,30}")
_TOKEN = re.compile(r"[\w.:]{3,60}")
_REDACTED = re.compile(r"\[redacted: [^\]]{0,60}\]")
_VAGUE = words(
    "bug bugs issue issues error errors crash crashes crashed crashing fail fails failed failing",
    "failure broken wrong problem problems question feature request support version release update",
    "latest docs documentation doesnt cannot exception null undefined unknown unexpected invalid",
    "missing object property value type function file line while called",
)


def ranked(similar: Iterable[Similar]) -> list[Similar]:
    """Each once, with its best score, the likeliest first."""
    best: dict[str, Similar] = {}
    for one in similar:
        if one.ref not in best or best[one.ref].score < one.score:
            best[one.ref] = one
    return sorted(best.values(), key=lambda one: (-one.score, one.ref))


def similar_section(case: Case) -> Section | None:
    """The story's section on what may be the same; None where there is nothing."""
    own: list[Similar] = []
    away: list[Similar] = []
    for one in ranked(case.similar):
        if one.score >= AT_LEAST and one.ref != case.issue.ref:
            (own if is_near(one, case) else away).append(one)
    lines = [f"- {describe_similar(one)}" for one in (*own, *away)[:SHOWN]]
    return section("Possibly the same", *lines) if lines else None


def is_near(similar: Similar, case: Case) -> bool:
    """Is it of the case's own repository, or a story?"""
    return similar.ref.startswith(("shortcut:", f"{case.issue.repo}#"))


def describe_similar(similar: Similar) -> str:
    """One line with the link, how alike it is, why, and whether it is done."""
    name = f"{inline(similar.ref, 150)}: {inline(similar.title, 150)}"
    url = address(similar.url)
    link = f"[{name}]({url})" if url.startswith(("https://", "http://")) else name
    told = [inline(similar.reason, 120)] if similar.reason else []
    told += ["done"] if similar.done else []
    return f"{link}, {min(1.0, similar.score):.0%} alike" + (f" ({'; '.join(told)})" if told else "")


def words_to_ask(case: Case, found: Sequence[Similar]) -> tuple[str, ...]:
    """What to search for elsewhere; empty where the local index has a strong answer, where nothing telling is there
    to search for, or where the words are nobody else's business. The same for the same case, always."""
    decision = case.decision
    if case.route == "security" or (decision and decision.prediction and decision.prediction.security_flag):
        return ()
    if any(one.score >= STRONG and is_near(one, case) for one in found):
        return ()
    trace, title = case.trace, _REDACTED.sub(" ", redact(case.issue.title[:300])[0])
    if trace is not None and trace.exception and trace.message:
        message = _telling(_REDACTED.sub(" ", redact(trace.message[:300])[0]))
        if message:
            return (re.split(r"\.|::", trace.exception)[-1][:60], *message[: ASKED - 1])
    names = [token.strip(".:") for token in _TOKEN.findall(title) if _IDENTIFIER.search(token)]
    names = list(dict.fromkeys(name for name in names if not _is_version(name)))[:2]
    others = [word for word in _telling(title) if not any(word in name for name in names)]
    return tuple([*names, *others][: ASKED - 1]) if names and others else ()


def judged(found: Iterable[Similar], case: Case, where: str) -> tuple[Similar, ...]:
    """What a service's search found, with a score by its title: that all words occur somewhere says little."""
    key, mine = title_key(case.issue.title), _stems(case.issue.title)
    kept = []
    for one in found:
        if one.ref == case.issue.ref or (is_near(one, case) and _is_newer(one, case)):
            continue
        other = _stems(one.title)
        alike = len(mine & other) / max(1, len(mine | other))
        is_same = bool(key) and title_key(one.title) == key
        score, reason = (0.85, "the same title") if is_same else (0.3 + 0.5 * alike, f"found by {where}")
        kept.append(replace(one, score=round(score, 3), reason=reason))
    return tuple(kept)


def _telling(text: str) -> list[str]:
    """Words that are neither common nor what every report says, the longest first, each once."""
    found = dict.fromkeys(_WORD.findall(text))
    telling = [word for word in found if not is_common(word.lower()) and word.lower() not in _VAGUE]
    return sorted(telling, key=lambda word: (-len(word), word))


def _stems(title: str) -> set[str]:
    found = (word.lower() for word in re.findall(r"[^\W_]{2,40}", title[:300]))
    return {stem(word) for word in found if not is_common(word)}


def _is_version(token: str) -> bool:
    return sum(letter.isdigit() or letter in ".v" for letter in token) * 2 > len(token)


def _is_newer(one: Similar, case: Case) -> bool:
    repo, _, number = one.ref.partition("#")
    return repo == case.issue.repo and number.isdigit() and int(number) > case.issue.number
