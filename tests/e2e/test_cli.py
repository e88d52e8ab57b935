"""The command line, with and without a running server."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests import tiny_network
from tests.e2e.test_reliability import CONVERT, noise
from tests.server import ROOT, Server


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "photo_processor.cli", *arguments],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=240,
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


def test_models_are_listed_optimised_and_refused_beside_a_running_server_and_without_one(
    start_server: Callable[..., Server], empty_models: Path
) -> None:
    tiny_network.save_convolutional(empty_models / "u2netp.onnx")
    server = start_server(models=empty_models, optimize="auto")
    done = command(server, "models", "optimize", "u2netp")
    assert done.returncode == 0, done.stderr
    assert re.search(r"u2netp +installed, openvino-int8, [\d.]+x as fast, optimised", done.stdout)
    listed = json.loads(command(server, "models", "list", "--json").stdout)["models"]
    rows = {row["name"]: row for row in listed}
    assert rows["u2netp"]["optimised"]["state"] == "ready"
    refused = command(server, "models", "optimize", "u2net")
    assert refused.returncode == 1
    assert "not on this machine yet" in refused.stderr
    response = server.post("/api/models/grabcut/optimize")
    assert (response.status_code, response.json()["code"]) == (409, "not_optimizable")
    assert server.post("/api/models/u2netp/optimize").status_code == 202, "done already, which is as good"
    server.stop()
    again = command(server, "models", "optimize", "u2netp")
    assert again.returncode == 0, again.stderr
    assert "openvino-int8" in again.stdout
    assert command(server, "models", "download", "nothing").returncode == 1
