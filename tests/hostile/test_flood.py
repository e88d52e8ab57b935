"""Too many at once, from one address: refused in order, while /health answers everybody else within 100 ms."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.hostile.harness import patience, unharmed
from tests.hostile.photos import photo
from tests.server import Server

pytestmark = pytest.mark.serial

FLOODER = ("127.0.0.2", 0)  # this machine by another address than the prober's
P99 = 0.1  # seconds
Start = Callable[..., Server]


@contextmanager
def probed(server: Server) -> Iterator[None]:
    """While the block runs, /health answers within `P99` seconds, but for one time in a hundred."""
    address = urlsplit(server.url)
    program = [sys.executable, str(Path(__file__).with_name("prober.py")), str(address.hostname), str(address.port)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as prober:
        assert prober.stdout is not None
        assert prober.stdout.readline() == "begun\n"
        yield
        taken = sorted(json.loads(prober.communicate("\n", timeout=30)[0]))
    p99 = taken[int(len(taken) * 0.99)]
    assert p99 <= P99 * patience(), f"p99 {1000 * p99:.0f} ms of {len(taken)}"


async def asked(server: Server, path: str) -> tuple[str, str]:
    """Status and code of the answer."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=FLOODER)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head.split(b" ")[1].decode(), json.loads(body).get("code", "")


async def all_of(calls: list[Awaitable[tuple[str, str]]]) -> Counter[tuple[str, str]]:
    return Counter(await asyncio.gather(*calls))


def test_thousand_requests_at_once_are_answered_or_refused_in_order(server: Server) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    with unharmed(server, seconds=30), probed(server):
        for _ in range(5):
            seen += asyncio.run(all_of([asked(server, "/api/jobs") for _ in range(1_000)]))
    assert set(seen) == {("200", ""), ("503", "too_many_connections")}
    assert seen["200", ""] >= 5 * 64
    assert seen.total() == 5_000


def test_every_connection_that_ends_makes_room_however_it_ends(server: Server) -> None:
    async def leave() -> tuple[str, str]:
        address = urlsplit(server.url)
        _, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=FLOODER)
        writer.write(b"GET /api/jobs HTTP/1.1\r\nHo")
        writer.transport.abort()
        return "left", ""

    for call in (leave, lambda: asked(server, "/nothing"), lambda: asked(server, "/api/jobs")):
        for _ in range(3):
            seen = asyncio.run(all_of([call() for _ in range(60)]))
            assert ("503", "too_many_connections") not in seen
            time.sleep(0.2)


async def listening(server: Server, job: str, count: int) -> Counter[int | None]:
    """Open so many sockets; returns how each was closed, or None where it listens."""
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{job}"
    sockets: list[ClientConnection] = []
    seen: Counter[int | None] = Counter()
    for _ in range(count):
        socket = await connect(url, local_addr=FLOODER, ping_interval=None)
        sockets.append(socket)
        try:
            await socket.recv()
            seen[None] += 1
        except ConnectionClosed as closed:
            seen[closed.rcvd.code if closed.rcvd else 0] += 1
    for socket in sockets:
        await socket.close()
    return seen


def paused_job(server: Server) -> str:
    """A job that goes on for as long as anybody listens."""
    job: dict[str, str] = server.post("/api/jobs?open=true").json()
    return job["id"]


def test_two_hundred_sockets_of_one_address_are_held_to_its_limit(start_server: Start) -> None:
    server = start_server(max_sockets="100")
    job = paused_job(server)
    with unharmed(server, seconds=30), probed(server):
        assert asyncio.run(listening(server, job, 200)) == {None: 100, 1013: 100}
    assert asyncio.run(listening(server, job, 100)) == {None: 100}  # all have left


def test_socket_that_sends_a_megabyte_is_closed(server: Server) -> None:
    job = paused_job(server)

    async def shout() -> int:
        url = server.url.replace("http", "ws", 1) + f"/ws/job/{job}"
        async with connect(url, ping_interval=None, max_size=None) as socket:
            await socket.recv()
            try:
                await socket.send("a" * 1_000_000)
                async for _ in socket:
                    pass
            except ConnectionClosed:
                pass
            return socket.close_code or 0

    with unharmed(server, seconds=30), probed(server):
        for _ in range(100):
            assert asyncio.run(shout()) in (1008, 1006)  # or broken off, where it was still sending


def test_socket_that_sends_a_stream_of_tiny_messages_is_closed(server: Server) -> None:
    job = paused_job(server)
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{job}"

    async def chatter() -> int:
        async with connect(url, ping_interval=None, local_addr=FLOODER) as socket:
            await socket.recv()
            for _ in range(100):
                if socket.transport.is_closing():
                    break
                socket.transport.write(b"\x81\x81\0\0\0\0a" * 10_000)
                await asyncio.sleep(0)
            await socket.wait_closed()
            return socket.close_code or 0

    with unharmed(server, seconds=30), probed(server):
        for _ in range(10):
            assert asyncio.run(chatter()) in (1008, 1006)


def test_socket_may_ping_and_say_a_little(server: Server) -> None:
    job = paused_job(server)
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{job}"

    async def talk() -> None:
        async with connect(url, ping_interval=None) as socket:
            await socket.recv()
            for _ in range(20):
                await (await socket.ping())
                await socket.send("hello")

    asyncio.run(talk())


def test_many_uploads_at_once_of_one_address_wait_their_turn(server: Server) -> None:
    """As many as an address may have connections, each with a photo."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="remove_bg"\r\n\r\nfalse\r\n'
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + photo() + b"\r\n--x--\r\n"
    )
    head = "POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"

    async def send() -> tuple[str, str]:
        address = urlsplit(server.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=FLOODER)
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        return answer.split(b" ")[1].decode(), ""

    with unharmed(server, seconds=60):
        assert asyncio.run(all_of([send() for _ in range(60)])) == {("202", ""): 60}


def test_body_in_chunks_of_one_byte_is_broken_off(server: Server) -> None:
    head = (
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    async def drip() -> bytes:
        address = urlsplit(server.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=FLOODER)
        writer.write(head)
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write(b"1\r\n-\r\n" * 5_000)
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            return await reader.read()
        return b""  # broken off while it was still sending

    with unharmed(server, seconds=30), probed(server):
        for _ in range(20):
            answer = asyncio.run(drip())
            assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
