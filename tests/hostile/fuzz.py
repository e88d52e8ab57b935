"""What the fuzzers call, each raising only what is a bug; and the coverage-guided run over all of them.

    python -m tests.hostile.fuzz [TARGET ...] [--seconds 60]

Needs `atheris`, which is not everywhere to be had. Finds go into tests/hostile/corpus/<target>.
"""

import argparse
import asyncio
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from PIL import Image
from pillow_heif import register_heif_opener
from skimage import data as skimage_data

from photo_processor import errors
from photo_processor.imaging.decode import decode, probe, sniff
from photo_processor.intake.file_names import clean_name, is_kept
from photo_processor.intake.multipart import Upload, UploadReader
from photo_processor.intake.url_fetcher import checked_url, parse_urls, url_name
from photo_processor.intake.zip_reader import ArchiveReader, list_entries
from photo_processor.recipes import parse_recipe
from photo_processor.settings import Settings
from photo_processor.storage.local import Storage
from tests.hostile.zips import zipped

CORPUS = Path(__file__).with_name("corpus")
MEGAPIXELS = 1.0
SETTINGS = Settings(max_file_bytes=1_000_000, max_zip_bytes=10_000_000)


def small(kind: str) -> bytes:
    """A photo of 24 x 20 px."""
    if kind == "HEIF":
        register_heif_opener()
    out = io.BytesIO()
    picture = Image.fromarray(skimage_data.astronaut()).resize((24, 20))
    (picture.quantize(16) if kind == "GIF" else picture).save(out, kind)
    return out.getvalue()


def upload_body() -> bytes:
    """A form with a field and a photo, its boundary `x`."""
    return (
        b'--x\r\nContent-Disposition: form-data; name="remove_bg"\r\n\r\nfalse\r\n'
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        + small("PNG")
        + b"\r\n--x--\r\n"
    )


def recipe_text() -> bytes:
    operations = [{"op": "remove_background", "background": "#ffffff"}, {"op": "crop_face", "margin": 0.4}]
    return json.dumps(
        {"operations": operations, "outputs": [{"name": "web", "format": "webp", "quality": 80}]}
    ).encode()


def decode_photo(data: bytes, folder: Path) -> None:
    path = folder / "photo"
    path.write_bytes(data)
    with contextlib.suppress(errors.PhotoError):
        width, height = probe(path, MEGAPIXELS)
        assert width * height <= MEGAPIXELS * 1e6
    with contextlib.suppress(errors.PhotoError):
        picture = decode(path, MEGAPIXELS, lambda _code, _message: None)
        assert picture.pixels.shape[2] == 3


def read_zip(data: bytes, folder: Path) -> None:
    path, target = folder / "zip", folder / "entry"
    path.write_bytes(data)
    reader = ArchiveReader()
    with contextlib.suppress(errors.PhotoError):
        for entry in list_entries(path, SETTINGS):
            assert entry.name == clean_name(entry.name)
            if entry.error is None:
                with contextlib.suppress(errors.PhotoError):
                    _, size, _ = reader.unpack(path, entry.index, target, SETTINGS.max_file_bytes)
                    assert size <= SETTINGS.max_file_bytes


def read_upload(data: bytes, folder: Path) -> None:
    storage = Storage(folder / "data")
    storage.prepare()

    async def stream() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 97):
            yield data[at : at + 97]

    async def read() -> None:
        with Upload() as upload, contextlib.suppress(errors.PhotoError):
            await UploadReader(storage, SETTINGS, upload).read("multipart/form-data; boundary=x", stream())

    asyncio.run(read())
    assert list((folder / "data" / "incoming").iterdir()) == []


def read_recipe(data: bytes, _: Path) -> None:
    with contextlib.suppress(errors.PhotoError):
        parse_recipe(data)


def clean_any_name(data: bytes, _: Path) -> None:
    name = clean_name(data.decode("utf-8", "surrogateescape"))
    assert name
    assert all(map(is_kept, name))
    assert all(len(part.encode()) <= 255 for part in name.split("/"))
    assert not name.startswith("/")
    assert not {"..", ".", ""} & set(name.split("/"))
    assert clean_name(name) == name


def check_any_url(data: bytes, _: Path) -> None:
    text = data.decode("utf-8", "surrogateescape")
    with contextlib.suppress(errors.PhotoError):
        url = checked_url(text)
        assert url.scheme in (b"http", b"https")
        assert b"@" not in url.host
    with contextlib.suppress(errors.PhotoError):
        parse_urls([text], 10)
    assert all(map(is_kept, url_name(text)))


def sniff_anything(data: bytes, _: Path) -> None:
    sniff(data)


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    "photo": decode_photo,
    "zip": read_zip,
    "upload": read_upload,
    "recipe": read_recipe,
    "name": clean_any_name,
    "url": check_any_url,
    "sniff": sniff_anything,
}
SEEDS: dict[str, list[bytes]] = {
    "photo": [small(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")],
    "zip": [
        zipped(("a.png", small("PNG")), ("b/c.jpg", small("JPEG"))),
        zipped(("a.png", small("PNG")), compression=0),
    ],
    "name": ["фото/..\\a\r\n:b.jpg".encode(), b"C:\\photos\\..\\a.jpg"],
    "url": [b"https://user@example.com:8443/a/../b%20c.jpg?x=[1]#f", b'["http://example.com/a.jpg"]'],
    "upload": [upload_body()],
    "recipe": [recipe_text()],
}


def run(name: str, seconds: int) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris

    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp())
    seeds, kept = folder / "seeds", CORPUS / name
    for place in (seeds, kept):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS.get(name, [])):
        (seeds / str(number)).write_bytes(seed)
    target = TARGETS[name]
    limits = [f"-max_total_time={seconds}", "-max_len=20000", "-timeout=10", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], str(seeds), *limits, f"-artifact_prefix={kept}/"], lambda data: target(data, folder))
    atheris.Fuzz()


INSTRUMENTED = """
import atheris
READERS = ["photo_processor.intake", "photo_processor.imaging", "photo_processor.recipes", "photo_processor.operations"]
with atheris.instrument_imports(include=READERS):
    from tests.hostile import fuzz
fuzz.run({name!r}, {seconds})
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Coverage-guided fuzzing of what reads strangers' bytes.")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], default=[])
    parser.add_argument("--seconds", type=int, default=60, help="altogether")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    failed = 0
    for name in names:
        program = INSTRUMENTED.format(name=name, seconds=options.seconds // len(names))
        failed += subprocess.run([sys.executable, "-c", program], check=False).returncode != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
