"""SVG in and out, against a real server process."""

import io
import json
import zipfile
from collections.abc import Callable

from PIL import Image

from tests.api.test_jobs import picture
from tests.server import Server, multipart
from tests.unit.test_drawings import UNSAFE, svg

LOGO = svg('<rect x="500" width="1000" height="1000" fill="#0080ff"/>').encode()
CUT = json.dumps({"outputs": [{"name": "cut", "format": "svg", "tolerance": 1}, {"name": "look", "format": "png"}]})


def test_drawings_are_refused_where_the_setting_is_off(server: Server) -> None:
    refused = server.post("/api/jobs", files=multipart(("logo.svg", LOGO)))
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_format")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("logo.svg", LOGO)
        archive.writestr("a.jpg", picture())
    job = server.finished(server.submit(("x.zip", packed.getvalue()), recipe=CUT)["id"])
    assert [file["status"] for file in server.files(job["id"])] == ["failed", "completed"]
    asset = server.post("/api/assets", files=[("file", ("logo.svg", LOGO))])
    assert asset.status_code == 415


def test_drawing_becomes_a_photo_and_unsafe_ones_fail_alone(start_server: Callable[..., Server]) -> None:
    server = start_server(svg="true")
    sent = [("logo.svg", LOGO), *((f"{name}.svg", text.encode()) for name, text in UNSAFE.items())]
    job = server.finished(server.submit(*sent, recipe=CUT)["id"])
    logo, *others = server.files(job["id"])
    assert (logo["status"], logo["width"], logo["height"]) == ("completed", 2000, 1000)
    assert {file["error"]["code"] for file in others} == {"unsafe_drawing"}
    look = Image.open(io.BytesIO(server.get(logo["outputs"][1]["url"]).content)).convert("RGBA")
    assert (look.getpixel((1000, 500)), look.getpixel((100, 500))) == ((0, 128, 255, 255), (0, 0, 0, 0))
    source = server.get(f"/api/jobs/{job['id']}/files/{logo['id']}/source")
    assert source.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in source.headers["content-security-policy"]


def test_outline_is_sent_as_svg_that_can_run_nothing(server: Server) -> None:
    job = server.finished(server.submit(("a.jpg", picture(size=(300, 200))), recipe=CUT)["id"])
    (file,) = server.files(job["id"])
    assert (file["outputs"][0]["format"], file["outputs"][0]["width"]) == ("svg", 300)
    result = server.get(file["outputs"][0]["url"])
    assert result.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in result.headers["content-security-policy"]
    assert 'filename="a-cut.svg"' in result.headers["content-disposition"]
    assert result.text.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"')
