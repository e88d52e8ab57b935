"""What of a photo's metadata may go on to its results.

Kept on demand: the EXIF tags that say what the photo shows, who made it, when, and how the camera was set. Never kept:
where it was taken, serial numbers and other marks of one device, the maker's notes (which repeat both), XMP, IPTC and
the embedded preview; and what no longer holds of a result: orientation, size, colour space.
"""

import re
import struct
from collections.abc import Mapping
from datetime import datetime

from PIL import Image, TiffImagePlugin

from photo_processor.schemas import Shot

IMAGE_TAGS = frozenset(
    {
        0x010E,  # ImageDescription
        0x010F,  # Make
        0x0110,  # Model
        0x0131,  # Software
        0x0132,  # DateTime
        0x013B,  # Artist
        0x4746,  # Rating
        0x8298,  # Copyright
        0x9C9B,  # XPTitle
        0x9C9C,  # XPComment
        0x9C9D,  # XPAuthor
        0x9C9E,  # XPKeywords
        0x9C9F,  # XPSubject
    }
)
CAMERA_IFD = 0x8769
CAMERA_TAGS = frozenset(range(0x829A, 0xA50B)) - {
    0x8769,  # of the first directory: the camera's
    0x8825,  # and the place's
    0x927C,  # MakerNote
    0xA001,  # ColorSpace
    0xA002,  # PixelXDimension
    0xA003,  # PixelYDimension
    0xA004,  # RelatedSoundFile
    0xA005,  # Interoperability
    0xA420,  # ImageUniqueID
    0xA430,  # CameraOwnerName
    0xA431,  # BodySerialNumber
    0xA435,  # LensSerialNumber
}
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
INCHES, CENTIMETRES = 2, 3  # as RESOLUTION_UNIT
CM_AN_INCH = 2.54
MOST_DPI = 65_535.0
TAKEN, DIGITISED, CHANGED = 0x9003, 0x9004, 0x0132  # DateTimeOriginal, DateTimeDigitized, DateTime
CAMERA_YEARS = range(1826, 2100)  # from the first photo on; other years are those of a clock that was never set
_DATE = re.compile(
    r"(\d{4})([-:/. ]?) ?(\d{1,2})\2 ?(\d{1,2})(?!\d)(?:[T ]+(\d{1,2})[:.-](\d{1,2})(?:[:.-](\d{1,2}))?)?"
)
PLACE_IFD = 0x8825
LONGEST_TEXT = 100  # characters
COLOUR_SPACE = 0xA001
SRGB = 1
ENTRY_BYTES = 12  # of a TIFF's directory
LONG = 4  # a TIFF's type
MOST_BYTES = 60_000  # a JPEG holds 65,533 in one segment


def kept_exif(exif: Image.Exif) -> bytes | None:
    """The part of `exif` that may be kept, as EXIF of its own; None where there is none. Raises what Pillow raises."""
    image = {tag: value for tag, value in exif.items() if tag in IMAGE_TAGS and _is_short(value)}
    ifd = exif.get_ifd(CAMERA_IFD)
    camera = {tag: value for tag, value in ifd.items() if tag in CAMERA_TAGS and _is_short(value)}
    if not image and not camera:
        return None
    kept = _of(image)
    kept.get_ifd(CAMERA_IFD).update({**camera, COLOUR_SPACE: SRGB})
    coded = kept.tobytes()
    return coded if len(coded) <= MOST_BYTES else None


def shot_of(exif: Image.Exif) -> Shot | None:
    """How the photo was taken, by its EXIF; None where that says nothing. Raises what Pillow raises."""
    camera, place = exif.get_ifd(CAMERA_IFD), exif.get_ifd(PLACE_IFD)
    if not (exif or camera or place):
        return None
    times = (_time(value) for value in (camera.get(TAKEN), camera.get(DIGITISED), exif.get(CHANGED)))
    latitude, longitude = _degrees(place, 1, 90), _degrees(place, 3, 180)
    height = _number(place.get(6), -20_000, 100_000)
    shot = Shot(
        make=_text(exif.get(0x010F)),
        model=_text(exif.get(0x0110)),
        lens=_text(camera.get(0xA434)),
        taken=next((time for time in times if time is not None), None),
        exposure_s=_number(camera.get(0x829A), 0, 100_000),
        f_number=_number(camera.get(0x829D), 0, 1_000),
        iso=_number(camera.get(0x8827), 0, 100_000_000),
        focal_length_mm=_number(camera.get(0x920A), 0, 100_000),
        latitude=latitude if longitude is not None else None,
        longitude=longitude if latitude is not None else None,
        altitude_m=-height if height is not None and place.get(5) in (1, b"\1") else height,
    )
    return shot if shot != Shot() else None


def _time(value: object) -> datetime | None:
    """When, as EXIF writes it or other programs do (`2024-05-01`, `2024/05/01 10:00`); None of years without cameras.

    Midnight where no time of day is given, or none that there is.
    """
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    found = _DATE.match(text.strip(" \0")) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day = (int(found[group]) for group in (1, 3, 4))
    try:
        date = datetime(year, month, day)  # by the camera's clock
        time = tuple(int(part or 0) for part in found.groups()[4:])
        return _with_time(date, time) if year in CAMERA_YEARS else None
    except ValueError:
        return None


def _with_time(date: datetime, time: tuple[int, ...]) -> datetime:
    try:
        return date.replace(hour=time[0], minute=time[1], second=time[2])
    except ValueError:
        return date


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(char for char in value[:LONGEST_TEXT] if char.isprintable()).strip() or None


def _number(value: object, least: float, most: float) -> float | None:
    """A number, or the first of several, within what is possible."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return round(number, 6) if least <= number <= most else None


def _degrees(place: Mapping[int, object], tag: int, most: float) -> float | None:
    """Latitude or longitude in degrees; south and west are negative."""
    parts = place.get(tag + 1)
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    numbers = [_number(part, 0, most) for part in parts]
    if None in numbers:
        return None
    degrees = sum((number or 0) / share for number, share in zip(numbers, (1, 60, 3600), strict=True))
    side = place.get(tag)
    sign = -1 if isinstance(side, str) and side[:1] in ("S", "W") else 1
    return round(sign * degrees, 6) if degrees <= most else None


def _is_short(value: object) -> bool:
    """Whether the value could be kept at all: Pillow writes a text of 40 MB in seconds, and several times."""
    return not isinstance(value, str | bytes | tuple) or len(value) <= MOST_BYTES


def image_tags(exif: bytes) -> Image.Exif:
    """Those of `exif` that a TIFF has in its first directory."""
    tags = _loaded(exif)
    return _of({tag: value for tag, value in tags.items() if tag in IMAGE_TAGS})


def with_resolution(exif: bytes | None, dpi: tuple[float, float]) -> bytes:
    """`exif`, or an empty one, that says how many px an inch has: WebP and AVIF have no other place for it."""
    tags = Image.Exif() if exif is None else _loaded(exif)
    tags[X_RESOLUTION], tags[Y_RESOLUTION], tags[RESOLUTION_UNIT] = dpi[0], dpi[1], INCHES
    return tags.tobytes()


def resolution_of(exif: Image.Exif) -> tuple[float, float] | None:
    """Px an inch, across and down; None where it does not say so, or nothing that can be."""
    unit = {INCHES: 1.0, CENTIMETRES: CM_AN_INCH}.get(exif.get(RESOLUTION_UNIT, INCHES))
    across, down = (_number(exif.get(tag), 1, MOST_DPI) for tag in (X_RESOLUTION, Y_RESOLUTION))
    return None if unit is None or across is None or down is None else (across * unit, down * unit)


def with_camera(tiff: bytes, exif: bytes) -> bytes:
    """`tiff` with the camera's part of `exif`, which libtiff does not write: its first directory, with one entry more,
    and the camera's stand at the end."""
    order = "<" if tiff[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, first)
    start, end = first + 2, first + 2 + ENTRY_BYTES * count
    entries = [tiff[at : at + ENTRY_BYTES] for at in range(start, end, ENTRY_BYTES)]
    at = len(tiff) + len(tiff) % 2
    camera_at = at + 2 + ENTRY_BYTES * (count + 1) + 4
    entries.append(struct.pack(order + "HHII", CAMERA_IFD, LONG, 1, camera_at))
    entries.sort(key=lambda entry: struct.unpack_from(order + "H", entry)[0])
    directory = struct.pack(order + "H", len(entries)) + b"".join(entries) + tiff[end : end + 4]
    camera = TiffImagePlugin.ImageFileDirectory_v2(tiff[:8], group=CAMERA_IFD)
    for tag, value in _loaded(exif).get_ifd(CAMERA_IFD).items():
        camera[tag] = value
    head = tiff[:4] + struct.pack(order + "I", at)
    return head + tiff[8:].ljust(at - 8, b"\0") + directory + camera.tobytes(camera_at)


def _loaded(exif: bytes) -> Image.Exif:
    loaded = Image.Exif()
    loaded.load(exif)
    return loaded


def _of(tags: dict[int, object]) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    return exif
