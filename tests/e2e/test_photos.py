"""Real photos through a real server with the real network, where it can be had; else the classical engine, loudly."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import NETWORK
from tests.server import Json, Server

EXPECTED = Path(__file__).parent / "expected"
EYES = ((200, 102), (247, 102))  # px in the astronaut's photo: her right eye, her left eye
IOU = {True: 0.95, False: 0.5}  # by whether the network is there; the classical engine only finds her roughly


def iou(mask: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    """Intersection over union of two mattes, binarised at 128."""
    a, b = mask >= 128, expected >= 128
    return float((a & b).sum() / (a | b).sum())


def grey(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def completed(server: Server, job: Json) -> list[Json]:
    done = server.finished(job["id"])
    files = server.files(job["id"])
    assert done["status"] == "completed", [file["error"] for file in files]
    return files


def test_single_photo_gives_a_cutout_that_agrees_with_the_expectation(
    server: Server, photos: dict[str, Path], has_network: bool
) -> None:
    job = server.submit(photos["astronaut"])
    (file,) = completed(server, job)
    assert file["engine"]["model"] == (NETWORK if has_network else "grabcut")
    assert bool(file["warnings"]) is not has_network
    base = f"/api/jobs/{job['id']}/files/{file['id']}"
    mask = grey(server.get(f"{base}/mask").content)
    assert iou(mask, grey((EXPECTED / "astronaut-mask.png").read_bytes())) >= IOU[has_network]
    cutout = Image.open(io.BytesIO(server.get(f"{base}/result").content))
    assert (cutout.mode, cutout.size) == ("RGBA", (512, 512))
    alpha = np.asarray(cutout)[..., 3]
    assert np.array_equal(alpha == 0, mask == 0)
    assert {"decode_s", "remove_background_s", "encode_s", "total_s"} <= file["timings"].keys()


def inferences(server: Server) -> float:
    """How often a network has run."""
    found = re.search(r"^photo_inferences (\S+)$", server.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found.group(1))


def test_second_recipe_on_the_same_photo_runs_no_network(
    server: Server, photos: dict[str, Path], has_network: bool
) -> None:
    job = server.submit(photos["coffee"])
    (first,) = completed(server, job)
    ran = inferences(server)
    recipe = {"operations": [{"op": "remove_background", "background": "blur"}], "outputs": [{"format": "jpeg"}]}
    assert server.post(f"/api/jobs/{job['id']}/reprocess", json=recipe).status_code == 200
    (second,) = completed(server, job)
    assert second["outputs"][0]["format"] == "jpeg"
    assert second["engine"] == first["engine"]
    assert inferences(server) == ran


def test_face_crop_contains_both_eyes(server: Server, photos: dict[str, Path]) -> None:
    recipe = json.dumps({"operations": [{"op": "crop_face", "margin": 0.1}], "outputs": [{"format": "png"}]})
    job = server.submit(photos["astronaut"], recipe=recipe)
    (file,) = completed(server, job)
    (face,) = file["faces"]
    for x, y in EYES:
        assert face["x"] < x < face["x"] + face["width"]
        assert face["y"] < y < face["y"] + face["height"]
    crop = np.asarray(Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content)).convert("RGB")).astype(int)
    photo = np.asarray(Image.open(photos["astronaut"])).astype(int)
    eyes = photo[EYES[0][1] - 12 : EYES[1][1] + 12, EYES[0][0] - 12 : EYES[1][0] + 12]
    assert contains(crop, eyes), "the patch with both eyes is not in the crop"
    assert crop.shape[0] < 400


def contains(picture: NDArray[np.int64], patch: NDArray[np.int64]) -> bool:
    """Whether the patch occurs, to the pixel, in the picture."""
    height, width = patch.shape[:2]
    corners = np.argwhere((picture[: -height + 1, : -width + 1] == patch[0, 0]).all(axis=2))
    return any((picture[y : y + height, x : x + width] == patch).all() for y, x in corners)


def test_no_face_keeps_the_photo_with_a_warning_or_fails_as_asked(server: Server, photos: dict[str, Path]) -> None:
    keep = server.submit(photos["coffee"], recipe=json.dumps({"operations": [{"op": "crop_face"}]}))
    (file,) = completed(server, keep)
    assert [warning["code"] for warning in file["warnings"]] == ["no_face"]
    assert (file["outputs"][0]["width"], file["outputs"][0]["height"]) == (600, 400)
    recipe = json.dumps({"operations": [{"op": "crop_face", "no_face": "fail"}]})
    fail = server.finished(server.submit(photos["coffee"], recipe=recipe)["id"])
    assert (fail["status"], fail["error"]["code"]) == ("failed", "no_face")


def test_twelve_photos_come_back_as_twelve_cutouts_on_white(server: Server, photos: dict[str, Path]) -> None:
    batch = [(f"{name}-{turn}.jpg", path.read_bytes()) for turn in range(4) for name, path in photos.items()]
    job = server.submit(*batch, background="#ffffff", format="jpeg")
    messages = list(server.messages(job["id"]))
    assert messages[-1]["final"] is True
    assert messages[-1]["progress"]["succeeded"] == 12
    stages = {file["stage"] for message in messages for file in message["files"]}
    assert {"removing background", "done"} <= stages
    with zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job['id']}/download").content)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        assert sorted(names) == sorted(name for name, _ in batch)
        corner = Image.open(io.BytesIO(archive.read("coffee-0.jpg"))).getpixel((2, 2))
        assert min(corner) >= 250


def test_zip_with_folders_and_a_broken_photo_loses_nothing_else(server: Server, photos: dict[str, Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("people/anna.jpg", photos["astronaut"].read_bytes())
        archive.writestr("pets/cat.jpg", photos["chelsea"].read_bytes())
        archive.writestr("pets/cut.jpg", photos["chelsea"].read_bytes()[:9000])
    job = server.submit(("set.zip", packed.getvalue()), format="webp")
    done = server.finished(job["id"])
    assert (done["status"], done["progress"]["succeeded"], done["progress"]["failed"]) == ("completed", 2, 1)
    with zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job['id']}/download").content)) as archive:
        assert {"people/anna.webp", "pets/cat.webp", "errors.csv", "manifest.json"} == set(archive.namelist())
        assert Image.open(io.BytesIO(archive.read("people/anna.webp"))).mode == "RGBA"
        assert "pets/cut.jpg,truncated_image" in archive.read("errors.csv").decode()


def test_exif_orientation_is_applied_once(server: Server, photos: dict[str, Path]) -> None:
    photo = Image.open(photos["coffee"])
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    data = io.BytesIO()
    photo.transpose(Image.Transpose.ROTATE_90).save(data, "JPEG", exif=exif, quality=95)
    job = server.submit(("turned.jpg", data.getvalue()), remove_bg="false")
    (file,) = completed(server, job)
    assert (file["width"], file["height"]) == photo.size
    result = Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content))
    assert result.getexif().get(0x0112, 1) == 1
    difference = np.abs(np.asarray(result.convert("RGB")).astype(int) - np.asarray(photo).astype(int))
    assert difference.mean() < 4


@pytest.mark.parametrize("name", ["grabcut", "watershed"])
def test_classical_engines_work_without_any_network(
    start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path], name: str
) -> None:
    server = start_server(models=empty_models, offline="true")
    job = server.submit(photos["astronaut"], model=name)
    (file,) = completed(server, job)
    assert file["engine"]["model"] == name
    assert file["warnings"] == []


def test_offline_without_a_model_auto_falls_back_and_says_so(
    start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path]
) -> None:
    server = start_server(models=empty_models, offline="true", prefetch_model="true")
    (file,) = completed(server, server.submit(photos["astronaut"]))
    assert file["engine"]["model"] == "grabcut"
    assert [warning["code"] for warning in file["warnings"]] == ["fallback_engine"]
    job = server.finished(server.submit(photos["astronaut"], model="u2netp")["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "model_unavailable")
    assert job["error"]["hint"]
    assert server.post("/api/models/u2netp/download").json()["code"] == "download_disabled"
