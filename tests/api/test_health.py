"""What /health and /metrics say while something is wrong, and once it is well again."""

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from tests.api.test_jobs import CONVERT, picture
from tests.server import Json, Server

# A server whose first worker, and first round of upkeep, end by an error.
FAILING = """
import sys, app, job_worker
from photo_processor.worker import maintenance, supervisor
supervisor.FIRST_PAUSE = 1.0
failed = set()
def once(name, method):
    async def wrapped(self, *arguments, **named):
        if name not in failed:
            failed.add(name)
            raise RuntimeError("the cause of " + name)
        return await method(self, *arguments, **named)
    return wrapped
maintenance.Upkeep.clean = once("upkeep", maintenance.Upkeep.clean)
job_worker.JobWorker._waited = once("worker", job_worker.JobWorker._waited)
sys.exit(app.main())
"""


def until(server: Server, wanted: Callable[[Json], bool], seconds: float = 20) -> tuple[int, Json]:
    deadline = time.monotonic() + seconds
    while True:
        answer = server.get("/health")
        if wanted(answer.json()):
            return answer.status_code, answer.json()
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.02)


def test_health_says_what_is_down_until_it_runs_again(tmp_path: Path, model_folder: Path) -> None:
    server = Server(tmp_path / "data", model_folder, script=FAILING, workers="1").start()
    status, health = until(server, lambda health: health["status"] == "degraded")
    assert (status, health["workers"]) == (503, 0)
    codes = [reason["code"] for reason in health["reasons"]]
    assert "no_worker" in codes
    assert {"task_down"} <= set(codes)
    assert all(reason["message"] for reason in health["reasons"])
    assert "the cause" not in json.dumps(health)
    status, health = until(server, lambda health: health["status"] == "ok" and bool(health["upkeep_ended_at"]))
    assert (status, health["workers"], health["reasons"]) == (200, 1, [])
    assert server.finished(server.submit(("a.jpg", picture()), recipe=CONVERT)["id"])["status"] == "completed"
    text = server.get("/metrics").text
    for line in ('photo_task_failures_total{task="worker"} 1.0', 'photo_task_failures_total{task="upkeep"} 1.0'):
        assert line in text
    assert "photo_workers 1.0" in text
    assert server.stop() == 0
    assert "the cause of upkeep" in server.log.read_text()


def test_locked_queue_is_a_reason_and_costs_no_photo(start_server: Callable[..., Server]) -> None:
    server = start_server(workers="1")
    job = server.submit(*((f"{n}.png", picture(size=(900, 700 + n), format="PNG")) for n in range(30)), recipe=CONVERT)
    lock = sqlite3.connect(server.data / "queue.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    _, health = until(server, lambda health: health["status"] == "degraded")
    assert [reason["code"] for reason in health["reasons"]] == ["queue_unavailable"]
    assert health["workers"] == 1
    lock.execute("COMMIT")
    lock.close()
    assert server.finished(job["id"])["progress"]["succeeded"] == 30
    until(server, lambda health: health["status"] == "ok")
