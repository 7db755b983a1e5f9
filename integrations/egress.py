"""The way out to addresses that strangers wrote: only public ones, checked where the connection is made."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx
import psutil

from models.errors import Rejected

PORTS = frozenset({443, 8443})
"""A receiver of webhooks listens here; any other port would make the bot a scanner for whoever names it."""
RESOLVE_TIMEOUT = 5.0
MOST_ADDRESSES = 4
"""Of a name's addresses, so many are tried."""
RESOLVERS = 8
"""Threads that wait for names. Their own: a name server that never answers must not hold up the database."""

# The standard library's own notion of "global" differs between its patch releases, so the registries' special
# blocks are spelled out here.
_CLOSED = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a public number, under which a cloud's machines find their host
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_UNICAST = IPv6Network("2000::/3")
"""All that is handed out for global use; loopback, local, multicast and the rest lie outside."""
_CLOSED_6 = tuple(
    IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
)  # fmt: skip
_NAT64 = IPv6Network("64:ff9b::/96")

Resolver = Callable[[str, int], Sequence[str]]


def is_public(text: str) -> bool:
    """May a stranger have us connect there? An IPv4 address wrapped into IPv6 counts as what it wraps."""
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _CLOSED)
    wrapped = _wrapped(address)
    if wrapped:
        return all(is_public(str(inner)) for inner in wrapped)
    return address in _UNICAST and not any(address in block for block in _CLOSED_6)


def _wrapped(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses to which a packet for this one may come: mapped, NAT64, 6to4 or Teredo."""
    if address in _NAT64:
        return (IPv4Address(address.packed[-4:]),)
    single = address.ipv4_mapped or address.sixtofour
    return (single,) if single else address.teredo or ()


def is_own(text: str) -> bool:
    """Is it an address of this machine? What listens here may trust connections from within."""
    mine = {entry.address.split("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    address = ip_address(text.split("%")[0])
    inner = _wrapped(address) if isinstance(address, IPv6Address) else ()
    return not mine.isdisjoint(str(one) for one in (address, *inner))


def is_open(text: str) -> bool:
    """Public, and not this machine's own."""
    return is_public(text) and not is_own(text)


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, or of a number in any of the spellings that the system takes; blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Rules:
    """What is let through; tests open a door here."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = PORTS
    resolve: Resolver = resolve
    allows: Callable[[str], bool] = is_open


class EgressTransport(httpx.AsyncBaseTransport):
    """Looks a name up once, refuses it unless all its addresses are allowed, and connects to just those.

    The request goes out to the number, with the name kept for the Host header and for TLS, so nobody looks
    the name up a second time. Connections are not kept: one that was made for a name serves no other name
    on the same number.
    """

    def __init__(self, rules: Rules | None = None, *, verify: ssl.SSLContext | bool = True) -> None:
        self._rules = rules or Rules()
        self._inner = httpx.AsyncHTTPTransport(
            verify=verify, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._threads = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="egress")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Rejected where the address is not allowed; httpx's own errors where it cannot be reached."""
        host = self._named(request.url)
        addresses = await self._addresses(host, request.url)
        failure: Exception | None = None
        for address in addresses[:MOST_ADDRESSES]:
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("the name has no address")

    def _named(self, url: httpx.URL) -> str:
        """The host as it stands in a request; Rejected where the address itself is not in order."""
        host = url.raw_host.decode("ascii").rstrip(".")
        if url.scheme not in self._rules.schemes or not host:
            raise Rejected(f"the address is refused: only {' and '.join(sorted(self._rules.schemes))}")
        if url.userinfo:
            raise Rejected("the address is refused: it holds a name or password")
        if (url.port or {"http": 80}.get(url.scheme, 443)) not in self._rules.ports:
            ports = ", ".join(str(port) for port in sorted(self._rules.ports))
            raise Rejected(f"the address is refused: port {url.port or 80}; allowed are {ports}")
        return host

    async def _addresses(self, host: str, url: httpx.URL) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        looking = loop.run_in_executor(self._threads, self._rules.resolve, host, url.port or 443)
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT):
                addresses = await looking
        except TimeoutError:
            raise httpx.ConnectTimeout(f"{host[:100]} could not be looked up in time") from None
        except (OSError, UnicodeError):
            raise httpx.ConnectError(f"{host[:100]} is not known") from None
        for address in addresses:
            if not self._rules.allows(address):
                # One bad answer among good ones is no accident.
                raise Rejected(
                    f"the address is refused: {host[:100]} leads to {address}, which is not public"
                )
        return addresses

    async def aclose(self) -> None:
        await self._inner.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)


def client(
    *,
    timeout: float,
    user_agent: str,
    rules: Rules | None = None,
    verify: ssl.SSLContext | bool = True,
) -> httpx.AsyncClient:
    """A client for strangers' addresses: no redirects, no proxies of the environment, no cookies."""
    return httpx.AsyncClient(
        transport=EgressTransport(rules, verify=verify),
        headers={"User-Agent": user_agent},
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )
