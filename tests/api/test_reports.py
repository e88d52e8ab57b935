"""The report on portraits in the ZIP."""

import csv
import io
import json
import re
import zipfile
from html import unescape
from urllib.parse import unquote

import pytest
from PIL import Image
from skimage import data

from tests.server import Json, Server

HOSTILE = "=<img src=x onerror=alert(1)>.png"


def png(pixels: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")  # type: ignore[arg-type]
    return out.getvalue()


def crop(**parameters: object) -> str:
    return json.dumps({"operations": [{"op": "crop_face", **parameters}]})


@pytest.fixture(scope="module")
def archive(server: Server) -> zipfile.ZipFile:
    photos = (
        ("class/anna 1.png", png(data.astronaut())),
        (HOSTILE, png(data.coffee())),
        ("broken.png", png(data.coffee())[:5000]),
    )
    job = server.finished(server.submit(*photos, recipe=crop())["id"])
    return zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job['id']}/download").content))


def rows(archive: zipfile.ZipFile) -> dict[str, Json]:
    found = csv.DictReader(io.StringIO(archive.read("report.csv").decode("utf-8-sig")))
    return {row["name"]: row for row in found}


def test_csv_says_of_each_photo_what_to_look_at(archive: zipfile.ZipFile) -> None:
    found = rows(archive)
    assert [*found] == ["class/anna 1.png", "'" + HOSTILE, "broken.png"]
    good, faceless, broken = found.values()
    assert (good["status"], good["faces"], good["to look at"]) == ("completed", "1", "")
    assert good["detector"] in ("haar", "yunet")
    assert good["results"] in archive.namelist()
    assert (faceless["faces"], faceless["to look at"]) == ("0", "no_face")
    assert faceless["what to do"]
    assert (broken["status"], broken["to look at"]) == ("failed", "truncated_image")


def test_page_shows_the_results_beside_it_and_nothing_runs(archive: zipfile.ZipFile) -> None:
    page = archive.read("report.html").decode()
    assert "3 photos: 1 fine, 1 to look at, 1 failed." in page
    pictures = [unquote(unescape(found)) for found in re.findall(r'<img src="\./([^"]+)"', page)]
    assert pictures
    assert {*pictures} <= {*archive.namelist()}
    assert page.index("To look at (1)") < page.index("Failed (1)") < page.index("Fine (1)")
    assert "<img src=x" not in page
    assert unescape(page).count(HOSTILE) == 1
    assert not re.findall(r"https?://|<script|url\(", page)


def test_other_jobs_have_no_report(server: Server) -> None:
    recipe = json.dumps({"operations": [{"op": "resize", "width": 40}]})
    job = server.finished(server.submit(("a.png", png(data.coffee())), recipe=recipe)["id"])
    names = zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job['id']}/download").content)).namelist()
    assert names == ["a.png", "manifest.json"]


def test_photo_named_like_the_report_keeps_beside_it(server: Server) -> None:
    photo = ("report.png", png(data.astronaut()))
    job = server.finished(server.submit(photo, recipe=crop())["id"])
    names = zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job['id']}/download").content)).namelist()
    assert sorted(names) == ["manifest.json", "report.csv", "report.html", "report.png"]
