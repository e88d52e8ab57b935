"""The plug is pulled: nothing is lost, nothing is done twice."""

import io
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from photo_processor.storage.local import PART
from tests.server import Server

RECIPE = json.dumps({"operations": [{"op": "resize", "width": 500}], "outputs": [{"name": "full", "format": "webp"}]})
PHOTOS = 60


def photo(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (900, 1200, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG")
    return data.getvalue()


def completions(data: Path, job_id: str) -> Counter[str]:
    """How often each file of the job was completed, by the queue's own events."""
    with sqlite3.connect(data / "queue.db") as connection:
        rows = connection.execute(
            "SELECT json_extract(payload, '$.file_ids[0]') FROM events WHERE job_id = ? AND type = 'file_completed'",
            (job_id,),
        ).fetchall()
    connection.close()
    return Counter(row[0] for row in rows)


def test_killed_in_the_middle_of_a_batch_everything_finishes_once(start_server: Callable[..., Server]) -> None:
    server = start_server()
    job = server.submit(*[(f"{n:02}.jpg", photo(n)) for n in range(PHOTOS)], recipe=RECIPE)
    kills = 0
    for target in (10, 25, 40):
        while server.job(job["id"])["progress"]["processed"] < target:
            time.sleep(0.02)
        server.kill()
        kills += 1
        server.start()
    done = server.finished(job["id"])
    assert kills == 3
    assert done["progress"] == {
        "processed": PHOTOS,
        "total": PHOTOS,
        "percentage": 100.0,
        "succeeded": PHOTOS,
        "failed": 0,
        "review": 0,
    }
    files = server.files(job["id"])
    assert completions(server.data, job["id"]) == {file["id"]: 1 for file in files}
    for file in files:
        image = Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content))
        image.load()
        assert image.size == (500, 375)
    assert list(server.data.rglob(f"*{PART}")) == []


@pytest.mark.serial
def test_sigterm_ends_cleanly_and_the_rest_goes_on_after_the_start(start_server: Callable[..., Server]) -> None:
    server = start_server(drain_seconds="5")
    job = server.submit(*[(f"{n:02}.jpg", photo(n)) for n in range(30)], recipe=RECIPE)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 6
    server.start()
    assert server.finished(job["id"])["progress"]["succeeded"] == 30
    assert {file["attempts"] for file in server.files(job["id"])} == {1}


def test_second_server_on_the_same_data_is_refused_in_one_sentence(start_server: Callable[..., Server]) -> None:
    start_server()
    with pytest.raises(RuntimeError, match="Another server is using the data folder") as refused:
        start_server()
    assert "Traceback" not in str(refused.value)


DIES_BEFORE_THE_DISK = """
import os, signal, sys
from photo_processor.storage import local
local.Storage.discard = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
import app
sys.exit(app.main())
"""


@pytest.mark.parametrize("deed", ["delete", "reprocess"])
def test_killed_between_row_and_disk_keeps_what_is_wanted_and_sweeps_the_rest(
    start_server: Callable[..., Server], deed: str
) -> None:
    server = start_server()
    job = server.submit(*[(f"{n}.jpg", photo(n)) for n in range(3)], recipe=RECIPE)["id"]
    server.finished(job)
    if deed == "reprocess":  # what it was before goes once it is two steps back
        server.post(f"/api/jobs/{job}/reprocess", json={"outputs": [{"name": "full", "format": "bmp"}]})
        server.finished(job)
    files = server.files(job)
    old = {output["sha256"] for file in files for output in file["outputs"]}
    server.stop()
    server.program = ["-c", DIES_BEFORE_THE_DISK]
    server.start()
    with suppress(httpx.TransportError):
        if deed == "delete":
            server.request("DELETE", f"/api/jobs/{job}/files/{files[0]['id']}")
        else:
            server.post(f"/api/jobs/{job}/reprocess", json={"outputs": [{"name": "again", "format": "jpeg"}]})
            server.finished(job)
        pytest.fail("the server lives on")
    server.kill()
    assert {path.name for path in (server.data / "jobs" / job / "result").iterdir()} >= old, "not yet swept"
    server.program = ["app.py"]
    server.start()
    done = server.finished(job)
    assert done["progress"]["succeeded"] == (2 if deed == "delete" else 3)
    left = server.files(job)
    for file in left:
        Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content)).load()
    wanted = {
        "source": {file["sha256"] for file in left},
        "result": {output["sha256"] for file in left for output in file["outputs"]},
    }
    if deed == "reprocess":
        wanted["result"] |= old  # one step back
    deadline = time.monotonic() + 20
    for kind, names in wanted.items():
        while {path.name for path in (server.data / "jobs" / job / kind).iterdir()} != names:
            assert time.monotonic() < deadline, kind
            time.sleep(0.1)
