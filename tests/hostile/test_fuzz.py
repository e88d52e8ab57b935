"""Seeded mutations of real photos, ZIPs and uploads: nothing but our own errors may come out.

The long, coverage-guided run is `python -m tests.hostile.fuzz`.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile import fuzz, photos, zips
from tests.hostile.harness import unharmed
from tests.server import Server

ROUNDS = 150  # for each seed; together about 15 s


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled or cut off."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(changed))
        match dice.randrange(5):
            case 0:
                changed[at] ^= 1 << dice.randrange(8)
            case 1:
                changed[at : at + 4] = dice.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", dice.randbytes(4)))
            case 2:
                del changed[at : at + dice.randint(1, 64)]
            case 3:
                changed[at:at] = changed[at : at + dice.randint(1, 256)]
            case _ if len(changed) > 64 and dice.random() < 0.3:
                del changed[max(32, at) :]
        changed = changed or bytearray(b"\0")
    return bytes(changed)


FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "HEIF"]
SEEDS: dict[str, tuple[Callable[[], bytes], Callable[[bytes, Path], None]]] = {
    **{kind: (lambda kind=kind: fuzz.small(kind), fuzz.decode_photo) for kind in FORMATS},  # type: ignore[misc]
    "progressive JPEG": (photos.jpeg_of_few_scans, fuzz.decode_photo),
    "16 bit PNG": (photos.sixteen_bit_png, fuzz.decode_photo),
    "TIFF pages": (lambda: photos.tiff_pages(3), fuzz.decode_photo),
    "ZIP": (lambda: zips.zipped(("a.png", fuzz.small("PNG")), ("b/c.jpg", fuzz.small("JPEG"))), fuzz.read_zip),
    "encrypted ZIP": (zips.encrypted, fuzz.read_zip),
    "upload": (fuzz.upload_body, fuzz.read_upload),
    "recipe": (fuzz.recipe_text, fuzz.read_recipe),
    "name": (lambda: "фото/..\\a\r\n:b.jpg".encode(), fuzz.clean_any_name),
    "URL": (lambda: b"https://us@m\xc3\xbcller.example:8443/a/../b%20c.jpg?x=[1]#f", fuzz.check_any_url),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", SEEDS)
def test_mutation_of_the_seed_raises_nothing_but_our_errors(seed: str, tmp_path: Path) -> None:
    make, target = SEEDS[seed]
    data, dice = make(), random.Random(seed)
    target(data, tmp_path)
    for number in range(ROUNDS):
        mutation = mutated(data, dice)
        try:
            target(mutation, tmp_path)
        except Exception as error:
            raise AssertionError(f"round {number}: {mutation[:2000]!r}") from error


def test_kept_corpus_raises_nothing_but_our_errors(tmp_path: Path) -> None:
    """What the long run once found."""
    for path in sorted(fuzz.CORPUS.glob("*/*")):
        fuzz.TARGETS[path.parent.name](path.read_bytes(), tmp_path)


def test_server_survives_mutated_uploads(server: Server) -> None:
    dice, body = random.Random(5), fuzz.upload_body()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with unharmed(server, seconds=60):
        for _ in range(150):
            response = server.post("/api/jobs", content=mutated(body, dice), headers=headers)
            assert response.status_code < 500, response.text
    assert "Traceback" not in server.log.read_text()
