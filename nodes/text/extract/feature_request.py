"""Takes a wish apart in the reporter's own words: problem, proposal, criteria, what is left out, what is open."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from models.text.escape import one_line
from nodes.text.markdown.markdown import FORMALITY, Part, Scan, open_boxes, scan, sentences
from nodes.text.writing.excerpt import tame

MAX_CRITERIA = 20
MAX_CRITERION = 300

_PROBLEM = re.compile(
    r"(?i)problem|motivation|use.?cases?\b|current (?:behaviou?r|situation|state)|background|\bwhy\b|rationale"
    r"|what is it that"
)
_PROPOSAL = re.compile(
    r"(?i)solution|propos(?:al|ed)|feature description|describe the feature|what (?:would|do) you (?:like|want)"
    r"|desired|suggest(?:ion|ed)|\bwish|expected behaviou?r|the feature, motivation|goal"
)
_BOTH = re.compile(r"(?i)feature, motivation|proposal and motivation|motivation and proposal")
_ALTERNATIVES = re.compile(r"(?i)alternative|workaround|considered")
_ACCEPTANCE = re.compile(
    r"(?i)acceptance|criteria|definition of done|^requirements|^tasks?\b|to.?do\b|deliverables"
)
_OUTSIDE = re.compile(r"(?i)out of scope|non.?goals?|not in scope")
_ELSEWHERE = re.compile(
    r"(?i)environment|version|system info|steps? to|reproduc|\blogs?\b|screenshot|additional|references?\b"
    r"|related|workaround|alternative|actual|output|links?\b"
)
"""Parts of which no sentence is a problem, a proposal or a criterion."""

_SAYS_PROBLEM = re.compile(
    r"(?i)\b(?:currently|at the moment|right now|as of now|(?:the|my|our) (?:problem|issue) (?:is|with)"
    r"|(?:i|we|you|users?|one|people|it) (?:can ?not|can't|can not|could not|couldn't|am unable|are unable)"
    r"|(?:not|isn't) (?:yet |currently )?possible|unable to"
    r"|(?:is|there's|there is|are) (?:currently )?no (?:way|option|possibility|support|built.in|easy)"
    r"|impossible to|does(?:n't| not) (?:support|allow|provide|offer|work|show|handle|have|let)"
    r"|do(?:n't| not) (?:support|allow|provide|offer|work|show|handle)"
    r"|(?:have|has|had|need) to (?:manually|always|re|write|copy|use|do|keep|remember|switch|scroll|click)"
    r"|(?:hard|difficult|tedious|annoying|confusing|painful|cumbersome|inconvenient|error.prone)\b"
    r"|(?:whenever|every time|each time) (?:i|we|you|the|a)\b|is missing|are missing|makes it)\b"
)
_SAYS_PROPOSAL = re.compile(
    r"(?i)\b(?:would (?:like|love|prefer|appreciate)|(?:would|could|might) be (?:very |really |so |super |also )?"
    r"(?:nice|great|good|useful|helpful|cool|awesome|handy|neat|lovely|perfect|better|ideal)"
    r"|please (?:add|support|allow|make|implement|provide an?|consider (?:add|support|mak|allow))"
    r"|(?:i|we)(?:'d| would)? (?:propose|suggest|recommend|want|wish|need|request)"
    r"|(?:my|the|a) (?:proposal|suggestion|idea|goal|feature request|proposed \w{1,20})"
    r"|(?:goal|aim|purpose) of this|feature request|would (?:make sense|help)"
    r"|would be (?:\w{1,10} )?(?:convenient|interesting)|it should be possible"
    r"|(?:could|can) (?:we|you|this|it|there) (?:please )?(?:add|have|make|support|allow|get|provide|implement|be)"
    r"|how about|what about|as an? [\w ]{2,40} i want|let's|add (?:support|an? \w{1,20}))\b"
)
_DEMANDS = re.compile(
    r"(?:Add|Make|Allow|Support|Provide|Implement|Enable|Let|Show|Display|Create|Introduce|Extend|Include|Replace|Change"
    r"|Give|Offer) (?:(?:an?|the|all|users?|it|this|some|more|other) )?[\w-]"
)
_DEMAND = re.compile(
    r"(?:(?:When|If|For|In|On|While|After|Before|With|By default)\b[^.;]{3,100}, (?=\w))?"
    r"(?:(?:\S{1,40} ){0,7}\S{1,40}) (?:should|must|shall|needs? to|ha(?:s|ve) to)(?: |n't |not )"
)
"""Somebody or something, near the sentence's beginning, must."""
_LIST_OF_DEMANDS = re.compile(
    r"(?i)\b(?:should|must|shall|needs? to|ha(?:s|ve) to)(?: \w{1,15}){0,3} ?:$|^requirements?:$"
    r"|\bwith at least ?:$"
)
_LIST_OF_NEEDS = re.compile(r"(?i)what (?:we|i)(?:['’]d| would)? need ?:$")
_NO_CRITERION = re.compile(
    r"(?i)\b(?:i|i'd|i'm|i've|you|your|we|we'd|us|me|my|our|imho|imo|btw|afaik|somehow|maybe|perhaps"
    r"|probably|someone|somebody|nobody|why|whether|question|would|could|might|means|patch|pull request|pr"
    r"|(?:bug|issue|feature) (?:reports?|requests?)|not need)\b"
    r"|\bshould (?:later|any|anyone|there|this|that|these|the)\b"
    r"|\b(?:should|must) (?:already |also |really |only |easily )?(?:be (?:easy|simple|trivial|enough|fine"
    r"|fixed|closed|moved|discussed|considered|doable|straightforward|clear|noted|handled"
    r"|a (?:quick|simple|small|trivial))|help|suffice|make|fix|work fine|wait|achieve"
    r"|have (?:been|\w{1,15}ed)\b)"
    r"|\bwill (?:also )?(?:need|require|have)\b|\b(?:is|are|was) not easy|\bas (?:it|they) should\b"
)
_STARTS_AMID = re.compile(
    r"(?i)(?:but|and|so|then|however|otherwise|maybe|perhaps|note|because|since|if not|or|which|further"
    r"|(?:it|this) makes|similar|given|instead|that is|this is|also|there|to |in such|at least|using|check|e\.?g|i\.?e"
    r"|for (?:example|instance)|hi|hello|hey|thanks?|thank you|dear)\b"
)
_SAYS_OUTSIDE = re.compile(
    r"(?i)\b(?:out of scope|not asking|(?:not|n't) (?:suggesting|proposing|asking)|non.goal|does(?:n't| not) need to"
    r"|no need to)\b"
)
_BOILERPLATE = re.compile(
    r"(?i)clear and concise|frustrated when \[|any other context|if applicable|please (?:fill|describe|make sure|search"
    r"|check|read|confirm|delete|remove|replace|follow|use the)|feature requests? (?:must|should|will)"
    r"|^(?:describe|explain|provide) |contribution guid|issue tracker|duplicate issue"
)
_ASKS = re.compile(
    r"(?i)\b(?:how|what|which|where|should|could|can|is|are|does|do|would|why|will|when|who)\b"
)
_ASKS_NOTHING = re.compile(
    r"(?i)\b(?:thoughts|ideas|opinions?|wdyt|what do you (?:all |guys )?think|does (?:that|this|it) (?:make|sound)"
    r"|(?:can|could|would|will) (?:you|we|anyone|somebody|someone|it be|this be|i)|is (?:it|this) (?:already )?possible"
    r"|(?:is|are) there (?:any|a|some) (?:way|plans?|option|chance|interest)|how about"
    r"|any (?:update|news|plans?|way|chance|one)"
    r"|feature request related|would you be (?:willing|interested)|(?:do|did) you (?:want|search|check))\b"
)
_WORD = re.compile(r"[A-Za-z][a-z'’-]{0,30}")
_SHORTENED = re.compile(r"\b((?:e\.g|i\.e|etc|vs|cf|resp|incl|approx)\.) ", re.IGNORECASE)
_WRAPPED = re.compile(r"(?<=[a-z,;])\n(?=[a-z(])")


@dataclass(frozen=True, slots=True)
class Wish:
    """Each is in the reporter's own words, tamed, at most some sentences; empty where nothing is said of it."""

    problem: tuple[str, ...] = ()
    proposal: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    """What must hold in the end: boxes, lists and sentences that say so."""
    alternatives: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    """Fields of the form for problem, proposal or criteria that were left empty."""


@lru_cache(maxsize=32)
def read_wish(body: str) -> Wish:
    """Take a body apart. The fields of a form come first, then the sentences with a cue."""
    found = scan(body)
    said = [text for part in found.parts if _is_telling(part) for text in _told(part)]
    criteria = tuple(dict.fromkeys(_criteria(found, said)))[:MAX_CRITERIA]
    proposal = _field(found, _PROPOSAL)
    problem = [text for text in _field(found, _PROBLEM) if text not in proposal]
    if not problem:
        problem = [t for t in said if _SAYS_PROBLEM.search(t) and not _proposes(t) and t not in proposal]
    if not proposal or _BOTH.search(" ".join(part.heading for part in found.parts)):
        proposal = [t for t in said if _proposes(t) and t not in problem] or proposal
    outside = _field(found, _OUTSIDE) or [text for text in said if _SAYS_OUTSIDE.search(text)]
    asked = [t for t in said if t.endswith("?") and _ASKS.search(t) and not _ASKS_NOTHING.search(t)]
    questions = _lines(asked, ())
    kept = _lines(proposal, (*criteria, *questions))
    return Wish(
        problem=_lines(problem, (*criteria, *questions)),
        proposal=kept,
        criteria=criteria,
        alternatives=_lines(_field(found, _ALTERNATIVES), kept),
        outside=_lines(outside, kept),
        questions=questions,
        unanswered=tuple(dict.fromkeys(part.heading for part in found.parts if _is_unanswered(part))),
    )


def _proposes(text: str) -> bool:
    return _SAYS_PROPOSAL.search(text) is not None or _DEMANDS.match(text) is not None


def _lines(texts: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text in dict.fromkeys(map(tame, texts)) if text not in taken)


def _is_unanswered(part: Part) -> bool:
    asked = any(field.search(part.heading) for field in (_PROBLEM, _PROPOSAL, _ACCEPTANCE))
    # Without any text it is a title over other headings.
    return asked and part.empty and bool(part.text.strip()) and not _is_aside(part.heading)


def _is_telling(part: Part) -> bool:
    return bool(part.prose) and not part.empty and not _is_aside(part.heading)


def _is_aside(heading: str) -> bool:
    return bool(heading) and (
        FORMALITY.search(heading) is not None
        or (_ELSEWHERE.search(heading) is not None and not _PROBLEM.search(heading))
    )


def _told(part: Part) -> list[str]:
    return [text for text in _sentences(part) if _is_sentence(text)]


def _sentences(part: Part) -> list[str]:
    """With lines joined that were only broken for their width, and not cut after "e.g."."""
    prose = _SHORTENED.sub(lambda short: f"{short[1]}\x01", _WRAPPED.sub(" ", part.prose[:20_000]))
    return [text.replace("\x01", " ").strip() for text in sentences(prose, 60)]


def _is_sentence(text: str) -> bool:
    """Words rather than code, an address, a greeting or the form's own instructions."""
    if len(text) < 12 or text[-1] in ":;{}" or " = " in text or text[0] in "`<|{[#&$/\\=":
        return False
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    return len(words) >= 4 and letters >= 0.55 * len(text) and not _BOILERPLATE.search(text)


def _field(found: Scan, heading: re.Pattern[str]) -> list[str]:
    """What was written into the first field of this name."""
    for part in found.parts:
        if part.heading and part.prose and not part.empty and heading.search(part.heading):
            texts = [
                text for text in _sentences(part) if not _is_greeting(text) and not _BOILERPLATE.search(text)
            ]
            if texts:
                return texts
    return []


def _is_greeting(text: str) -> bool:
    return len(text) < 60 and re.match(r"(?i)(?:hi|hello|hey|thanks?|thank you|dear)\b", text) is not None


def _criteria(found: Scan, said: list[str]) -> Iterator[str]:
    """Open boxes and the list under such a heading; else lists after "it should:", and sentences that say what must
    be."""
    listed = [*open_boxes(found)]
    for part in found.parts:
        if (
            part.heading
            and not part.empty
            and _ACCEPTANCE.search(part.heading)
            and not FORMALITY.search(part.heading)
        ):
            items = _sentences(part)[:MAX_CRITERIA]
            listed += items if len(items) > 1 else []
            break
    if not listed:
        listed = [*_after_colon(found)]
    if not listed:
        listed = [text for text in said if _is_criterion(text)][:8]
    for text in listed:
        line = one_line(tame(text), MAX_CRITERION)
        if len(_WORD.findall(line)) >= 2 and "``" not in line and not _BOILERPLATE.search(line):
            yield line


def _is_criterion(text: str) -> bool:
    return (
        _DEMAND.match(text) is not None
        and len(text) <= 220
        and text[-1] not in "?:"
        and text[0].isupper()
        and not _NO_CRITERION.search(text)
        and not _STARTS_AMID.match(text)
    )


def _after_colon(found: Scan) -> Iterator[str]:
    """The items of lists that a line such as "It should:" begins."""
    wanted = False
    for kind, row in found.lines:
        if kind == "blank":
            continue
        start = row.lstrip()
        if kind == "prose" and start.endswith(":") and len(start) <= 200:
            demands = _LIST_OF_DEMANDS.search(start) is not None and not _NO_CRITERION.search(start)
            wanted = demands or _LIST_OF_NEEDS.match(start) is not None
        elif kind != "prose" or start[:2] not in ("- ", "* ", "+ "):
            wanted = False
        elif wanted and row[:1] in "-*+":
            yield start[2:]
