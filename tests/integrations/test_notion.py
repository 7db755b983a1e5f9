"""Markdown as blocks, and the client against the checked stand-in: one page an issue, whatever is lost on the way."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox import create_app, running
from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.notion.client import NotionClient
from integrations.notion.payloads import MAX_BLOCKS, blocks_of, count, in_requests
from integrations.notion.sandbox.service import PARENT
from integrations.notion.settings import NotionSettings
from integrations.resilience import Guard
from models.commands import Command, Pending, payload_hash, publish_page
from models.errors import BadCredential, RateLimited, Rejected, SwitchyardError, Transient, Unauthorized
from models.units import Rate
from tests.contracts.checked import Checked, checked

REF = "octo/widgets#7"
ITEM = "bulleted_list_item"
SHORT = publish_page(REF, title="Sorting", markdown="# Sorting\n\nSort by *key*.")
LONG = publish_page(REF, title="Sorting", markdown="\n\n".join(f"Paragraph {n}." for n in range(250)))


def shape(block: Mapping[str, Any]) -> Any:
    """A block as its type, its text and what is nested in it."""
    content = block[block["type"]]
    said = "".join(piece["text"]["content"] for piece in content.get("rich_text", ()))
    nested = [shape(child) for child in content.get("children", ())]
    return (block["type"], said, nested) if nested else (block["type"], said)


@pytest.mark.parametrize(
    ("markdown", "shapes"),
    [
        ("", []),
        ("One\ntwo", [("paragraph", "One\ntwo")]),
        ("# A\n\n### B\n\n##### C", [("heading_1", "A"), ("heading_3", "B"), ("heading_3", "C")]),
        ("- a\n- b\n\n1. c", [(ITEM, "a"), (ITEM, "b"), ("numbered_list_item", "c")]),
        ("- [ ] a\n- [x] b", [("to_do", "a"), ("to_do", "b")]),
        ("- a\n  - b\n    - c", [(ITEM, "a", [(ITEM, "b", [(ITEM, "c")])])]),
        ("- a\n  - b\n    - c\n      - d", [(ITEM, "a", [(ITEM, "b", [(ITEM, "c"), (ITEM, "d")])])]),
        ("- ```\n  x\n  ```", [(ITEM, " ", [("code", "x")])]),
        ("> a\n>\n> b", [("quote", "a"), ("quote", "b")]),
        ("```js\nx\n```\n\n    y", [("code", "x"), ("code", "y")]),
        ("a\n\n---\n\nb", [("paragraph", "a"), ("divider", ""), ("paragraph", "b")]),
        ("<b>x</b>\n\n<div>y</div>", [("paragraph", "<b>x</b>"), ("paragraph", "<div>y</div>")]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", [("paragraph", "| a | b |\n|---|---|\n| 1 | 2 |")]),
    ],
)  # fmt: skip
def test_markdown_becomes_blocks(markdown: str, shapes: list[Any]) -> None:
    assert [shape(block) for block in blocks_of(markdown)] == shapes


@pytest.mark.parametrize(
    ("markdown", "link", "marks"),
    [
        ("[x](https://a.example/b)", "https://a.example/b", {}),
        ("[x](HTTP://a.example)", "HTTP://a.example", {}),
        ("[x](javascript:alert(1))", None, {}),
        ("[x](/etc/passwd)", None, {}),
        (f"[x](https://a.example/{'b' * 2_000})", None, {}),
        ("![x](https://a.example/b.png)", "https://a.example/b.png", {}),
        ("**x**", None, {"bold": True}),
        ("_x_", None, {"italic": True}),
        ("~~x~~", None, {"strikethrough": True}),
        ("`x`", None, {"code": True}),
        ("**[`x`](https://a.example)**", "https://a.example", {"bold": True, "code": True}),
    ],
)
def test_only_addresses_of_the_web_become_links(markdown: str, link: str | None, marks: Any) -> None:
    (block,) = blocks_of(markdown)
    pieces = block["paragraph"]["rich_text"]
    assert (pieces[0]["text"].get("link") or {}).get("url") == link
    assert pieces[0].get("annotations", {}) == marks


@pytest.mark.parametrize(
    ("info", "language"),
    [("py", "python"), ("TypeScript", "typescript"), ("klingon", "plain text"), ("", "plain text"), ("diff x", "diff")],
)  # fmt: skip
def test_a_code_block_has_one_of_notions_languages(info: str, language: str) -> None:
    (block,) = blocks_of(f"```{info}\nx\n```")
    assert block["code"]["language"] == language


@pytest.mark.parametrize(
    "markdown",
    [
        "x" * 9_000, "😀" * 5_000, "*a* b " * 2_000, "- a\n" * 3_000, "- a\n" + "  - b\n" * 400,
        "```\n" + "x\n" * 90_000, "- " * 200 + "x", "> " * 200 + "x", "[" * 5_000, "*" * 20_000,
        "a\n\n" * 2_000, "`" * 9_000 + "x",
    ],
    ids=range(12),
)  # fmt: skip
async def test_hostile_markdown_stays_within_the_limits(
    client: NotionClient, notion: "Notion", markdown: str
) -> None:
    blocks = blocks_of(markdown)
    assert count(blocks) <= MAX_BLOCKS + 1
    assert [block for group in in_requests(blocks) for block in group] == blocks
    await deliver(client, publish_page(REF, title=markdown[:900], markdown=markdown))
    assert len(notion.pages[0]["blocks"]) == len(blocks)


class Notion:
    """The stand-in, and how to look into it."""

    def __init__(self, app: Checked, port: int) -> None:
        self.app = app
        self.base = f"http://127.0.0.1:{port}"

    @property
    def pages(self) -> list[dict[str, Any]]:
        return self.app.sandbox.notion.pages()

    def texts(self) -> list[str]:
        """Of the one page, what each block says."""
        (page,) = self.pages
        return [str(shape(block)[1]) for block in page["blocks"]]

    def fail(self, **what: Any) -> None:
        self.app.sandbox.control.apply({"service": "notion", **what})


@pytest.fixture
def notion() -> Iterator[Notion]:
    app = checked(create_app([]), required=False)
    with running(app) as server:
        yield Notion(app, server.port)
    assert app.violations == []


def connected(
    notion: Notion, token: str = "ntn_x", parent: str = PARENT, rate: int = 1_000, timeout: float = 60
) -> NotionClient:
    limits = [Limit([Rate(rate, 1)])]
    retry = RetrySettings(initial_delay=0.01)
    guard = Guard("notion", limits=limits, timeout=timeout, breaker=BreakerSettings(), retry=retry)
    settings = NotionSettings(base_url=notion.base, parent_page_id=parent)
    return NotionClient(settings, token, guard, user_agent="switchyard/test")


@pytest.fixture
async def client(notion: Notion) -> AsyncIterator[NotionClient]:
    made = connected(notion)
    yield made
    await made.close()


def pending(command: Command, **more: Any) -> Pending:
    return Pending(
        command=command, created_at=datetime.now(UTC), payload_hash=payload_hash(command.payload), **more
    )


async def deliver(client: NotionClient, command: Command, **more: Any) -> Mapping[str, Any]:
    (answer,) = await client.send([pending(command, **more)])
    return answer


async def again(client: NotionClient, command: Command) -> Mapping[str, Any]:
    """What a lane does with a command that may have arrived."""
    one = pending(command, maybe_sent_at=datetime.now(UTC))
    found = await client.find([one])
    return found[one.key] if found else (await client.send([one]))[0]


async def test_a_page_lies_below_its_parent(client: NotionClient, notion: Notion) -> None:
    answer = await deliver(client, SHORT)
    (page,) = notion.pages
    assert page["title"] == "octo/widgets#7: Sorting"
    assert answer == {"id": page["id"], "url": f"https://www.notion.so/{page['id'].replace('-', '')}"}
    assert notion.texts() == ["Sorting", "Sort by key."]


async def test_a_long_page_is_written_in_parts(client: NotionClient, notion: Notion) -> None:
    await deliver(client, LONG)
    assert notion.texts() == [f"Paragraph {n}." for n in range(250)]


async def test_a_page_that_stands_is_never_written_again(client: NotionClient, notion: Notion) -> None:
    answer = await deliver(client, SHORT)
    changed = publish_page(REF, title="Other", markdown="Other")
    assert await deliver(client, changed, last_answer=answer) == answer
    assert notion.texts() == ["Sorting", "Sort by key."]


@pytest.mark.parametrize("fault", ["hang_after", "drop_after", "truncate"])
@pytest.mark.parametrize("match", ["POST /v1/pages", "PATCH /v1/blocks/.*"])
@pytest.mark.parametrize("restarted", [False, True])
async def test_a_lost_answer_makes_no_second_page_and_repeats_no_block(
    notion: Notion, fault: str, match: str, restarted: bool
) -> None:
    client = connected(notion, timeout=2 if fault == "hang_after" else 60)
    notion.fail(match=match, fault=fault, times=1)
    with pytest.raises(Transient) as lost:
        await deliver(client, LONG)
    assert lost.value.maybe_sent
    other = connected(notion) if restarted else client
    answer = await again(other, LONG)
    (page,) = notion.pages
    assert answer["id"] == page["id"]
    assert notion.texts() == [f"Paragraph {n}." for n in range(250)]
    assert await again(other, LONG) == answer
    for one in {client, other}:
        await one.close()


@pytest.mark.parametrize(
    "what",
    [
        {"fault": "refuse"},
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 429, "retry_after": 5},
        {"fault": "status", "status": 401},
    ],
)
async def test_a_page_that_is_half_written_goes_on_where_it_stands(
    client: NotionClient, notion: Notion, what: dict[str, Any]
) -> None:
    notion.fail(match="PATCH /v1/blocks/.*", times=1, **what)
    with pytest.raises(Transient) as half:
        await deliver(client, LONG)
    assert half.value.maybe_sent and len(notion.texts()) == 100
    # Meanwhile a person writes on it, and another page is there with a like title.
    notion.app.sandbox.notion.write_by_hand(notion.pages[0]["id"], "By hand")
    other = connected(notion)
    await deliver(other, publish_page("octo/widgets#70", title="x", markdown="x"))
    await again(other, LONG)
    texts = [shape(block)[1] for block in notion.pages[0]["blocks"]]
    assert [text for text in texts if text != "By hand"] == [f"Paragraph {n}." for n in range(250)]
    assert len(notion.pages) == 2
    await other.close()


async def test_what_was_never_sent_is_not_found(client: NotionClient, notion: Notion) -> None:
    await deliver(client, publish_page("octo/widgets#70", title="x", markdown="x"))
    assert await client.find([pending(SHORT)]) == {}


async def test_a_page_is_found_among_many(client: NotionClient, notion: Notion) -> None:
    for number in range(100, 220):
        await deliver(client, publish_page(f"octo/widgets#{number}", title="x", markdown="x"))
    answer = await deliver(client, SHORT)
    assert await client.find([pending(SHORT)]) == {"page:octo/widgets#7": answer}


async def test_a_persons_page_of_that_name_is_not_the_bots(client: NotionClient, notion: Notion) -> None:
    answer = await deliver(client, SHORT)
    notion.app.sandbox.notion._blocks[answer["id"]]["by"] = "somebody"
    assert await client.find([pending(SHORT)]) == {}


async def test_what_is_refused_of_a_page_that_stands_is_told_in_its_answer(
    client: NotionClient, notion: Notion
) -> None:
    notion.fail(match="PATCH /v1/blocks/.*", fault="status", status=400, times=1)
    answer = await deliver(client, LONG)
    assert "HTTP 400" in answer["incomplete"] and len(notion.texts()) == 100


async def test_it_waits_for_its_own_budget_between_parts(notion: Notion) -> None:
    slow = connected(notion, rate=1)
    await deliver(slow, publish_page(REF, title="x", markdown="a\n\n" * 150))
    assert len(notion.texts()) == 150
    await slow.close()


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        ({"fault": "status", "status": 429, "retry_after": 9}, RateLimited, "too many"),
        ({"fault": "status", "status": 529, "retry_after": 9}, RateLimited, "overloaded"),
        ({"fault": "status", "status": 409}, Transient, "409"),
        ({"fault": "status", "status": 503}, Transient, "503"),
        ({"fault": "html", "status": 200}, Transient, "no JSON"),
        ({"fault": "status", "status": 200, "body": {"object": "page"}}, Transient, "no id"),
        ({"fault": "status", "status": 400, "body": {"message": "too long"}}, Rejected, "too long"),
        ({"fault": "status", "status": 403}, Unauthorized, "NOTION_TOKEN"),
    ],
)
async def test_errors_say_what_to_do(
    client: NotionClient, notion: Notion, what: dict[str, Any], error: type[SwitchyardError], words: str
) -> None:
    notion.fail(match="POST /v1/pages", times=1, **what)
    with pytest.raises(error, match=words) as raised:
        await deliver(client, SHORT)
    if isinstance(raised.value, RateLimited):
        assert 7 < (raised.value.until - datetime.now(UTC)).total_seconds() < 10


async def test_a_wrong_parent_or_token_kills_nothing(notion: Notion) -> None:
    lost = connected(notion, parent="0f5a1c3e-0000-0000-0000-000000000000")
    for call in (deliver(lost, SHORT), lost.check(), lost.find([pending(SHORT)])):
        with pytest.raises(Unauthorized, match="parent_page_id"):
            await call
    await lost.close()
    bad = connected(notion, token="bad")
    with pytest.raises(BadCredential, match="NOTION_TOKEN"):
        await bad.check()
    await bad.close()


async def test_check_says_who_it_is(client: NotionClient) -> None:
    assert await client.check() == "signed in as switchyard; the parent page can be seen"


async def test_an_unknown_operation_is_refused(client: NotionClient) -> None:
    with pytest.raises(Rejected, match="surprise"):
        await deliver(client, Command(key="x", target="notion", operation="surprise", payload={}))


@pytest.mark.parametrize(
    "given",
    [
        "0f5a1c3e7b2d4e6f8a9b000000000001",
        "0F5A1C3E-7B2D-4E6F-8A9B-000000000001",
        "https://www.notion.so/team/Documentation-drafts-0f5a1c3e7b2d4e6f8a9b000000000001?pvs=4",
    ],
)
def test_the_parent_may_be_given_by_its_address(given: str) -> None:
    assert NotionSettings(parent_page_id=given).parent_page_id == PARENT
