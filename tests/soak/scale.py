"""A job of 10,000 small photos against one of 100: overhead for each photo, memory, answering times meanwhile."""

import io
import json
import time
import zipfile
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from tests.server import Server

SMALL, LARGE = 100, 10_000
RECIPE = json.dumps({"operations": [], "outputs": [{"name": "full", "format": "jpeg"}]})


def packed(count: int, path: Path) -> Path:
    """A ZIP of `count` different photos of 24 x 16 px."""
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(count):
            data = io.BytesIO()
            pixels = np.random.default_rng(index).integers(0, 255, (16, 24, 3), np.uint8)
            Image.fromarray(pixels).save(data, "JPEG")
            archive.writestr(f"{index % 100:02}/{index:05}.jpg", data.getvalue())
    return path


def rss(server: Server) -> int:
    """Resident bytes of the server."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError("VmRSS")


def timed(server: Server, archive: Path) -> tuple[float, float, list[float]]:
    """Seconds a photo, seconds to the first progress, and those of each GET of the job meanwhile."""
    job = server.submit(archive, recipe=RECIPE)
    began = time.monotonic()
    first, answers = 0.0, []
    with httpx.Client(base_url=server.url, timeout=60) as client:  # one connection, as any page or program keeps it
        while True:
            asked = time.monotonic()
            state = client.get(f"/api/jobs/{job['id']}").raise_for_status().json()
            answers.append(time.monotonic() - asked)
            if state["progress"]["processed"] and not first:
                first = time.monotonic() - began
            if state["status"] in ("completed", "failed"):
                break
            time.sleep(0.05)
    elapsed = time.monotonic() - began
    assert state["progress"]["succeeded"] == state["file_count"], state
    return elapsed / state["file_count"], first, answers


def run(folder: Path) -> list[str]:
    """What was broken; prints the figures."""
    small, large = packed(SMALL, folder / "small.zip"), packed(LARGE, folder / "large.zip")
    server = Server(folder / "data", folder / "models", offline="true").start()
    timed(server, small)
    small_rounds = sorted(timed(server, small)[0] for _ in range(5))
    before = rss(server)
    per_photo, first, answers = timed(server, large)
    growth = (rss(server) - before) / 1e6
    answers.sort()
    p99 = answers[int(len(answers) * 0.99)]
    ratio = per_photo / small_rounds[2]
    server.stop()
    print(f"{1000 * small_rounds[2]:.2f} ms a photo at {SMALL} (median of 5), {1000 * per_photo:.2f} at {LARGE}")
    print(
        f"ratio {ratio:.2f}; first progress after {first:.2f} s; memory +{growth:.0f} MB; GET p99 {1000 * p99:.0f} ms"
    )
    broken = []
    if per_photo > 0.005:
        broken.append(f"{1000 * per_photo:.2f} ms a photo, 5 promised")
    if ratio > 1.2:
        broken.append(f"ratio {ratio:.2f}, 1.2 promised")
    if growth > 200:
        broken.append(f"{growth:.0f} MB, 200 promised")
    if first > 1:
        broken.append(f"first progress after {first:.2f} s, 1 promised")
    if p99 > 0.1:
        broken.append(f"GET p99 {1000 * p99:.0f} ms, 100 promised")
    return broken
