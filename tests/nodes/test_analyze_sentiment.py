"""Tone and urgency of sentences written for this test, the hard ones most of them engineering words."""

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


# (sentence, sign of the tone, is it pressing), written down before they were first tried: 67 of 85 were right then.
TABLE = [
    # engineering words: no mood, no hurry
    ("The build ends with fatal error: stdio.h: No such file or directory.", 0, False),
    ("Add a flag to kill the process group on exit.", 0, False),
    ("The linter should warn about dead code after a return.", 0, False),
    ("Abort the request when the component unmounts.", 0, False),
    ("thread main panicked at index out of bounds", 0, False),
    ("The hate speech filter flags the word 'assassin'.", 0, False),
    ("This reduces the attack surface of the parser.", 0, False),
    ("Enter the critical section before the queue is read.", 0, False),
    ("The supervisor should terminate the child and execute the next one.", 0, False),
    ("The hook executes the child twice before it dies.", 0, False),
    ("Zombie processes remain when the parent is killed.", 0, False),
    ("Poison pill messages stop the consumer.", 0, False),
    ("A denial of service attack can exhaust the pool.", 0, False),
    ("Bad things happen if the buffer is freed twice.", 0, False),
    ("The sad path of the test is missing.", 0, False),
    ("Only the happy path is tested.", 0, False),
    ("The emergency stop button is drawn behind the panel.", 0, False),
    ("Deadline exceeded while waiting for the gRPC server.", 0, False),
    ("context deadline exceeded", 0, False),
    ("The log level critical is not coloured.", 0, False),
    ("Support the hotfix branch prefix in the release script.", 0, False),
    ("Requests are blocked by the content security policy.", 0, False),
    ("The main thread is blocked for two seconds.", 0, False),
    ("The event loop is blocking on a socket read.", 0, False),
    ("The function returns immediately instead of waiting.", 0, False),
    ("The promise resolves immediately.", 0, False),
    ("Worst case complexity is quadratic.", 0, False),
    ("It works in the worst case, slowly.", 0, False),
    ("Use the dumb component for the list.", 0, False),
    ("The insane mode preset compresses better.", 0, False),
    ("A greater value is needed, and a nice value of 5.", 0, False),
    ("Sanity check: the sum is not a number.", 0, False),
    ("The outage banner is shown in the wrong language.", 0, False),
    ("Mark urgent mails with a red flag.", 0, False),
    ("Show the priority urgent in another colour.", 0, False),
    ("Sort tickets by high priority first.", 0, False),
    ("Different behaviour in production and development builds.", 0, False),
    ("The thread pool has tired workers that starve.", 0, False),
    ("Dirty pages are flushed by the garbage collector.", 0, False),
    ("A hung task is reaped and its orphan adopted.", 0, False),
    ("Love2D games crash with this driver.", 0, False),
    ("The mess table has a foreign key to the message table.", 0, False),
    ("Setting shell=True fails on Windows.", 0, False),
    ("The request is greatly delayed by the proxy.", 0, False),
    # calm reports
    ("When I click save, nothing happens.", 0, False),
    ("Unfortunately the list is empty after a reload.", 0, False),
    ("It fails the same way in version 2.3 and 2.4.", 0, False),
    ("Is there a way to turn this off?", 0, False),
    # anger
    ("This is a joke, right? Three releases and it is still broken.", -1, False),
    ("I am so tired of this bug.", -1, False),
    ("Honestly, the new layout is awful.", -1, False),
    ("Why would anybody ship such crap?", -1, False),
    ("Really annoying that it forgets my choice every time.", -1, False),
    ("This regression is extremely frustrating for our team.", -1, False),
    ("I have wasted two days on this.", -1, False),
    ("The docs are useless and nobody answers.", -1, False),
    ("It is a nightmare to configure.", -1, False),
    ("The error message is not helpful at all.", -1, False),
    ("HOW IS THIS STILL BROKEN AFTER TWO YEARS", -1, False),
    ("Please stop breaking things with every release, I'm fed up!!!", -1, False),
    # praise
    ("Thanks a lot for this wonderful tool!", 1, False),
    ("I really love how simple the API is.", 1, False),
    ("Great library, it saved me hours.", 1, False),
    ("Thank you for your hard work on this.", 1, False),
    ("Would be awesome to have this, many thanks in advance.", 1, False),
    ("Not bad at all, I like it.", 1, False),
    ("Kudos to the team, the upgrade was painless.", 1, False),
    # hurry
    ("We cannot ship until this is fixed, please treat it as urgent.", 0, True),
    ("This blocks us from upgrading, we need a fix asap.", 0, True),
    ("Our production cluster is down because of this.", 0, True),
    ("Critical for us: all customers see a blank page.", 0, True),
    ("It is blocking our release on Friday.", 0, True),
    ("Please fix this immediately, users are losing data right now!", 0, True),
    ("The app is completely unusable since the update.", 0, True),
    ("We have a deadline tomorrow and this is a blocker.", 0, True),
    ("An emergency: payments fail for everyone.", 0, True),
    ("Could you release a hotfix as soon as possible?", 0, True),
    # no hurry
    ("No hurry, just a small wish.", 0, False),
    ("This isn't urgent, but it would help.", 0, False),
    ("Not a blocker for us.", 0, False),
    ("Low priority, whenever you have time.", 0, False),
    # mixed
    ("Thanks for the project, but this bug is driving me crazy.", -1, False),
    ("Great tool, sadly it crashes on start and I can't work.", 0, True),
    ("Sorry for the dumb question, and thanks!", 1, False),
    ("I'd hate to lose this feature.", 0, False),
]


@pytest.mark.parametrize(("text", "sign", "pressing"), TABLE)
def test_sign_and_hurry(text: str, sign: int, pressing: bool) -> None:
    tone = read_tone(text)
    assert (tone.score >= 0.2) - (tone.score <= -0.2) == sign
    assert (tone.urgency >= 0.3) == pressing


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
