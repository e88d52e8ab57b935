"""Masks drawn by hand: the result and the ZIP follow, without a model."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.server import Json, Server

RECIPE = json.dumps({"operations": [{"op": "remove_background", "model": "grabcut", "decontaminate": False}]})


def left_half(width: int, height: int) -> bytes:
    """A mask that keeps the left half, as RGBA: what a canvas gives."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, : width // 2, :3] = 255
    return encoded(pixels)


def encoded(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def cut(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A finished job of one small photo."""
    rng = np.random.default_rng(5)
    photo = rng.integers(0, 60, (90, 120, 3), np.uint8)
    photo[20:70, 30:90] = 250
    return server.finished(server.submit(("a.png", encoded(photo)), recipe=RECIPE)["id"])


def address(job: Json, file: Json, what: str) -> str:
    return f"/api/jobs/{job['id']}/files/{file['id']}/{what}"


def alpha_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., 3]


def test_drawn_mask_makes_result_and_zip_anew_without_a_model(server: Server, cut: Json) -> None:
    (file,) = server.files(cut["id"])
    before = alpha_of(server.get(address(cut, file, "result")).content)
    answer = server.request("PUT", address(cut, file, "mask"), content=left_half(120, 90))
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    assert server.finished(cut["id"])["progress"]["succeeded"] == 1
    (file,) = server.files(cut["id"])
    assert file["engine"]["model"] == "drawn"
    after = alpha_of(server.get(address(cut, file, "result")).content)
    assert (after[:, :60] == 255).all()
    assert (after[:, 60:] == 0).all()
    assert (before != after).any()
    archive = zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{cut['id']}/download").content))
    assert (alpha_of(archive.read("a.png")) == after).all()
    assert np.asarray(Image.open(io.BytesIO(server.get(address(cut, file, "mask")).content)))[:, :60].min() == 255

    assert server.request("DELETE", address(cut, file, "mask")).status_code == 200
    server.finished(cut["id"])
    assert (alpha_of(server.get(address(cut, file, "result")).content) == before).all()


def test_drawn_mask_outlives_another_recipe_and_follows_a_crop(server: Server, cut: Json) -> None:
    (file,) = server.files(cut["id"])
    server.request("PUT", address(cut, file, "mask"), content=left_half(240, 180))
    server.finished(cut["id"])
    crop = {"op": "crop", "x": 50, "y": 0, "width": 20, "height": 90, "unit": "px"}
    cutout = {"op": "remove_background", "model": "grabcut", "decontaminate": False}
    server.post(f"/api/jobs/{cut['id']}/reprocess", json={"operations": [crop, cutout]}).raise_for_status()
    server.finished(cut["id"])
    alpha = alpha_of(server.get(address(cut, file, "result")).content)
    assert alpha.shape == (90, 20)
    assert (alpha[:, :9] == 255).all()
    assert (alpha[:, 11:] == 0).all()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no picture", "invalid_mask"),
        (left_half(100, 100), "invalid_mask"),
        (left_half(120, 90)[:60], "truncated_image"),
    ],
)
def test_mask_that_is_none_is_refused_and_changes_nothing(server: Server, cut: Json, body: bytes, code: str) -> None:
    (file,) = server.files(cut["id"])
    answer = server.request("PUT", address(cut, file, "mask"), content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert server.job(cut["id"])["status"] == "completed"


def test_photo_without_a_cutout_has_no_mask_to_draw_on(server: Server, photos: dict[str, Path]) -> None:
    job = server.finished(server.submit(photos["coffee"], recipe=json.dumps({"operations": []}))["id"])
    (file,) = server.files(job["id"])
    answer = server.request("PUT", address(job, file, "mask"), content=left_half(600, 400))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert server.request("PUT", address(job, {"id": "0"}, "mask"), content=b"x").status_code == 404


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"op": "rotate", "angle": 180}],
        [{"op": "flip", "direction": "vertical"}, {"op": "rotate", "angle": 90}],
        [{"op": "resize", "width": 50}, {"op": "rotate", "angle": 5, "extent": "inside"}],
        [{"op": "crop", "x": 11, "y": 7, "width": 95, "height": 80}, {"op": "resize", "width": 47}],
    ],
    ids=lambda steps: "-".join(step["op"] for step in steps) or "none",
)
def test_a_mask_put_back_as_it_was_changes_nothing(server: Server, steps: list[Json]) -> None:
    rng = np.random.default_rng(5)
    photo = rng.integers(0, 60, (90, 120, 3), np.uint8)
    photo[20:90, 30:90] = 250
    cutout = {"op": "remove_background", "model": "grabcut"}
    recipe = json.dumps({"operations": [*steps, cutout]})
    job = server.finished(server.submit(("a.png", encoded(photo)), recipe=recipe)["id"])
    (file,) = server.files(job["id"])
    before = server.get(address(job, file, "result")).content
    mask = server.get(address(job, file, "mask")).content
    answer = server.request("PUT", address(job, file, "mask"), content=mask)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert server.get(address(job, file, "result")).content == before

    # Nor does one that differs in a px, but for that px.
    pixels = np.array(Image.open(io.BytesIO(mask)))
    pixels[0, 0] = 200
    server.request("PUT", address(job, file, "mask"), content=encoded(pixels)).raise_for_status()
    server.finished(job["id"])
    (file,) = server.files(job["id"])
    assert file["engine"]["model"] == "drawn"
    one, other = alpha_of(before), alpha_of(server.get(address(job, file, "result")).content)
    assert ((one > 127) & (other > 127)).sum() >= 0.97 * ((one > 127) | (other > 127)).sum()
    if all(step["op"] in ("rotate", "flip") and step.get("angle", 90) % 90 == 0 for step in steps):
        assert (one != other).sum() <= 1
