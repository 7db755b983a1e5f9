"""The egress filter, against real listening sockets on this machine that nobody may reach."""

import asyncio
import datetime as dt
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from integrations import egress
from integrations.egress import Rules, client, is_own, is_public
from integrations.http import send
from models.errors import Rejected, Transient

NAME = "hooks.example.com"


@dataclass
class Trap:
    """A listener on loopback, IPv4 and IPv6 on one port, that notes each connection."""

    port: int
    hits: list[str] = field(default_factory=list)


@pytest.fixture
def trap() -> Iterator[Trap]:
    listeners = [socket.create_server(("127.0.0.1", 0))]
    port = listeners[0].getsockname()[1]
    if socket.has_ipv6:
        listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    found = Trap(port)

    def listen(listener: socket.socket) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            found.hits.append(str(peer))
            connection.close()

    threads = [threading.Thread(target=listen, args=(one,), daemon=True) for one in listeners]
    for thread in threads:
        thread.start()
    yield found
    for one in listeners:
        one.shutdown(socket.SHUT_RDWR)
        one.close()
    for thread in threads:
        thread.join(5)


async def post(url: str, rules: Rules, **options: object) -> httpx.Response:
    async with client(timeout=60, user_agent="test", rules=rules, **options) as http:  # type: ignore[arg-type]
        return await send(http, "webhook", "POST", url, unread=True, content=b"{}")


def told(*answers: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """A resolver that gives these answers in turn, and the last one for ever."""
    left = list(answers)
    return lambda host, port: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.000.000.001",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "127。0。0。1",
        "１２７.0.0.1",
        "①②⑦.⓪.⓪.①",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::ffff:ffff]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "user:pass@127.0.0.1",
        "hooks.example.com@127.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_strangers_address_never_reaches_this_machine(trap: Trap, scheme: str, host: str) -> None:
    rules = Rules(schemes=frozenset({"https", "http"}), ports=frozenset({trap.port}))
    with pytest.raises((Rejected, Transient)):
        await post(f"{scheme}://{host}:{trap.port}/x", rules)
    await asyncio.sleep(0.01)
    assert trap.hits == []


def test_the_trap_can_be_sprung(trap: Trap) -> None:
    with socket.create_connection(("127.0.0.1", trap.port)) as one:
        one.recv(1)
    assert len(trap.hits) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["fd00:ec2::254"],
        ["::ffff:10.1.2.3"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["2606:4700::1111", "::1"],
    ],
)
async def test_a_name_is_refused_where_one_of_its_addresses_is(trap: Trap, addresses: list[str]) -> None:
    rules = Rules(ports=frozenset({trap.port}), resolve=told(addresses))
    with pytest.raises(Rejected, match=rf"{NAME} leads to .*, which is not public"):
        await post(f"https://{NAME}:{trap.port}/", rules)
    assert trap.hits == []


async def test_a_name_that_changes_its_answer_wins_nothing(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer counts, and the connection goes to just that one; nobody asks again."""
    asked: list[str] = []
    answers = told(["203.0.113.7"], ["127.0.0.1"])

    def lookup(host: object, *rest: object, **options: object) -> list[object]:
        asked.append(str(host))
        address = str(host) if str(host)[0].isdigit() else answers(str(host), 0)[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, trap.port))]

    went: list[object] = []

    async def connect(self: object, sock: socket.socket, address: object) -> None:
        went.append(address)
        raise OSError("no route in a test")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", connect)
    rules = Rules(ports=frozenset({trap.port}), allows=lambda address: address == "203.0.113.7")
    with pytest.raises(Transient):
        await post(f"https://{NAME}:{trap.port}/", rules)
    assert {host for host in asked if not host[0].isdigit()} == {NAME}
    assert sum(host == NAME for host in asked) == 1
    assert went and all(where[0] == "203.0.113.7" for where in went)  # type: ignore[index]
    # The next request meets the second answer.
    with pytest.raises(Rejected, match=r"127\.0\.0\.1"):
        await post(f"https://{NAME}:{trap.port}/", rules)
    assert trap.hits == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.com/", "only https"),
        ("ftp://hooks.example.com/", "only https|protocol"),
        ("file:///etc/passwd", "only https|protocol"),
        ("https://hooks.example.com:22/", "port 22"),
        ("https://hooks.example.com:25/", "port 25"),
        ("https://me:secret@hooks.example.com/", "name or password"),
        ("https://me@hooks.example.com/", "name or password"),
        ("https:///x", "refused|protocol|URL"),
        ("https://./", "refused"),
        ("//hooks.example.com/", "only https"),
        ("https://[::1/", "."),
        ("https://hooks.example.com:99999/", "."),
        ("nothing", "only https"),
    ],
)
async def test_an_address_that_is_not_in_order_is_refused_before_it_is_looked_up(
    url: str, words: str
) -> None:
    def never(host: str, port: int) -> Sequence[str]:
        raise AssertionError(host)

    with pytest.raises(Rejected, match=words) as refused:
        await post(url, Rules(resolve=never))
    assert "secret" not in str(refused.value)


async def test_a_name_that_is_unknown_or_slow_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Transient, match=f"{NAME} is not known"):
        await post(f"https://{NAME}/", Rules(resolve=unknown))
    ended = threading.Event()
    monkeypatch.setattr(egress, "RESOLVE_TIMEOUT", 0.05)
    with pytest.raises(Transient, match="in time"):
        await post(f"https://{NAME}/", Rules(resolve=lambda host, port: [str(ended.wait(5))]))
    ended.set()


CLOSED = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
    192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
    255.255.255.255
    :: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:20::1
    2001:db8::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:c0a8:1:: 3fff::1
    4000::1 5f00::1 fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
"""
OPEN = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.1.1.1 128.0.0.1 172.15.0.1 172.32.0.1
    191.255.0.1 192.1.0.1 223.255.255.254 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808:: 2606:4700::1111
    2a00:1450:4001::8a 2001:4860:4860::8888 2400:cb00::1
"""


@pytest.mark.parametrize("address", CLOSED.split())
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OPEN.split())
def test_what_is_public(address: str) -> None:
    assert is_public(address)


def test_this_machines_own_addresses_are_known_in_any_wrapping() -> None:
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::127.0.0.1"):
        assert is_own(address)
    assert not is_own("8.8.8.8")


@dataclass
class Receiver:
    """An HTTPS server whose certificate names `NAME`; answers what it is told and notes what it read."""

    port: int
    trust: ssl.SSLContext
    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    requests: list[bytes] = field(default_factory=list)
    sent: int = 0
    endless: bool = False
    silent: bool = False


@asynccontextmanager
async def receiver(folder: Path, names: str = NAME) -> AsyncIterator[Receiver]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "receiver.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, form, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    found = Receiver(0, ssl.create_default_context(cafile=str(file)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            found.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(found.answer)
            await writer.drain()
            if found.silent:
                await reader.read()
            while found.endless:
                writer.write(b"x" * 65_536)
                await writer.drain()
                found.sent += 65_536
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


def door(port: int) -> Rules:
    """The test's own server counts as public."""
    return Rules(
        ports=frozenset({port}), resolve=told(["127.0.0.1"]), allows=lambda address: address == "127.0.0.1"
    )


async def test_a_public_address_is_reached_by_its_name(tmp_path: Path) -> None:
    async with receiver(tmp_path) as there:
        url = f"https://{NAME}.:{there.port}/path?q=1"
        answer = await post(url, door(there.port), verify=there.trust)
        assert answer.status_code == 200
        (request,) = there.requests
        assert request.startswith(b"POST /path?q=1 HTTP/1.1\r\n")
        assert f"Host: {NAME}.:{there.port}".lower().encode() in request.lower()


async def test_the_certificate_must_be_for_the_name(tmp_path: Path) -> None:
    async with receiver(tmp_path, names="other.example.com") as there:
        with pytest.raises(Transient, match="cannot connect"):
            await post(f"https://{NAME}:{there.port}/", door(there.port), verify=there.trust)
        with pytest.raises(Transient, match="cannot connect"):
            await post(f"https://other.example.com:{there.port}/", door(there.port))
        assert there.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_like_any_other(tmp_path: Path, trap: Trap, status: int) -> None:
    async with receiver(tmp_path) as there:
        there.answer = (
            f"HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{trap.port}/\r\ncontent-length: 0\r\n\r\n"
        ).encode()
        rules = Rules(
            schemes=frozenset({"https", "http"}),
            ports=frozenset({there.port, trap.port}),
            resolve=told(["127.0.0.1"]),
            allows=lambda address: True,
        )
        answer = await post(f"https://{NAME}:{there.port}/", rules, verify=there.trust)
        assert answer.status_code == status
        assert trap.hits == []


async def test_an_endless_answer_is_not_read(tmp_path: Path) -> None:
    async with receiver(tmp_path) as there:
        there.answer, there.endless = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", True
        answer = await post(f"https://{NAME}:{there.port}/", door(there.port), verify=there.trust)
        assert answer.status_code == 200
        assert there.sent < 20_000_000


async def test_no_proxy_of_the_environment_and_no_cookie(
    tmp_path: Path, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    async with receiver(tmp_path) as there:
        there.answer = b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\ncontent-length: 0\r\n\r\n"
        async with client(timeout=60, user_agent="test", rules=door(there.port), verify=there.trust) as http:
            for _ in range(2):
                await send(http, "webhook", "POST", f"https://{NAME}:{there.port}/", unread=True)
        assert len(there.requests) == 2
        assert not any(b"cookie" in request.lower() for request in there.requests)
        assert trap.hits == []


async def test_another_address_of_the_name_is_tried_where_one_is_down(tmp_path: Path) -> None:
    async with receiver(tmp_path) as there:
        rules = Rules(
            ports=frozenset({there.port}), resolve=told(["127.0.0.2", "127.0.0.1"]), allows=lambda _: True
        )
        answer = await post(f"https://{NAME}:{there.port}/", rules, verify=there.trust)
        assert answer.status_code == 200
