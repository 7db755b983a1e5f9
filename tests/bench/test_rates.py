"""The least time that the limits leave, by arithmetic that can be done by hand."""

from tests.bench.rates import CONTENT, POINTS, SLACK, floor, floor_of


def test_the_floor_of_the_limits() -> None:
    assert floor(0, *CONTENT) == 0 == floor(80, *CONTENT)
    assert floor(81, *CONTENT) == 60
    # 500 in the first hour, however fast they went; the other 500 take six minutes and begin an hour later.
    assert floor(500, *CONTENT) == 360 and floor(501, *CONTENT) == 3600
    assert floor(1000, *CONTENT) == 3960
    assert floor(900, POINTS) == 0 and floor(901, POINTS) == 60
    assert floor(5 * 1000 + 13, POINTS) == 300
    assert floor(3, SLACK) == 2


def test_the_floor_of_a_run() -> None:
    github = {"GET /a": 12, "POST /b/labels": 1000, "POST /b/comments": 1000}
    state = {
        "requests": {"github": {"by_route": github}, "shortcut": {"count": 398}},
        "messages_by_channel": {"#triage": 1, "#security": 1},
    }
    found = floor_of(state)
    assert found.parts == {"content": 3960, "points": 660, "primary": 0, "Shortcut": 60, "Slack": 0}
    assert found.seconds == 3960 and "content 3960 s" in found.words
