"""The model is fetched while a job waits for it: through the sources that this machine reaches."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engines.rows import ROWS
from storage import digest_of
from tests.conftest import NETWORK
from tests.server import Server


def test_first_photo_waits_for_the_download_and_says_so(
    start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path], has_network: bool
) -> None:
    if not has_network:
        pytest.fail(f"{NETWORK} could not be fetched from any source; see the warning above")
    server = start_server(models=empty_models, prefetch_model="true")
    job = server.submit(photos["astronaut"])
    messages = list(server.messages(job["id"]))
    stages = [file["stage"] for message in messages for file in message["files"]]
    assert "downloading the model" in stages
    assert stages.index("downloading the model") < stages.index("removing background")
    progress = [message["model"] for message in messages if message["model"]]
    assert {entry["name"] for entry in progress} == {NETWORK}
    received = [entry["received"] for entry in progress]
    assert received == sorted(received)
    assert received[-1] > 1_000_000
    assert messages[-1]["status"] == "completed"
    (file,) = server.files(job["id"])
    assert (file["engine"]["model"], file["warnings"]) == (NETWORK, [])
    row = next(row for row in server.get("/api/models").json()["models"] if row["name"] == NETWORK)
    assert row["state"] == "installed"
    assert digest_of(empty_models / f"{NETWORK}.onnx") in "".join(digest for row in ROWS for digest in row.digests)
