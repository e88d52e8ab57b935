"""Facts about photos over HTTP."""

import io
import json
import zipfile

import cv2
import numpy as np
from PIL import Image
from skimage import data

from tests.api.test_jobs import CONVERT
from tests.server import Server

PLACE = {1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0), 6: 46.0}


def photo(quality: int = 90, share: float = 1.0, exif: Image.Exif | None = None) -> bytes:
    pixels = data.astronaut()
    side = round(len(pixels) * share)
    small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    coded = io.BytesIO()
    Image.fromarray(np.asarray(small, np.uint8)).save(coded, "JPEG", quality=quality, exif=exif or Image.Exif())
    return coded.getvalue()


def located() -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "Pocket Camera"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:03 14:07:11"
    exif.get_ifd(0x8825).update(PLACE)
    return photo(exif=exif)


def other() -> bytes:
    coded = io.BytesIO()
    Image.fromarray(data.coffee()).save(coded, "PNG")
    return coded.getvalue()


def test_facts_are_on_the_file_not_in_lists_and_without_the_place_in_the_zip(server: Server) -> None:
    recipe = json.dumps({"outputs": [{"format": "jpeg", "keep_metadata": True}]})
    job = server.finished(server.submit(("a.jpg", located()), recipe=recipe)["id"])["id"]
    (listed,) = server.files(job)
    assert listed["facts"] is None
    file = server.get(f"/api/jobs/{job}/files/{listed['id']}").json()
    facts = file["facts"]
    assert (facts["format"], facts["mode"], len(facts["phash"])) == ("jpeg", "RGB", 16)
    assert (facts["exif"]["model"], facts["exif"]["taken"]) == ("Pocket Camera", "2024-05-03T14:07:11")
    assert abs(facts["exif"]["latitude"] - 51.4778) < 1e-3
    assert facts["exif"]["longitude"] < 0
    assert facts["quality"]["megapixels"] == 0.262
    assert 0 < facts["quality"]["contrast"] < 0.5
    assert file["timings"]["facts_s"] >= 0
    result = Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content))
    assert result.getexif().get_ifd(0x8825) == {}, "no place in what is made"
    assert result.getexif()[0x0110] == "Pocket Camera"
    with zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job}/download").content)) as archive:
        text = archive.read("manifest.json").decode()
    (entry,) = json.loads(text)["files"]
    assert entry["facts"]["exif"]["model"] == "Pocket Camera"
    assert entry["facts"]["quality"] == facts["quality"]
    assert "latitude" not in text


def test_photos_that_look_alike_are_grouped(server: Server) -> None:
    sent = [("a.jpg", photo()), ("b.png", other()), ("c.jpg", photo(40, 0.5)), ("d.jpg", photo())]
    job = server.finished(server.submit(*sent, ("bad.jpg", b"\xff\xd8\xff"), recipe=CONVERT)["id"])["id"]
    similar = server.get(f"/api/jobs/{job}/similar").json()
    assert similar["distance"] == 10
    (group,) = similar["groups"]
    assert [file["name"] for file in group["files"]] == ["a.jpg", "c.jpg", "d.jpg"], "the copy has its facts as well"
    with zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job}/download").content)) as archive:
        files = json.loads(archive.read("manifest.json"))["files"]
    assert [file["similar"] for file in files] == [1, None, 1, 1, None]
    assert server.get(f"/api/jobs/{job}/similar?distance=99").status_code == 422
    assert server.get("/api/jobs/nothing/similar").json()["code"] == "job_not_found"
