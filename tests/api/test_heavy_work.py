"""What takes long never stands in the way of what is short."""

import contextlib
import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.server import Server

pytestmark = pytest.mark.serial

PLAIN = '{"operations": [], "outputs": [{"name": "full", "format": "jpeg"}]}'
SMALL = '{"operations": [{"op": "resize", "width": 100}]}'
MEMORY = 700_000_000  # bytes


def noise(seed: int) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (1000, 1500, 3), np.uint8)
    Image.fromarray(pixels).save(out, "JPEG", quality=60)
    return out.getvalue()


def flat(value: int) -> bytes:
    """A PNG of 100 megapixels in 300 kB."""
    out = io.BytesIO()
    Image.new("RGB", (9990, 9990), (value, 40, 90)).save(out, "PNG")
    return out.getvalue()


def memory(server: Server, name: str = "VmHWM") -> int:
    """Bytes of the server's own process."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def test_sheets_wait_for_each_other_while_everything_else_is_answered(start_server: Callable[..., Server]) -> None:
    server = start_server()
    job = server.submit(*[(f"{n}.jpg", noise(n)) for n in range(6)], recipe=PLAIN)["id"]
    server.finished(job)
    path = f"/api/jobs/{job}/sheet?paper=a4&width_mm=100&height_mm=67"
    answers: list[int] = []
    asked = [threading.Thread(target=lambda: answers.append(server.get(path).status_code)) for _ in range(4)]
    for thread in asked:
        thread.start()
    slowest, looks = 0.0, 0
    while any(thread.is_alive() for thread in asked):
        began = time.monotonic()
        assert server.get("/api/jobs").status_code == 200
        slowest, looks = max(slowest, time.monotonic() - began), looks + 1
    assert answers == [200] * 4
    assert looks > 5
    assert slowest < 2, f"GET /api/jobs took {slowest:.1f} s beside four sheets"
    assert memory(server) < MEMORY


def test_too_many_sheets_are_refused_and_one_whose_client_left_ends(start_server: Callable[..., Server]) -> None:
    server = start_server()
    job = server.submit(*[(f"{n}.jpg", noise(n)) for n in range(20)], recipe=PLAIN)["id"]
    server.finished(job)
    path = f"{server.url}/api/jobs/{job}/sheet?paper=a4&width_mm=180&height_mm=120"
    for _ in range(3):  # each leaves before its sheet is there
        with pytest.raises(httpx.TimeoutException):
            httpx.get(path, timeout=0.3)
    began = time.monotonic()
    file = server.files(job)[0]["id"]
    one = f"/api/jobs/{job}/sheet?paper=10x15&file={file}&copies=1"
    assert server.get(one).status_code == 200
    assert time.monotonic() - began < 3, "the sheets whose clients left still stand in the way"

    def ask() -> None:
        with contextlib.suppress(httpx.TimeoutException):
            statuses.append(httpx.get(path, timeout=2).status_code)

    statuses: list[int] = []
    asked = [threading.Thread(target=ask) for _ in range(25)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join()
    assert statuses.count(429) >= 5  # one is made, sixteen wait
    assert server.get(one).status_code == 200
    deadline = time.monotonic() + 10  # the one that was given up ends with the photo that it has in hand
    while any((server.data / "incoming").iterdir()):
        assert time.monotonic() < deadline


def test_with_processes_nothing_of_strangers_is_decoded_in_the_server(start_server: Callable[..., Server]) -> None:
    server = start_server(executor="process", process_memory_bytes=str(1_500_000_000), workers="1")
    job = server.submit(("a.png", flat(20)), ("b.png", flat(60)), recipe=SMALL)["id"]
    assert server.finished(job)["status"] == "completed"
    for file in server.files(job):
        preview = server.get(f"/api/jobs/{job}/files/{file['id']}/thumbnail?of=source&size=1600")
        assert preview.status_code == 200
        assert Image.open(io.BytesIO(preview.content)).size == (1600, 1600)
    assert server.post("/api/assets", files={"file": ("a.png", flat(20))}).status_code == 201
    mask = io.BytesIO()
    Image.new("L", (9990, 9990), 255).save(mask, "PNG")
    file = server.files(job)[0]
    put = server.request("PUT", f"/api/jobs/{job}/files/{file['id']}/mask", content=mask.getvalue())
    assert put.status_code in (200, 409), put.text
    assert memory(server) < 400_000_000


def test_a_picture_beyond_a_childs_memory_fails_in_words(start_server: Callable[..., Server]) -> None:
    server = start_server(executor="process", process_memory_bytes=str(500_000_000), workers="1")
    refused = server.post("/api/assets", files={"file": ("a.png", flat(20))})
    assert refused.status_code == 507
    assert refused.json()["code"] == "out_of_memory"
    small = io.BytesIO()
    Image.new("RGB", (90, 90)).save(small, "PNG")
    assert server.post("/api/assets", files={"file": ("a.png", small.getvalue())}).status_code == 201
