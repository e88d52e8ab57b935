"""The command line, with and without a running server."""

import json
import subprocess
import sys
import time
from collections.abc import Callable

from tests.e2e.test_reliability import CONVERT, noise
from tests.server import ROOT, Server


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "cli.py", *arguments],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_cleanup_lists_then_deletes_beside_a_running_server_and_without_one(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(keep_days="0.00001")
    jobs = [server.finished(server.submit(noise(n), recipe=CONVERT)["id"])["id"] for n in range(2)]
    time.sleep(1)
    listed = command(server, "cleanup", "--dry-run")
    assert listed.returncode == 0, listed.stderr
    assert all(job in listed.stdout for job in jobs)
    assert "would be freed" in listed.stdout
    server.stop()
    report = json.loads(command(server, "cleanup", "--json").stdout)
    assert {job["id"] for job in report["jobs"]} == set(jobs)
    assert list((server.data / "jobs").iterdir()) == []


def test_wrong_usage_is_2_and_help_is_0(start_server: Callable[..., Server]) -> None:
    server = start_server()
    assert command(server, "explode").returncode == 2
    assert "cleanup" in command(server, "--help").stdout
