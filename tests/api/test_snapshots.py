"""Sockets on a long job: their first message is made once, and nobody waits for it."""

import asyncio
import io
import threading
import time
import zipfile

import httpx
from websockets.asyncio.client import connect

from tests.server import NO_TLS, Server

FILES, SOCKETS = 3_000, 30
LONGEST = 0.5  # seconds for /health; a snapshot for each took seconds


def long_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(FILES):
            archive.writestr(f"folder/photo-{number:05}.txt", f"no photo {number}")
    return out.getvalue()


async def sizes(url: str) -> list[int]:
    async def one() -> int:
        async with connect(url, max_size=None) as socket:
            return sum([len(message) async for message in socket])

    return await asyncio.gather(*(one() for _ in range(SOCKETS)))


def test_thirty_sockets_of_a_long_job_do_not_hold_up_health(server: Server) -> None:
    sent = server.post("/api/jobs", files={"files": ("a.zip", long_zip())})
    job = server.finished(sent.json()["id"])
    assert job["status"] == "failed"
    slowest: list[float] = []
    stop = threading.Event()

    def look() -> None:
        with httpx.Client(base_url=server.url, verify=NO_TLS, timeout=60) as client:
            while not stop.is_set():
                began = time.monotonic()
                client.get("/health")
                slowest.append(time.monotonic() - began)

    looking = threading.Thread(target=look)
    looking.start()
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{job['id']}"
    received = asyncio.run(sizes(url))
    stop.set()
    looking.join()
    assert len(set(received)) == 1
    assert received[0] > FILES * 100
    assert max(slowest) < LONGEST
