"""Photos made to hurt: each fails alone with its code, or is done, within two seconds and 512 MB."""

import io
import json
import zipfile
import zlib
from collections.abc import Callable
from functools import partial

import pytest
from PIL import Image

from tests.hostile import photos
from tests.hostile.harness import fate, is_refused, unharmed
from tests.server import Server, multipart

Maker = Callable[..., bytes]

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>fetch('/api/jobs')</script></svg>"
NOT_PHOTOS = {
    "text": b"hello, this is a text" * 20,
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "HTML behind a comment": b"<!--" + b" " * 200 + b"--><script>alert(1)</script>",
    "SVG": SVG,
    "SVG with an XML head": b"<?xml version='1.0'?>" + SVG,
    "SVG with entities": b"<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]>" + SVG,
    "PDF": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
    "XBM": b"#define a_width 8\n#define a_height 8\nstatic char a_bits[] = {0,0,0,0,0,0,0,0};\n",
    "PPM": b"P6 2 2 255\n" + bytes(12),
    "TGA": bytes([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 8, 0, 24, 0]) + bytes(192),
    "ICO": b"\0\0\1\0\1\0\x08\x08\0\0\1\0\x20\0" + bytes(40),
    "PSD": b"8BPS\0\1" + bytes(60),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
    "MP4": b"\0\0\0\x18ftypmp42" + bytes(60),
    "ELF": b"\x7fELF" + bytes(200),
}


def test_wrong_extension_is_read_by_its_bytes(server: Server) -> None:
    with unharmed(server):
        assert fate(server, photos.photo("PNG"), "photo.jpg") == "completed"
        assert fate(server, photos.photo("JPEG"), "page.html") == "completed"
        assert fate(server, photos.photo("WEBP"), "noextension") == "completed"


@pytest.mark.parametrize("kind", NOT_PHOTOS)
def test_what_is_no_photo_is_refused_whatever_its_name(server: Server, kind: str) -> None:
    with unharmed(server):
        response = server.post("/api/jobs", files=multipart(("photo.jpg", NOT_PHOTOS[kind])))
        is_refused(response, 415, "unsupported_format")


def test_polyglot_of_jpeg_and_zip_is_a_photo_alone(server: Server) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    with unharmed(server):
        job = server.submit(("both.jpg", photos.photo() + inner.getvalue()), remove_bg="false")
        assert server.finished(job["id"])["file_count"] == 1
        (file,) = server.files(job["id"])
        result = server.get(file["outputs"][0]["url"]).content
    assert b"evil.html" not in result
    assert Image.open(io.BytesIO(result)).format == "PNG"


def test_polyglot_of_gif_and_script_leaves_no_script_in_the_result(server: Server) -> None:
    gif = bytearray(photos.photo("GIF", mode="P"))
    gif += b"*/=1;alert(document.domain)//"
    with unharmed(server):
        job = server.submit(("both.gif", bytes(gif)), remove_bg="false")
        assert server.finished(job["id"])["status"] == "completed"
        (file,) = server.files(job["id"])
        result = server.get(file["outputs"][0]["url"])
        source = server.get(f"/api/jobs/{job['id']}/files/{file['id']}/source")
    assert b"alert" not in result.content
    assert source.headers["content-type"] == "image/gif"
    assert source.headers["x-content-type-options"] == "nosniff"
    assert source.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_truncated_photo_fails_alone(server: Server, kind: str, part: float) -> None:
    whole = photos.photo(kind, mode="P" if kind == "GIF" else "RGB")
    with unharmed(server):
        assert fate(server, whole[: int(len(whole) * part)]) in ("truncated_image", "broken_image")


BOMBS: dict[str, Maker] = {
    "50,000 x 50,000 of 1 bit": lambda: photos.one_bit_png(50_000),
    "12,000 x 12,000 in 20 KB": lambda: photos.one_bit_png(12_000),
    "2 Gpx by 2 Gpx, no pixels": lambda: photos.png(2**31 - 1, 2**31 - 1, 8, 6, b""),
    "GIF of 65,535 x 65,535": lambda: b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + photos.photo("GIF", mode="P")[13:],
    "BMP of 65,535 x 65,535": lambda: _bmp(65_535, 65_535),
    "TIFF of 60,000 x 60,000": lambda: photos.tiff_pages(1, side=60_000),
    "WebP of 16,383 x 16,383": lambda: _webp(16_383, 16_383),
    "HEIC of 60,000 x 60,000": lambda: photos.with_declared_size("HEIF", 60_000),
}


def _bmp(width: int, height: int) -> bytes:
    data = bytearray(photos.photo("BMP"))
    data[18:26] = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return bytes(data)


def _webp(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "WEBP", lossless=True)
    data = bytearray(out.getvalue())
    data[21:25] = ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize("bomb", BOMBS)
def test_pixel_bomb_is_refused_by_its_header(server: Server, bomb: str) -> None:
    data = BOMBS[bomb]()
    with unharmed(server):
        assert fate(server, data) == "too_many_pixels"


def test_avif_whose_container_lies_about_its_size_is_refused(server: Server) -> None:
    with unharmed(server):
        assert fate(server, photos.with_declared_size("AVIF", 60_000)) == "broken_image"


ANIMATIONS: dict[str, Maker] = {
    "GIF": lambda: photos.gif_frames(100_000),
    "APNG": lambda: photos.apng_frames(100_000),
    "WebP": lambda: photos.webp_frames(100_000),
    "TIFF of 20,000 pages": lambda: photos.tiff_pages(20_000),
    "TIFF in a circle": photos.tiff_loop,
}


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_frames_and_pages_are_never_counted(server: Server, kind: str) -> None:
    data = ANIMATIONS[kind]()
    with unharmed(server):
        job = server.submit(("film", data), remove_bg="false")
        assert server.finished(job["id"])["status"] == "completed"
        (file,) = server.files(job["id"])
    assert [warning["code"] for warning in file["warnings"]] == ["first_frame_only"]


ALL_FRAMES = {"recipe": json.dumps({"outputs": [{"name": "full", "format": "webp", "frames": "all"}]})}


@pytest.mark.parametrize("kind", ["GIF", "APNG", "WebP", "TIFF of 20,000 pages"])
def test_all_frames_of_an_endless_film_are_not_processed(server: Server, kind: str) -> None:
    data = ANIMATIONS[kind]()
    with unharmed(server):
        job = server.post("/api/jobs", files=multipart(("film", data)), data=ALL_FRAMES).json()
        server.finished(job["id"])
        (file,) = server.files(job["id"])
    assert file["error"]["code"] == "too_many_frames"


def test_exif_of_100_mb_is_beyond_the_limit_of_a_file(server: Server) -> None:
    data = photos.exif_png(100_000_000)
    with unharmed(server):
        assert fate(server, data) == "file_too_large"


@pytest.mark.parametrize(("make", "expected"), [(photos.exif_png, "completed"), (photos.exif_jpeg, "broken_image")])
def test_exif_of_40_mb_costs_no_more_than_its_bytes(server: Server, make: Maker, expected: str) -> None:
    data = make(40_000_000)
    with unharmed(server):
        assert fate(server, data) == expected


FLOODS: dict[str, Maker] = {
    "JPEG of application segments": partial(photos.jpeg_of_segments, 0xE2),
    "JPEG of comments": partial(photos.jpeg_of_segments, 0xFE),
    "JPEG of fill bytes": photos.jpeg_of_fill,
    "JPEG of scans": photos.jpeg_of_scans,
    "PNG of chunks before its pixels": partial(photos.png_of_chunks, before=True),
    "PNG of chunks behind its pixels": partial(photos.png_of_chunks, before=False),
    "GIF of comment blocks": partial(photos.gif_of_blocks, before=True),
    "GIF of pixel blocks": partial(photos.gif_of_blocks, before=False),
    "BigTIFF of tags": photos.bigtiff_of_tags,
    "TIFF of tags": partial(photos.tiff_of_damaged_tags, 30_000),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_flood_of_parts_is_not_walked(server: Server, kind: str) -> None:
    data = FLOODS[kind]()
    with unharmed(server):
        assert fate(server, data) == "broken_image"


def test_text_that_unpacks_to_100_mb_is_not_unpacked(server: Server) -> None:
    text = photos.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    profile = photos.chunk(b"iCCP", b"ICC\0\0" + zlib.compress(bytes(100_000_000), 9))
    for bomb in (text, profile, text * 50):
        data = photos.png(8, 8, 8, 2, (b"\0" + bytes(24)) * 8, bomb)
        with unharmed(server):
            assert fate(server, data) in ("completed", "broken_image")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_broken_colour_profile_is_a_warning(server: Server, kind: str) -> None:
    with unharmed(server):
        job = server.submit(("photo", photos.broken_profile(kind)), remove_bg="false")
        assert server.finished(job["id"])["status"] == "completed"
        (file,) = server.files(job["id"])
    assert [warning["code"] for warning in file["warnings"]] == ["bad_colour_profile"]


@pytest.mark.parametrize("make", [photos.cmyk_jpeg, photos.sixteen_bit_png, photos.palette_with_holes])
def test_rare_pixels_are_read(server: Server, make: Maker) -> None:
    with unharmed(server):
        assert fate(server, make()) == "completed"


def test_thousands_of_damaged_tags_are_not_thousands_of_lines_in_the_log(server: Server) -> None:
    before = server.log.stat().st_size
    with unharmed(server):
        assert fate(server, photos.tiff_of_damaged_tags(4_000)) == "completed"
    assert server.log.stat().st_size - before < 2_000


SIDE_DOORS: dict[str, tuple[Maker, int, str]] = {
    "text": (lambda: b"hello, this is a text" * 20, 415, "unsupported_format"),
    "SVG": (lambda: SVG, 415, "unsupported_format"),
    "pixel bomb": (partial(photos.one_bit_png, 50_000), 413, "too_many_pixels"),
    "flood of chunks": (partial(photos.png_of_chunks, before=True), 422, "broken_image"),
    "truncated": (lambda: photos.photo("PNG")[:2000], 422, "truncated_image"),
}


@pytest.mark.parametrize("kind", SIDE_DOORS)
def test_asset_is_looked_at_as_a_photo_is(server: Server, kind: str) -> None:
    make, status, code = SIDE_DOORS[kind]
    data = make()
    with unharmed(server):
        is_refused(server.post("/api/assets", files={"file": ("a.png", data)}), status, code)
    assert not list((server.data / "assets").glob("*"))


@pytest.mark.parametrize("kind", SIDE_DOORS)
def test_mask_is_looked_at_as_a_photo_is(server: Server, kind: str) -> None:
    make, _, code = SIDE_DOORS[kind]
    data = make()
    job = server.finished(server.submit(("a.png", photos.photo("PNG")), remove_bg="false")["id"])
    (file,) = server.files(job["id"])
    with unharmed(server):
        url = f"/api/jobs/{job['id']}/files/{file['id']}/mask"
        response = server.request("PUT", url, content=data, headers={"Content-Type": "image/png"})
        assert response.json()["code"] in (code, "invalid_mask"), response.text
        assert response.status_code in (413, 415, 422)
