"""What is known of a photo: measures against their formulas, hashes against what keeps a photo alike."""

import io
import struct
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from photo_processor.imaging.decode import decode
from photo_processor.imaging.facts import brightness, colourfulness, contrast, facts_of, phash, sharpness
from photo_processor.imaging.metadata import shot_of
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.imaging.similar import groups, groups_of_photos
from photo_processor.schemas import Shot


def flat(red: int, green: int, blue: int) -> Pixels:
    return np.full((40, 60, 3), (red, green, blue), np.uint8)


def halves() -> Pixels:
    """Half black, half white."""
    pixels = flat(0, 0, 0)
    pixels[:, 30:] = 255
    return pixels


def distance(one: Pixels, other: Pixels) -> int:
    return bin(int(phash(one), 16) ^ int(phash(other), 16)).count("1")


def test_measures_of_plain_pictures_are_their_formulas() -> None:
    assert [brightness(flat(*colour)) for colour in ((0, 0, 0), (255, 255, 255))] == pytest.approx([0, 1])
    assert brightness(flat(255, 0, 0)) == pytest.approx(0.299, abs=0.002)
    assert (contrast(flat(90, 90, 90)), contrast(halves())) == pytest.approx((0, 0.5), abs=1e-6)
    assert sharpness(flat(9, 90, 200)) == 0
    assert colourfulness(flat(128, 128, 128)) == 0
    # a = 255, b = 127.5, without any spread
    assert colourfulness(flat(255, 0, 0)) == pytest.approx(0.3 * np.hypot(255, 127.5), abs=0.01)


def test_colourfulness_is_hasler_and_suesstrunks_m3() -> None:
    red, green, blue = (data.coffee()[..., channel].astype(np.float64) for channel in range(3))
    a, b = red - green, (red + green) / 2 - blue
    expected = np.hypot(a.std(), b.std()) + 0.3 * np.hypot(a.mean(), b.mean())
    assert colourfulness(data.coffee()) == pytest.approx(expected, rel=1e-4)
    grey = cv2.cvtColor(cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert colourfulness(np.asarray(grey, np.uint8)) == 0


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    part = data.astronaut()[100:190, 200:290]
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float64)
    padded = np.pad(grey, 1, mode="reflect")
    laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * grey
    assert sharpness(part) == pytest.approx(laplacian.var(), rel=1e-6)


def test_sharpness_falls_with_blur_and_finds_the_one_sharp_part() -> None:
    photo = data.astronaut()
    blurred = [np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma), np.uint8) for sigma in (1, 2, 4)]
    measured = [sharpness(photo), *map(sharpness, blurred)]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > 10 * measured[2]
    portrait = blurred[2].copy()
    portrait[:100, 206:306] = photo[:100, 206:306]
    assert sharpness(portrait) > 10 * sharpness(blurred[2])


@pytest.mark.parametrize("photo", [data.astronaut(), data.coffee(), data.chelsea()], ids=["astronaut", "coffee", "cat"])
def test_hash_outlives_what_leaves_a_photo_alike(photo: Pixels) -> None:
    coded = io.BytesIO()
    Image.fromarray(photo).save(coded, "JPEG", quality=40)
    small = cv2.resize(photo, (photo.shape[1] // 2, photo.shape[0] // 2), interpolation=cv2.INTER_AREA)
    variants = [np.asarray(Image.open(coded)), np.asarray(small, np.uint8), cv2.GaussianBlur(photo, (0, 0), 2)]
    assert max(distance(photo, np.asarray(variant, np.uint8)) for variant in variants) <= 4
    others = [other for other in (data.astronaut(), data.coffee(), data.chelsea()) if other.shape != photo.shape]
    assert min(distance(photo, other) for other in others) > 12


def test_facts_of_a_large_photo_are_near_those_of_the_same_one_smaller() -> None:
    large = np.asarray(cv2.resize(data.astronaut(), (4000, 3000), interpolation=cv2.INTER_CUBIC), np.uint8)
    small = np.asarray(cv2.resize(large, (800, 600), interpolation=cv2.INTER_AREA), np.uint8)
    one, other = facts_of(Picture(large)), facts_of(Picture(small))
    assert one.quality.megapixels == 12
    assert one.quality.brightness == pytest.approx(other.quality.brightness, abs=0.01)
    assert one.quality.contrast == pytest.approx(other.quality.contrast, abs=0.01)
    assert one.quality.colourfulness == pytest.approx(other.quality.colourfulness, abs=1.5)
    assert bin(int(one.phash, 16) ^ int(other.phash, 16)).count("1") <= 4


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2), (7, 7)])
def test_any_size_has_facts(size: tuple[int, int]) -> None:
    alpha = np.zeros(size, np.uint8)
    facts = facts_of(Picture(np.zeros((*size, 3), np.uint8), alpha))
    assert (facts.quality.brightness, facts.quality.sharpness) == pytest.approx((1, 0)), "transparent is white"
    assert len(facts.phash) == 16


def test_groups_chain_and_leave_the_rest_alone() -> None:
    hashes = ["0" * 16, "0" * 15 + "7", "0" * 14 + "3f", "f" * 16, "f" * 16, "a5" * 8]
    assert groups(hashes, 3) == [1, 1, 1, 2, 2, None], "the third is like the second alone"
    assert groups(hashes, 2) == [None, None, None, 1, 1, None]
    assert groups([]) == []


def test_groups_are_those_of_a_plain_search() -> None:
    rng = np.random.default_rng(5)
    centres = rng.integers(0, 2**63, 30, np.uint64)
    noisy = [int(centres[rng.integers(30)]) ^ sum(1 << int(bit) for bit in rng.integers(0, 64, 3)) for _ in range(150)]
    found = groups([f"{value:016x}" for value in noisy], 6)
    for i, one in enumerate(noisy):
        for j, other in enumerate(noisy[:i]):
            if bin(one ^ other).count("1") <= 6:
                assert found[i] == found[j] is not None
        alone = all(bin(one ^ other).count("1") > 6 for j, other in enumerate(noisy) if j != i)
        assert (found[i] is None) == alone


def shot(camera: dict[int, object], place: dict[int, object], image: dict[int, object]) -> Shot | None:
    exif = Image.Exif()
    exif.update(image)
    exif.get_ifd(0x8769).update(camera)
    exif.get_ifd(0x8825).update(place)
    coded = io.BytesIO()
    Image.new("RGB", (8, 8)).save(coded, "JPEG", exif=exif)
    with Image.open(coded) as stored:
        return shot_of(stored.getexif())


def test_shot_is_read_from_exif() -> None:
    camera = {0x9003: "2024:05:03 14:07:11", 0x829A: 0.004, 0x829D: 2.8, 0x8827: 200, 0x920A: 50.0, 0xA434: "RF50mm"}
    place = {1: "S", 2: (33.0, 51.0, 24.84), 3: "E", 4: (151.0, 12.0, 55.08), 5: b"\1", 6: 12.5}
    found = shot(camera, place, {0x010F: "Canon\0", 0x0110: "EOS R5"})
    assert found is not None
    assert (found.make, found.model, found.lens) == ("Canon", "EOS R5", "RF50mm")
    assert found.taken == datetime(2024, 5, 3, 14, 7, 11)
    assert (found.exposure_s, found.f_number, found.iso, found.focal_length_mm) == (0.004, 2.8, 200, 50)
    assert found.latitude == pytest.approx(-33.8569, abs=1e-4)
    assert found.longitude == pytest.approx(151.2153, abs=1e-4)
    assert found.altitude_m == -12.5
    assert shot({}, {}, {}) is None


@pytest.mark.parametrize(
    ("camera", "place", "image"),
    [
        ({0x9003: "not a time", 0x829A: 0.0}, {}, {}),
        ({0x9003: "9999:99:99 99:99:99"}, {2: (400.0, 0.0, 0.0), 4: (1.0, 1.0, 1.0)}, {}),
        ({}, {1: "N", 2: (1.0, 2.0)}, {0x010F: "\x01\x02"}),
        ({}, {1: "N", 2: (10.0, 0.0, 0.0)}, {}),
    ],
)
def test_nonsense_in_exif_is_left_out(
    camera: dict[int, object], place: dict[int, object], image: dict[int, object]
) -> None:
    found = shot(camera, place, image)
    assert found is None or found == Shot(exposure_s=found.exposure_s)


def test_number_without_a_value_is_left_out(tmp_path: Path) -> None:
    """A rational of 0/0, as broken cameras write it."""
    tags = struct.pack("<HHHIIIII", 1, 0x829A, 5, 1, 44, 0, 0, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0) + tags
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8)).save(path, exif=exif)
    picture = decode(path, 1, lambda _code, _message: None)
    assert picture.origin is not None
    assert picture.origin.shot is None


@pytest.mark.parametrize(
    ("format", "mode"), [("JPEG", "L"), ("PNG", "RGBA"), ("TIFF", "CMYK"), ("WEBP", "RGB"), ("GIF", "P")]
)
def test_format_and_mode_are_the_files(tmp_path: Path, format: str, mode: str) -> None:
    path = tmp_path / "a"
    Image.new(mode, (8, 8)).save(path, format)
    origin = decode(path, 1, lambda _code, _message: None).origin
    assert origin is not None
    assert (origin.format, origin.mode) == (format.lower(), mode)


def test_pictures_of_one_colour_are_in_no_group() -> None:
    flat = [facts_of(Picture(np.full((60, 80, 3), colour, np.uint8))).phash for colour in (0, 1, 77, 254, 255)]
    assert groups_of_photos([*flat, "a5" * 8, "a5" * 8, flat[0]]) == [None] * 5 + [1, 1, None]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-05-01 10:20:30", datetime(2024, 5, 1, 10, 20, 30)),
        ("2024/05/01 10:20:30", datetime(2024, 5, 1, 10, 20, 30)),
        ("2024-05-01T10:20:30+02:00", datetime(2024, 5, 1, 10, 20, 30)),
        ("2024.05.01 10:20", datetime(2024, 5, 1, 10, 20)),
        ("2024:05:01", datetime(2024, 5, 1)),
        ("2024: 5: 1 10:20:30", datetime(2024, 5, 1, 10, 20, 30)),
        ("20240501", datetime(2024, 5, 1)),
        ("2024:05:01 24:00:00", datetime(2024, 5, 1)),
        ("0001:01:01 00:00:00", None),
        ("9999:12:31 00:00:00", None),
        ("0000:00:00 00:00:00", None),
        ("2024:13:01 00:00:00", None),
        ("    :  :     :  :  ", None),
    ],
)
def test_date_is_read_in_every_dialect(written: str, read: datetime | None) -> None:
    found = shot({0x9003: written}, {}, {})
    assert (found.taken if found else None) == read
