"""Words of tone and urgency in bug trackers; what engineers say of machines is left out on purpose.

Not here because they describe programs, not moods: fatal, kill, abort, panic, dead, die, crash, hang, error,
fail, bug, problem, issue, wrong, broken, garbage, zombie, orphan, poison, attack, master, slave, dirty, dump.
"""

from models.text.words import words

TONE: dict[str, float] = {
    "absurd": -1.5,
    "angry": -2.0,
    "annoyed": -1.3,
    "annoying": -0.8,
    "appalling": -2.5,
    "ashamed": -1.0,
    "atrocious": -2.5,
    "awful": -1.5,
    "bad": -0.3,
    "bullshit": -3.0,
    "careless": -1.5,
    "clueless": -2.0,
    "crap": -2.0,
    "crappy": -2.0,
    "damn": -1.5,
    "desperate": -1.0,
    "disappointed": -1.6,
    "disappointing": -1.5,
    "disaster": -1.5,
    "disgrace": -2.5,
    "disgusting": -2.5,
    "dumb": -1.5,
    "embarrassing": -1.5,
    "frustrated": -1.6,
    "frustrating": -1.2,
    "frustration": -1.4,
    "furious": -2.5,
    "hate": -1.8,
    "hell": -1.0,
    "horrible": -2.0,
    "horrendous": -2.2,
    "idiot": -3.0,
    "idiotic": -3.0,
    "idiots": -3.0,
    "incompetent": -3.0,
    "inexcusable": -2.5,
    "infuriating": -2.3,
    "insane": -1.2,
    "joke": -1.2,
    "lazy": -0.8,
    "ludicrous": -2.0,
    "mess": -0.8,
    "nightmare": -1.5,
    "nonsense": -1.3,
    "outrageous": -2.3,
    "painful": -0.9,
    "pathetic": -2.7,
    "pissed": -2.5,
    "ridiculous": -2.0,
    "sad": -0.7,
    "sadly": -0.5,
    "shame": -1.2,
    "shameful": -2.3,
    "shit": -2.7,
    "shitty": -2.7,
    "stupid": -2.0,
    "sucks": -2.0,
    "terrible": -1.5,
    "unacceptable": -2.2,
    "unbelievable": -1.2,
    "unfortunately": -0.3,
    "unhappy": -1.2,
    "upset": -1.2,
    "useless": -0.9,
    "wasted": -1.0,
    "worst": -1.5,
    "wtf": -2.0,
    "amazing": 1.8,
    "appreciate": 1.2,
    "appreciated": 1.0,
    "awesome": 1.8,
    "beautiful": 1.2,
    "brilliant": 1.6,
    "cool": 0.8,
    "cheers": 0.8,
    "delighted": 1.8,
    "elegant": 1.0,
    "enjoy": 1.0,
    "excellent": 1.6,
    "fantastic": 1.8,
    "glad": 0.9,
    "grateful": 1.6,
    "great": 0.9,
    "happy": 0.8,
    "helpful": 0.8,
    "kudos": 1.6,
    "love": 1.4,
    "lovely": 1.3,
    "neat": 0.7,
    "nice": 0.6,
    "perfect": 1.0,
    "please": 0.1,
    "pleased": 1.2,
    "superb": 1.7,
    "thank": 0.8,
    "thanks": 0.8,
    "thx": 0.6,
    "wonderful": 1.7,
}
"""Weights from -3 (insult) to 2 (delight)."""

URGENCY: dict[str, float] = {
    "asap": 0.6,
    "blocked": 0.2,
    "blocker": 0.45,
    "blocking": 0.25,
    "critical": 0.35,
    "deadline": 0.4,
    "desperate": 0.3,
    "desperately": 0.3,
    "emergency": 0.5,
    "hotfix": 0.25,
    "immediately": 0.15,
    "outage": 0.5,
    "showstopper": 0.5,
    "unusable": 0.3,
    "urgent": 0.6,
    "urgently": 0.6,
}

PHRASES: tuple[tuple[str, float, float], ...] = (
    ("as soon as possible", 0.0, 0.5),
    ("in production", 0.0, 0.2),
    ("production is down", 0.0, 0.6),
    ("site is down", 0.0, 0.5),
    ("all our users", 0.0, 0.3),
    ("all of our users", 0.0, 0.3),
    ("our customers", 0.0, 0.25),
    ("losing data", 0.0, 0.4),
    ("losing money", 0.0, 0.5),
    ("right now", 0.0, 0.05),
    ("fix this immediately", 0.0, 0.3),
    ("blocks our", 0.0, 0.4),
    ("blocking our", 0.0, 0.3),
    ("blocking us", 0.0, 0.4),
    ("blocks us", 0.0, 0.4),
    ("release blocker", 0.0, 0.4),
    ("critical for us", 0.0, 0.35),
    ("high priority", 0.0, 0.2),
    ("cluster is down", 0.0, 0.5),
    ("servers are down", 0.0, 0.5),
    ("i can't work", -0.3, 0.3),
    ("we can't work", -0.3, 0.4),
    ("we cannot work", 0.0, 0.4),
    ("fed up", -2.0, 0.0),
    ("waste of time", -2.0, 0.0),
    ("wasted hours", -1.5, 0.0),
    ("wasted days", -1.7, 0.0),
    ("what the hell", -1.5, 0.0),
    ("what the fuck", -2.5, 0.0),
    ("fuck", -2.5, 0.0),
    ("how hard can it be", -2.0, 0.0),
    ("i give up", -0.8, 0.0),
    ("sick of", -2.0, 0.0),
    ("tired of", -1.3, 0.0),
    ("do you even", -1.8, 0.0),
    ("nobody cares", -1.8, 0.0),
    ("still not fixed", -1.0, 0.2),
    ("for years", -0.5, 0.0),
    ("drives me crazy", -1.5, 0.0),
    ("driving me crazy", -1.5, 0.0),
    ("great work", 0.9, 0.0),
    ("great job", 0.9, 0.0),
    ("keep up", 1.0, 0.0),
    ("i like", 0.5, 0.0),
    ("hard work", 0.5, 0.0),
    ("no rush", 0.3, -0.3),
    ("not urgent", 0.0, -0.3),
    ("low priority", 0.0, -0.3),
)
"""(phrase, tone, urgency)."""

NEGATIONS = words(
    "no not non never without neither nor none isn't wasn't aren't don't doesn't didn't can't "
    "cannot won't "
    "wouldn't shouldn't couldn't hardly isnt dont doesnt cant wont isn’t don’t doesn’t can’t won’t"
)
WISHING = words("would wouldn't could might it'd that'd")
"""Before a word of praise they make it a wish: "it would be great"."""
SHOUTED = words("a and are do does how i is it my not of please still stop the this to we what why you your")
"""At least one of these is in what people shout; SQL and lists of constants have none."""
INTENSIFIERS = words("very really so extremely absolutely totally completely fucking utterly")

NEUTRAL_PAIRS: dict[str, frozenset[str]] = {
    "bad": words(
        "request requests gateway file magic alloc address block blocks blocking sector interpreter "
        "descriptor "
        "substitution data input inputs value values state option argument parameter format header token "
        "cast "
        "access instruction certificate signature credentials config configuration path url idea english "
        "span commit revision code error message practice"
    ),
    "worst": frozenset({"case", "at"}),
    "stupid": frozenset({"question", "questions", "mistake", "being"}),
    "dumb": frozenset(
        {"question", "questions", "terminal", "pointer", "component", "components", "quotes", "http"}
    ),
    "hell": frozenset({"dependency", "dll", "callback"}),
    "hate": frozenset({"speech", "to"}),
    "sad": frozenset({"path", "paths", "face", "smiley", "emoji"}),
    "happy": frozenset({"path", "paths", "eyeballs", "face", "emoji", "to"}),
    "mess": frozenset({"table", "with", "around", "up"}),
    "upset": frozenset({"gets", "compiler", "valgrind"}),
    "unhappy": frozenset({"compiler", "linker"}),
    "amazing": frozenset({"amount", "number"}),
    "absurd": frozenset({"amount", "number"}),
    "awesome": frozenset({"font", "list", "lists"}),
    "thanks": frozenset({"to"}),
    "frustrated": frozenset({"always", "when", "for"}),
    "damn": frozenset({"good", "nice", "fast", "close"}),
    "wasted": words("space memory cycles cpu bytes work bandwidth time disk ram"),
    "emergency": words("stop button exit mode contact contacts call calls kit number shutdown"),
    "deadline": words("exceeded context timer timeout field date scheduler ms seconds set"),
    "hotfix": words("branch branches prefix release releases version versions label"),
    "outage": words("banner page map report reports calendar simulation"),
    "urgent": words("mail mails message messages flag priority label tag header queue pointer data"),
    "lazy": words(
        "load loaded loading loader import imports evaluation eval initialization init component "
        "components list lists "
        "static query fetch fetching route routes react suspense"
    ),
    "critical": words("section sections path css point points region log level error cve for to"),
    "blocking": words(
        "call calls io i read reads write writes queue thread threads mode operation socket "
        "function api "
        "non request requests ads"
    ),
    "blocked": frozenset({"thread", "threads", "cors", "state", "by"}),
    "immediately": frozenset({"after", "returns", "return", "exits", "exit", "before", "invoked", "when"}),
    "great": frozenset({"than"}),
    "insane": frozenset({"preset", "mode"}),
    "nice": frozenset({"level", "value", "process", "priority", "be", "to"}),
    "love": frozenset({"d"}),
    "cool": frozenset({"down"}),
    "perfect": frozenset({"hash", "forward", "forwarding", "square", "match"}),
    "beautiful": frozenset({"soup"}),
    "joke": frozenset({"api", "app"}),
}
"""Words that are no feeling beside one of these neighbours."""
