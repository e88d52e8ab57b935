"""`GET /api/jobs/{id}/sheet`."""

import io
import json
import zipfile

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from tests.server import Json, Server

RECIPE = json.dumps({"operations": [{"op": "resize", "width": 413, "height": 531, "mode": "stretch", "enlarge": True}]})


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (120, 150), colour).save(out, "PNG", dpi=(300, 300))
    return out.getvalue()


@pytest.fixture(scope="module")
def job(server: Server) -> Json:
    photos = (("a.png", png("navy")), ("b.png", png("teal")), ("c.png", b"no photo"))
    return server.finished(server.submit(*photos, recipe=RECIPE)["id"])


def sheet(server: Server, job: Json, **query: object) -> bytes:
    answer = server.get(f"/api/jobs/{job['id']}/sheet", params=query)
    answer.raise_for_status()
    assert answer.headers["content-disposition"].startswith("attachment")
    return answer.content


def test_pdf_has_a_sheet_for_each_photo_that_is_done(server: Server, job: Json) -> None:
    document = pypdfium2.PdfDocument(sheet(server, job))
    assert len(document) == 2
    assert [round(side * 25.4 / 72) for side in document[0].get_size()] == [150, 100]
    assert len(pypdfium2.PdfDocument(sheet(server, job, paper="a4", copies=3))) == 1


def test_png_is_one_sheet_and_files_can_be_chosen(server: Server, job: Json) -> None:
    second = server.files(job["id"])[1]["id"]
    image = Image.open(io.BytesIO(sheet(server, job, format="png", file=second)))
    assert image.size == (1772, 1181)
    colours = {colour for _, colour in image.getcolors(1 << 20)}
    assert (0, 128, 128) in colours
    assert (0, 0, 128) not in colours


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"paper": "a5"}, 422, "invalid_request"),
        ({"width_mm": 200, "height_mm": 200}, 422, "sheet_too_small"),
        ({"copies": 1, "page": 3, "format": "png"}, 404, "page_not_found"),
        ({"file": "nobody"}, 404, "file_not_found"),
        ({"output": "other"}, 409, "nothing_to_print"),
    ],
)
def test_what_cannot_be_printed_is_said(server: Server, job: Json, query: Json, status: int, code: str) -> None:
    answer = server.get(f"/api/jobs/{job['id']}/sheet", params=query)
    assert answer.status_code == status
    assert answer.json()["code"] == code


def test_sheets_are_counted_and_have_names_and_own_paper(server: Server, job: Json) -> None:
    """Of those chosen by their places, or with nothing left to look at; the line below needs room of its own."""
    count = json.loads(sheet_json(server, job, copies=4))
    assert count == {"pages": 1, "photos_per_page": 8}
    assert json.loads(sheet_json(server, job, copies=4, names=True))["photos_per_page"] == 4
    own = {"paper_width_mm": 80, "paper_height_mm": 60, "copies": 1, "photos": "2"}
    document = pypdfium2.PdfDocument(sheet(server, job, names=True, **own))
    assert [round(side * 25.4 / 72) for side in document[0].get_size()] == [80, 60]
    server.request(
        "PATCH", f"/api/jobs/{job['id']}/files/{server.files(job['id'])[1]['id']}", json={"caption": "Łucja"}
    )
    document = pypdfium2.PdfDocument(sheet(server, job, names=True, **own))
    assert document[0].get_textpage().get_text_bounded().strip() == "Łucja"
    bare = np.asarray(Image.open(io.BytesIO(sheet(server, job, format="png", **own))))
    named = np.asarray(Image.open(io.BytesIO(sheet(server, job, format="png", names=True, **own))))
    assert bare.shape == named.shape
    assert (bare != named).any()
    answer = server.get(f"/api/jobs/{job['id']}/sheet", params={"photos": "9"})
    assert (answer.status_code, answer.json()["code"]) == (404, "file_not_found")
    assert server.get(f"/api/jobs/{job['id']}/sheet", params={"photos": "x"}).status_code == 422


def sheet_json(server: Server, job: Json, **query: object) -> bytes:
    return server.get(f"/api/jobs/{job['id']}/sheet", params={"format": "json", **query}).raise_for_status().content


def test_zip_of_some_photos_has_these_alone(server: Server, job: Json) -> None:
    answer = server.get(f"/api/jobs/{job['id']}/download", params={"photos": "2-3"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name for name in archive.namelist() if name.endswith(".png")} == {"b.png"}
