"""What a GitHub App is told of itself: its installations, their repositories, and its webhook's deliveries."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrations.github.client.auth import Installation, parse_installation
from integrations.github.client.client import PER_PAGE, GithubClient
from integrations.github.payloads import next_url, parse_time
from models.errors import Rejected, Transient


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery that GitHub made or tried to make, as its list shows it."""

    id: int
    guid: str
    event: str
    at: datetime


async def about_app(client: GithubClient) -> Mapping[str, Any]:
    """The App itself: slug, permissions, events."""
    _, data = await client.read("/app")
    if not isinstance(data, Mapping):
        raise Transient("github: /app came as something else than an App")
    return data


async def installations(client: GithubClient) -> list[Installation]:
    """All accounts in which the App is installed."""
    found = []
    async for item in _items(client, f"/app/installations?per_page={PER_PAGE}"):
        installation = parse_installation(item)
        if installation is not None:
            found.append(installation)
    client.connections.learn(found)
    return found


async def repositories(client: GithubClient, installation: Installation) -> list[str]:
    """Full names of the repositories that an installation covers, without those that nobody can write to."""
    address = f"/installation/repositories?per_page={PER_PAGE}"
    return [
        item["full_name"]
        async for item in _items(client, address, installation.owner, within="repositories")
        if isinstance(item.get("full_name"), str) and not item.get("archived") and not item.get("disabled")
    ]


async def deliveries(client: GithubClient) -> AsyncIterator[list[Sent]]:
    """The App's webhook deliveries, the newest first, page by page."""
    address: str | None = f"/app/hook/deliveries?per_page={PER_PAGE}"
    while address is not None:
        answer, data = await client.read(address)
        if not isinstance(data, list):
            raise Transient("github: the list of deliveries came as something else")
        yield [
            Sent(item["id"], item["guid"][:100], str(item.get("event"))[:100], _at(item))
            for item in data
            if isinstance(item, Mapping)
            and isinstance(item.get("id"), int)
            and isinstance(item.get("guid"), str)
        ]
        address = _following(client, answer)


async def delivery(client: GithubClient, number: int) -> tuple[Mapping[str, str], Any]:
    """What was sent with a delivery: its headers, with names in lower case, and the payload."""
    _, data = await client.read(f"/app/hook/deliveries/{number}")
    request = data.get("request") if isinstance(data, Mapping) else None
    if not isinstance(request, Mapping):
        raise Rejected(f"github: delivery {number} came as something else")
    headers = request.get("headers")
    names = {str(k).lower(): str(v) for k, v in headers.items()} if isinstance(headers, Mapping) else {}
    return names, request.get("payload")


async def _items(
    client: GithubClient, address: str | None, owner: str = "", *, within: str = ""
) -> AsyncIterator[Mapping[str, Any]]:
    """All items of a list on several pages; `within` is the key under which each page has them."""
    while address is not None:
        answer, data = await client.read(address, owner)
        page = data.get(within) if within and isinstance(data, Mapping) else data
        if not isinstance(page, list):
            raise Transient(f"github: {address.split('?')[0]} came as something else than a list")
        for item in page:
            if isinstance(item, Mapping):
                yield item
        address = _following(client, answer)


def _following(client: GithubClient, answer: Mapping[str, Any]) -> str | None:
    url = next_url(answer.get("link"))
    return client.connections.on_base(url) if url else None


def _at(item: Mapping[str, Any]) -> datetime:
    return parse_time(item.get("delivered_at")).astimezone(UTC)
