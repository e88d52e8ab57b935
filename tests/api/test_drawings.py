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


def test_mark_and_background_are_drawn_from_svg(start_server: Callable[..., Server]) -> None:
    server = start_server(svg="true")

    def kept(text: str) -> str:
        answer = server.post("/api/assets", files=[("file", ("mark.svg", text.encode()))])
        assert answer.status_code == 201, answer.text
        return f"asset:{answer.json()['id']}"

    mark = kept(svg('<circle cx="5" cy="5" r="5" fill="#ff8000"/>', 'width="10" height="10"'))
    wall = kept(svg('<rect width="5" height="10" fill="#0080ff"/><rect x="5" width="5" height="10" fill="#fff" '
                    'fill-opacity=".5"/>', 'width="10" height="10"'))  # fmt: skip
    recipe = {
        "operations": [
            {"op": "replace_background", "background": wall},
            {"op": "watermark", "picture": mark, "size": 0.5, "opacity": 1, "position": "center", "margin": 0},
        ]
    }
    clear = io.BytesIO()
    Image.new("RGBA", (3000, 3000), (0, 0, 0, 0)).save(clear, "PNG")
    job = server.finished(server.submit(("a.png", clear.getvalue()), recipe=json.dumps(recipe))["id"])
    assert job["status"] == "completed", job
    (file,) = server.files(job["id"])
    look = Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content)).convert("RGBA")
    assert look.getpixel((1500, 1500)) == (255, 128, 0, 255), "the mark"
    assert look.getpixel((100, 100)) == (0, 128, 255, 255), "the background"
    assert look.getpixel((2900, 100)) == (255, 255, 255, 128), "and what shines through"
    assert look.getpixel((780, 780)) == (0, 128, 255, 255), "the mark's own corner is clear"
    edge = [look.getpixel((x, 1500))[0] for x in range(740, 760)]
    assert sum(0 < red < 255 for red in edge) <= 2, "sharp at 1500 px, though the drawing says 10"


def test_hostile_drawings_are_no_assets(start_server: Callable[..., Server]) -> None:
    server = start_server(svg="true")
    for name, text in UNSAFE.items():
        answer = server.post("/api/assets", files=[("file", ("x.svg", text.encode()))])
        assert (answer.status_code, answer.json()["code"]) == (422, "unsafe_drawing"), name
    assert not list((server.data / "assets").glob("*"))
