"""What every hostile input must leave behind: a server that answers, soon, within its memory, with nothing on disk."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from photo_processor.errors import codes
from tests.server import Server, multipart

SECONDS = 2.0
MEMORY = 512 * 1024  # KiB of the server's resident set at its highest


def patience() -> float:
    """By what the machine's other work stretches a time: 1 where there is a processor for everybody."""
    return max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


@contextmanager
def unharmed(server: Server, *, seconds: float = SECONDS) -> Iterator[None]:
    """The block takes at most `seconds` (of a machine that does nothing else) and 512 MB of the server; afterwards it
    is healthy, and nothing half-received lies about."""
    (Path("/proc") / str(server.process.pid) / "clear_refs").write_text("5")  # the peak counts from here
    began = time.monotonic()
    yield
    taken = time.monotonic() - began
    assert taken <= seconds * patience(), f"{taken:.1f} s"
    assert peak(server) <= MEMORY, f"{peak(server) // 1024} MB"
    healthy(server)


def peak(server: Server) -> int:
    """KiB of the server's resident set at its highest since the block began."""
    status = (Path("/proc") / str(server.process.pid) / "status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def healthy(server: Server) -> None:
    assert server.process.poll() is None, server.log.read_text()[-3000:]
    assert server.get("/health").json()["status"] == "ok"
    deadline = time.monotonic() + 2 * patience()
    while list((server.data / "incoming").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list((server.data / "incoming").iterdir()) == []


def is_refused(response: httpx.Response, status: int, code: str) -> None:
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert code in codes()


def fate(server: Server, data: bytes, name: str = "photo.jpg", **fields: str) -> str:
    """Submit one photo; returns the code of its refusal, or of its failure, or `completed`."""
    fates = fates_of(server, (name, data), **fields)
    return next(iter(fates.values()))


def fates_of(server: Server, *files: tuple[str, bytes], **fields: str) -> dict[str, str]:
    """Submit files in one job; returns for each name the code that it failed with, or `completed`."""
    response = server.post("/api/jobs", files=multipart(*files), data={"remove_bg": "false", **fields})
    if response.status_code != 202:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.status_code == codes()[response.json()["code"]].status
        return {files[0][0]: response.json()["code"]}
    job = server.finished(response.json()["id"], timeout=30)
    return {
        file["name"]: file["error"]["code"] if file["error"] else file["status"] for file in server.files(job["id"])
    }
