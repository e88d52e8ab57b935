"""Uploaded pictures that recipes name: kept, used, refused where unknown."""

import hashlib
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.server import Server, multipart


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def cutout() -> bytes:
    """A disc, of which everything else is transparent."""
    image = Image.fromarray(data.coffee())
    rows, columns = np.mgrid[:400, :600]
    image.putalpha(Image.fromarray(np.where(np.hypot(rows - 200, columns - 300) < 120, 255, 0).astype(np.uint8)))
    return png(image)


def upload(server: Server, content: bytes, field: str = "file") -> httpx.Response:
    return httpx.post(f"{server.url}/api/assets", files={field: ("wall.png", content)}, timeout=30)


def test_uploaded_picture_lies_behind_the_subject(server: Server) -> None:
    wall = png(Image.linear_gradient("L").convert("RGB").resize((300, 900)))
    answer = upload(server, wall)
    assert answer.status_code == 201
    asset = answer.json()
    assert asset == {
        "id": hashlib.sha256(wall).hexdigest(), "width": 300, "height": 900, "bytes": len(wall),
        "media_type": "image/png",
    }  # fmt: skip
    recipe = {"operations": [{"op": "replace_background", "background": f"asset:{asset['id']}", "fit": "cover"}]}
    job = server.submit(("a.png", cutout()), recipe=json.dumps(recipe))
    assert server.finished(job["id"])["status"] == "completed"
    file = server.files(job["id"])[0]
    result = Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content))
    assert (result.size, result.mode) == ((600, 400), "RGB")
    left = np.asarray(result)[:, 5, 0].astype(int)
    assert (np.diff(left) >= -1).all()
    assert 80 < left[0] < 110
    assert 145 < left[-1] < 175
    assert np.array_equal(np.asarray(result)[200, 300], data.coffee()[200, 300])


@pytest.mark.parametrize(
    ("field", "content", "status", "code"),
    [
        ("file", b"no picture at all", 415, "unsupported_format"),
        ("file", png(Image.new("RGB", (9, 9)))[:50], 422, "truncated_image"),
        ("file", b"", 422, "empty_file"),
        ("other", b"x", 422, "no_files"),
    ],
)
def test_what_is_no_picture_is_refused(server: Server, field: str, content: bytes, status: int, code: str) -> None:
    answer = upload(server, content, field)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "step",
    [
        {"op": "remove_background", "background": "asset:" + "0" * 64},
        {"op": "watermark", "picture": "asset:" + "0" * 64},
    ],
)
def test_unknown_picture_is_refused_at_once(server: Server, step: dict[str, str]) -> None:
    data = {"recipe": json.dumps({"operations": [step]})}
    answer = httpx.post(f"{server.url}/api/jobs", files=multipart(("a.png", cutout())), data=data)
    assert (answer.status_code, answer.json()["code"]) == (422, "asset_not_found")
    assert "0" * 64 in answer.json()["detail"]
