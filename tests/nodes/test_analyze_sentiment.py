"""Tone and urgency of sixty sentences, written for this test."""

import pytest

from nodes.analyze_sentiment import AnalyzeSentiment, read_tone
from tests.nodes.build import case, run

ANGRY = [
    "This is absolutely ridiculous, it has been broken for months!!!",
    "What a waste of time, I am fed up with this tool.",
    "Whoever wrote this is an idiot.",
    "Your release process is a joke and the support is pathetic.",
    "This is the worst upgrade experience I ever had.",
    "I am really disappointed by this release.",
    "Why is this still not fixed? It is unacceptable.",
    "Utterly useless error page, it drives me crazy.",
    "WHY DOES THIS NEVER WORK",
    "This sucks.",
    "I hate how this dialog behaves.",
    "Terrible documentation and a horrible API.",
    "It is frustrating and annoying.",
    "I lost a day, this is not good at all and I'm sick of it.",
    "wtf is going on here",
]
NEUTRAL = [
    "Fatal error: uncaught exception in worker.",
    "The process was killed by signal 9 after the abort.",
    "The kernel panics when the parent dies.",
    "Remove dead code in the garbage collector.",
    "Rename master to main and slave to replica.",
    "The child becomes a zombie and the daemon hangs.",
    "The crash is in the destroy method.",
    "Server answers 400 Bad Request and then 502 bad gateway.",
    "The critical section is not protected.",
    "A blocking call in the event loop.",
    "Use a dumb terminal and the dump is dirty.",
    "The attack surface grows with poison messages.",
    "Lazy loading fails with a bad file descriptor.",
    "Callback hell in the old module.",
    "Returns immediately after the first chunk.",
    "The value must be greater than 3.",
    "Beautiful Soup parses the page.",
    "Set the nice level to 10.",
    "The perfect hash is recomputed.",
    "The critical path CSS is inlined twice.",
    "The thread is blocked by the lock.",
    "Execution stops at the fatal assertion.",
    "The test fails with an error.",
    "Kill the orphan process and abort.",
    "A bad alloc terminates the run.",
]
KIND = [
    "Thanks for this great project, I love it.",
    "Awesome work, I appreciate it.",
    "It would be nice to have, thank you!",
    "Fantastic library, works perfectly and is a pleasure. Thanks!",
    "I am happy to help, cheers.",
    "Brilliant, and really helpful.",
]
URGENT = [
    "We need this ASAP, production is down.",
    "This is urgent, it blocks our release.",
    "All our users are affected, this is an emergency.",
    "Release blocker: we are losing data.",
    "Showstopper, please fix as soon as possible.",
    "The outage hits our customers in production.",
]
CALM = [
    "No rush, low priority.",
    "Not urgent at all.",
    "A typo in the readme.",
    "The critical section could be shorter.",
    "Use non blocking io here.",
    "It returns immediately after the call.",
    "This is not critical.",
    "The level is called critical error.",
]


@pytest.mark.parametrize("text", ANGRY)
def test_angry(text: str) -> None:
    assert read_tone(text).score <= -0.3


@pytest.mark.parametrize("text", NEUTRAL)
def test_engineering_words_are_no_mood(text: str) -> None:
    tone = read_tone(text)
    assert abs(tone.score) < 0.1
    assert tone.urgency < 0.1


@pytest.mark.parametrize("text", KIND)
def test_kind(text: str) -> None:
    assert read_tone(text).score >= 0.2


@pytest.mark.parametrize("text", URGENT)
def test_urgent(text: str) -> None:
    assert read_tone(text).urgency >= 0.5


@pytest.mark.parametrize("text", CALM)
def test_calm(text: str) -> None:
    assert read_tone(text).urgency < 0.1


@pytest.mark.parametrize(
    "body",
    [
        "```\nthis is stupid and pathetic, fix it ASAP\n```",
        "> this is stupid and pathetic\n> fix it ASAP",
        "<!-- this is stupid, fix it ASAP -->",
        "2026-11-20T02:00:01 ERROR urgent: stupid terrible input",
        "`stupid_pathetic` returns `asap`",
    ],
)
def test_code_quotes_logs_and_comments_do_not_count(body: str) -> None:
    tone = run(AnalyzeSentiment(), case("The list is empty", body)).sentiment
    assert tone is not None
    assert (tone.score, tone.urgency) == (0.0, 0.0)


def test_negation_turns_praise_and_softens_blame() -> None:
    assert read_tone("This is not great.").score < 0
    assert -0.2 < read_tone("It is not terrible.").score <= 0.5


def test_the_words_are_told() -> None:
    assert "ridiculous" in read_tone("This is ridiculous.").evidence
