"""A class of portraits, good and spoiled, from upload to ZIP: each flagged for the right reason, and no good one."""

import csv
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.server import Json, Server
from tests.unit.test_review import Portrait, astronaut, blurred, cut, lit, nobody, turned, twice

RECIPE = json.dumps({"operations": [{"op": "id_photo", "preset": "school_card"}], "outputs": [{"format": "jpeg"}]})


def mirrored() -> Portrait:
    clean = astronaut()
    return Portrait(np.ascontiguousarray(clean.pixels[:, ::-1]), np.ascontiguousarray(clean.matte[:, ::-1]))


def enlarged() -> Portrait:
    clean = astronaut()
    return Portrait(*(np.asarray(cv2.resize(plane, (1400, 1400))) for plane in (clean.pixels, clean.matte)))


GOOD: dict[str, Callable[[], Portrait]] = {
    "anna": astronaut,
    "ben": mirrored,
    "carla": enlarged,
    "dario": lambda: lit(0.6),
    "emil": lambda: turned(6),
    "on-its-side": lambda: turned(90),
}
SPOILED: dict[str, tuple[Callable[[], Portrait], str]] = {
    "cup": (nobody, "no_face"),
    "two": (twice, "several_faces"),
    "tilted": (lambda: turned(25), "head_tilted"),
    "dark": (lambda: lit(0.3), "too_dark"),
    "cut-off": (lambda: cut(55, 0), "face_cut_off"),
    "blurred": (lambda: blurred(2.5), "blurred"),
}
EXPECTED = {**{f"class/{name}.png": "" for name in GOOD}, **{f"class/{name}.png": SPOILED[name][1] for name in SPOILED}}


def encoded(portrait: Portrait, *, cutout: bool) -> bytes:
    """A PNG; with the matte as its transparency where there is no network to find it."""
    pixels = np.dstack([portrait.pixels, portrait.matte]) if cutout else portrait.pixels
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class Batch:
    """A finished job: its files, as the API tells them, and its ZIP."""

    server: Server
    job: Json
    files: dict[str, Json]
    archive: zipfile.ZipFile


def models(folder: Path, source: Path, detector: str) -> Path:
    """A folder with the network for backgrounds, if there is one, and with those for faces that are to be tried."""
    folder.mkdir()
    network = source / "isnet-general-use.onnx"
    if network.exists():
        shutil.copyfile(network, folder / network.name)
    if "measured" in detector:
        mesh = source / "face-mesh.tflite"
        if not mesh.exists():
            pytest.skip("face-mesh could not be fetched from any source")
        shutil.copyfile(mesh, folder / mesh.name)
    if "yunet" in detector:
        testdata = os.environ.get("PHOTO_TESTDATA")
        if not testdata:
            pytest.skip("PHOTO_TESTDATA is not set")
        shutil.copyfile(Path(testdata, "models", "face_detection_yunet_2026may.onnx"), folder / "yunet.onnx")
    return folder


@pytest.fixture(scope="module", params=["haar", "haar, measured", "yunet", "yunet, measured"])
def batch(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, model_folder: Path, has_network: bool
) -> Iterator[Batch]:
    folder = tmp_path_factory.mktemp("batch")
    server = Server(folder / "data", models(folder / "models", model_folder, request.param), offline="true").start()
    photos = {**GOOD, **{name: made for name, (made, _) in SPOILED.items()}}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, made in photos.items():
            archive.writestr(f"class/{name}.png", encoded(made(), cutout=not has_network))
        lines = ["file;number;caption", *(f"{name}.png;{1000 + row};Pupil {name}" for row, name in enumerate(photos))]
        archive.writestr("class/names.csv", "\n".join([*lines, "nobody.png;1999;Pupil away"]))
    job = server.finished(server.submit(("class.zip", out.getvalue()), recipe=RECIPE)["id"])
    files = {file["name"]: file for file in server.files(job["id"])}
    answer = server.get(f"/api/jobs/{job['id']}/download")
    yield Batch(server, job, files, zipfile.ZipFile(io.BytesIO(answer.content)))
    assert server.stop() == 0, server.log.read_text()[-3000:]


def codes(file: Json) -> str:
    return " ".join(item["code"] for item in file["review"])


def test_each_photo_is_flagged_for_the_right_reason_and_no_good_one(batch: Batch) -> None:
    assert {name: codes(file) for name, file in batch.files.items()} == EXPECTED


def test_every_reason_has_its_measure_and_its_advice(batch: Batch) -> None:
    for file in batch.files.values():
        for item in file["review"]:
            assert item["message"].endswith(".")
            within = (item["low"] is None or item["value"] >= item["low"]) and (
                item["high"] is None or item["value"] <= item["high"]
            )
            assert not within, item


def test_lane_holds_the_flagged_ones_and_no_others(batch: Batch) -> None:
    listed = batch.server.get(f"/api/jobs/{batch.job['id']}/files?status=review").json()["files"]
    assert {file["name"] for file in listed} == {name for name, code in EXPECTED.items() if code}
    assert batch.job["progress"]["review"] == len(listed) == len(SPOILED)


def test_report_csv_says_the_same(batch: Batch) -> None:
    text = batch.archive.read("report.csv").decode("utf-8-sig")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(text))}
    assert {name: row["to look at"] for name, row in rows.items()} == EXPECTED
    for name, row in rows.items():
        file = batch.files[name]
        assert row["what to do"] == " ".join(item["message"] for item in file["review"])
        assert (row["number"], row["caption"]) == (file["number"], file["caption"])
        assert row["caption"] == f"Pupil {Path(name).stem}"
        assert set(row["results"].split("; ")) <= set(batch.archive.namelist())


def test_report_page_says_the_same(batch: Batch) -> None:
    page = unescape(batch.archive.read("report.html").decode())
    assert f"{len(EXPECTED)} photos: {len(GOOD)} fine, {len(SPOILED)} to look at, 0 failed." in page
    look, fine = page.split("<h2>Fine")
    for name, code in EXPECTED.items():
        caption, file = f"<b>Pupil {Path(name).stem}</b>", batch.files[name]
        assert caption in (look if code else fine)
        assert caption not in (fine if code else look)
        assert all(item["message"] in look for item in file["review"])


def test_rows_of_the_list_that_no_photo_has_are_told(batch: Batch) -> None:
    names = json.loads(batch.archive.read("manifest.json"))["names"]
    assert names["matched"] == len(EXPECTED)
    assert [row for row in names["rows_without_photo"] if "nobody" in str(row)] == names["rows_without_photo"]
    assert len(names["rows_without_photo"]) == 1


def test_results_are_of_one_size(batch: Batch) -> None:
    sizes = {
        (output["width"], output["height"])
        for name, file in batch.files.items()
        for output in file["outputs"]
        if EXPECTED[name] != "no_face"
    }
    assert sizes == {(354, 472)}
