"""`kill -9` of the server 50 times during one job of 300 photos."""

import io
import json
import random
import time
from pathlib import Path

import numpy as np
from PIL import Image

from photo_processor.storage.local import PART
from tests.e2e.test_recovery import completions
from tests.server import Server

KILLS = 50
PHOTOS = 300
RECIPE = json.dumps({"operations": [{"op": "resize", "width": 400}], "outputs": [{"name": "full", "format": "webp"}]})


def photo(seed: int) -> tuple[str, bytes]:
    pixels = np.random.default_rng(seed).integers(0, 255, (600, 800, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=70)
    return f"{seed:03}.jpg", data.getvalue()


def run(folder: Path) -> list[str]:
    """What was broken; prints the figures."""
    server = Server(folder / "data", folder / "models", offline="true").start()
    job = server.post("/api/jobs?open=true", data={"recipe": RECIPE}).json()
    server.post(f"/api/jobs/{job['id']}/pause")
    for start in range(0, PHOTOS, 50):
        files = [("files", photo(start + n)) for n in range(50)]
        server.post(f"/api/jobs/{job['id']}/files", files=files).raise_for_status()
    server.post(f"/api/jobs/{job['id']}/seal")
    server.post(f"/api/jobs/{job['id']}/resume")
    recoveries: list[float] = []
    rng = random.Random(1)
    for kill in range(KILLS):
        target = PHOTOS * (kill + 1) // (KILLS + 5)
        while server.job(job["id"])["progress"]["processed"] < target:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.05))
        server.kill()
        before = time.monotonic()
        server.start()
        recoveries.append(time.monotonic() - before)
    done = server.finished(job["id"])
    files = server.files(job["id"])
    broken = _faults(server, job["id"], done, files)
    server.stop()
    recoveries.sort()
    print(f"{KILLS} kills, {PHOTOS} photos: {done['progress']['succeeded']} done once")
    print(f"from start to serving: median {recoveries[KILLS // 2]:.2f} s, longest {recoveries[-1]:.2f} s")
    if recoveries[KILLS // 2] > 2:
        broken.append(f"recovery took {recoveries[KILLS // 2]:.2f} s in the median")
    return broken


def _faults(server: Server, job_id: str, done: dict[str, object], files: list[dict[str, object]]) -> list[str]:
    broken = []
    progress = done["progress"]
    if not isinstance(progress, dict) or progress["succeeded"] != PHOTOS:
        broken.append(f"progress {progress}")
    if completions(server.data, job_id) != {file["id"]: 1 for file in files}:
        broken.append("a photo was not completed exactly once")
    if parts := list(server.data.rglob(f"*{PART}")):
        broken.append(f"{len(parts)} temp files are left")
    for file in files:
        outputs = file["outputs"]
        assert isinstance(outputs, list)
        image = Image.open(io.BytesIO(server.get(outputs[0]["url"]).content))
        image.load()
        if image.size != (400, 300):
            broken.append(f"{file['name']} is {image.size}")
    return broken
