"""The promises of docs/reliability.md that need a real server: drain, full disk, damage, cleanup."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from photo_processor.storage.local import PART
from tests.server import Server, multipart

CONVERT = json.dumps({"operations": [], "outputs": [{"name": "full", "format": "tiff"}]})
SLOW = json.dumps({"operations": [{"op": "remove_background", "model": "grabcut"}]})


def noise(seed: int, width: int = 800, height: int = 600) -> tuple[str, bytes]:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=60)
    return f"{seed:03}.jpg", data.getvalue()


def sqlite_check(data: Path) -> str:
    with closing(sqlite3.connect(data / "queue.db")) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


@pytest.mark.serial
def test_sigterm_lets_running_photos_finish_and_refuses_new_jobs(start_server: Callable[..., Server]) -> None:
    server = start_server(drain_seconds="20", workers="1")
    job = server.submit(noise(1, 3000, 2500), *[noise(n, 3000, 2500) for n in range(2, 6)], recipe=SLOW)
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{job['id']}"
    with connect(url, max_size=None) as socket:
        while server.job(job["id"])["status"] != "processing":
            time.sleep(0.02)
        stopping = threading.Thread(target=server.process.terminate)
        stopping.start()
        stopping.join()
        time.sleep(0.3)
        refused = server.post("/api/jobs", files=multipart(noise(9)), data={"recipe": CONVERT})
        assert (refused.status_code, refused.json()["code"]) == (503, "draining")
        assert int(refused.headers["retry-after"]) > 0
        with suppress(ConnectionClosed):
            for _ in socket:
                pass
    assert socket.close_code == 1012
    assert server.stop() == 0
    server.start()
    statuses = [file["attempts"] for file in server.files(job["id"])]
    assert max(statuses) <= 1, "a photo was given up that could have finished"
    assert server.finished(job["id"])["progress"]["succeeded"] == 5


@pytest.mark.serial
def test_sigterm_gives_up_after_its_grace(start_server: Callable[..., Server]) -> None:
    server = start_server(drain_seconds="0.2", workers="1")
    job = server.submit(*[noise(n, 4000, 3000) for n in range(2)], recipe=SLOW)
    while server.job(job["id"])["status"] != "processing":
        time.sleep(0.02)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 0.2 + 2
    server.start()
    assert server.finished(job["id"])["progress"]["succeeded"] == 2


@pytest.mark.serial
def test_sigterm_ends_even_where_a_native_call_hangs(start_server: Callable[..., Server]) -> None:
    script = """if True:
        import time
        from photo_processor.worker import runners
        runners.process_image = lambda *_: time.sleep(60)
        import app
        app.main()
    """
    server = start_server(drain_seconds="0.5", workers="1", script=script)
    job = server.submit(noise(1), recipe=CONVERT)
    while server.job(job["id"])["status"] != "processing":
        time.sleep(0.02)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 0.5 + 2
    server.program = ["app.py"]
    server.start()
    assert server.finished(job["id"])["status"] == "completed"


def test_too_many_waiting_jobs_are_refused_for_a_while(start_server: Callable[..., Server]) -> None:
    server = start_server(max_waiting_jobs="1", workers="1")
    first = server.submit(*[noise(n, 2000, 1500) for n in range(6)], recipe=SLOW)
    refused = server.post("/api/jobs", files=multipart(noise(9)), data={"recipe": CONVERT})
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert refused.headers["retry-after"]
    server.post(f"/api/jobs/{first['id']}/cancel")
    assert server.submit(noise(9), recipe=CONVERT)["id"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 60 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.serial
def test_full_disk_holds_everything_until_there_is_space_again(
    start_server: Callable[..., Server], small_disk: Path
) -> None:
    server = start_server(folder=str(small_disk / "data"), min_free_bytes="0", workers="2")
    job = server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()
    server.post(f"/api/jobs/{job['id']}/pause")
    for start in range(0, 18, 3):
        server.post(f"/api/jobs/{job['id']}/files", files=multipart(*[noise(start + n) for n in range(3)]))
    server.post(f"/api/jobs/{job['id']}/seal")
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
    # A little room, so that the queue still writes while the results no longer fit.
    with filler.open("r+b") as file:
        file.truncate(max(0, filler.stat().st_size - 2_000_000))
    server.post(f"/api/jobs/{job['id']}/resume")
    time.sleep(4)
    held = server.job(job["id"])
    assert held["status"] == "processing"
    assert held["progress"]["processed"] < 18
    refused = server.post("/api/jobs", files=multipart(noise(99, 3000, 3000)), data={"recipe": CONVERT})
    assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
    filler.unlink()
    began = time.monotonic()
    while server.job(job["id"])["progress"]["processed"] == held["progress"]["processed"]:
        assert time.monotonic() - began < 5, "it did not go on within 5 s"
        time.sleep(0.05)
    done = server.finished(job["id"])
    assert done["progress"]["succeeded"] == 18
    for file in server.files(job["id"]):
        Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content)).load()
    assert list(server.data.glob(f"jobs/**/*{PART}")) == []
    assert sqlite_check(server.data) == "ok"
    server.stop()


def test_damaged_database_is_put_aside_and_the_backup_restored(start_server: Callable[..., Server]) -> None:
    server = start_server()
    job = server.submit(noise(1), recipe=CONVERT)
    server.finished(job["id"])
    deadline = time.monotonic() + 10
    while not list((server.data / "backups").glob("*.db")):
        assert time.monotonic() < deadline, "the first backup is made at the start"
        time.sleep(0.1)
    later = server.submit(noise(2), recipe=CONVERT)
    server.finished(later["id"])
    server.stop()
    database = server.data / "queue.db"
    data = bytearray(database.read_bytes())
    data[4096:60_000] = b"\xa5" * (len(data[4096:60_000]))
    database.write_bytes(data)
    server.start()
    notices = server.get("/health").json()["notices"]
    assert [notice["code"] for notice in notices] == ["queue_restored"]
    assert (server.data / "jobs" / later["id"]).exists(), "results are never deleted for want of a row"
    assert server.post("/api/cleanup?dry_run=true").json()["orphans"] == []
    assert server.finished(server.submit(noise(3), recipe=CONVERT)["id"])["status"] == "completed"
    assert list((server.data / "quarantine").glob("*/queue.db"))


def test_cleanup_says_what_would_go_and_then_takes_it(start_server: Callable[..., Server]) -> None:
    server = start_server(keep_days="0.00001")
    expired = server.finished(server.submit(noise(1), recipe=CONVERT)["id"])
    kept = server.submit(noise(2), recipe=CONVERT)
    server.request("PATCH", f"/api/jobs/{kept['id']}", json={"keep": True})
    server.finished(kept["id"])
    waiting = server.post("/api/jobs?open=true", files=multipart(noise(3)), data={"recipe": CONVERT}).json()
    time.sleep(1)
    plan = server.post("/api/cleanup?dry_run=true").json()
    assert [job["id"] for job in plan["jobs"]] == [expired["id"]]
    assert plan["jobs"][0]["bytes"] > 1_000
    assert server.job(expired["id"])["status"] == "completed"
    assert server.post("/api/cleanup").json()["jobs"] == plan["jobs"]
    assert server.get(f"/api/jobs/{expired['id']}").status_code == 404
    assert not (server.data / "jobs" / expired["id"]).exists()
    assert server.job(kept["id"])["expires_at"] is None
    assert server.job(waiting["id"])["status"] == "receiving"


def test_cleanup_finds_vanished_results_and_old_folders_without_a_job(start_server: Callable[..., Server]) -> None:
    server = start_server()
    job = server.finished(server.submit(noise(1), recipe=CONVERT)["id"])
    for blob in (server.data / "jobs" / job["id"] / "result").iterdir():
        blob.unlink()
    orphan = server.data / "jobs" / ("0123" * 8)
    orphan.mkdir()
    subprocess.run(["touch", "-d", "3 hours ago", str(orphan)], check=True)
    report = server.post("/api/cleanup").json()
    assert [folder["name"] for folder in report["orphans"]] == [orphan.name]
    assert not orphan.exists()
    (file,) = server.files(job["id"])
    assert (file["status"], file["error"]["code"]) == ("failed", "result_lost")
    server.post(f"/api/jobs/{job['id']}/retry")
    assert server.finished(job["id"])["status"] == "completed"


def test_expected_time_is_learnt_and_absent_before(start_server: Callable[..., Server]) -> None:
    server = start_server(workers="1")
    first = server.submit(*[noise(n, 2400, 1800) for n in range(8)], recipe=CONVERT)
    assert first["eta"] is None
    seen = [message["eta"] for message in server.messages(first["id"])]
    learnt = [eta for eta in seen if eta]
    assert learnt
    assert all(0 < eta["low_s"] <= eta["high_s"] for eta in learnt)
    server.stop()
    server.start()
    again = server.submit(*[noise(n, 2400, 1800) for n in range(20, 26)], recipe=CONVERT)
    other = server.submit(*[noise(n, 2400, 1800) for n in range(30, 33)], recipe=CONVERT)
    etas = [message["eta"] for message in server.messages(other["id"]) if message["eta"]]
    assert etas
    assert etas[0]["jobs_ahead"] == 1
    server.finished(again["id"])


def child_processes(server: Server) -> list[int]:
    """The worker processes of a server, not the helper that multiprocessing starts beside them."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(server.process.pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "spawn_main" in line]


def test_photo_that_kills_its_process_is_failed_at_the_third_time_and_the_rest_goes_on(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(executor="process", workers="1")
    job = server.submit(noise(1), recipe=SLOW)
    deadline = time.monotonic() + 60
    while server.job(job["id"])["status"] not in ("completed", "failed"):
        assert time.monotonic() < deadline
        for pid in child_processes(server):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    assert server.job(job["id"])["error"]["code"] == "crashed_worker"
    assert server.finished(server.submit(noise(2), recipe=CONVERT)["id"])["status"] == "completed"


def test_metrics_count_what_was_done(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.finished(server.submit(noise(1), ("bad.jpg", noise(2)[1][:2000]), recipe=CONVERT)["id"])
    text = server.get("/metrics").text
    for line in (
        'photo_files_total{status="completed"} 1.0',
        'photo_files_total{status="failed"} 1.0',
        'photo_stage_seconds_count{model="none",stage="decode"} 1.0',
        'photo_queue_files{priority="normal"} 0.0',
        'photo_model_installed{model="grabcut"} 1.0',
    ):
        assert line in text, text
    stats = server.get("/api/stats").json()
    assert (stats["today"]["completed"], stats["failures"]) == (1, {"truncated_image": 1})
    assert "001.jpg" not in server.log.read_text()
