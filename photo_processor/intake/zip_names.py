"""The names of a ZIP's entries, whatever program wrote them.

The format knows two encodings: UTF-8 where a flag says so, else code page 437. Without the flag, Windows writes the
code page of its language, Finder and Linux write UTF-8.
"""

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence

from photo_processor.intake.code_pages import likeliest

UTF8_FLAG = 0x800
UNICODE_PATH = 0x7075  # Info-ZIP's extra field: the name in UTF-8, with the checksum of the one that it stands for
_EXOTIC = range(0x0800, 0x0E00)  # scripts that a code page's letters look like where they happen to be valid UTF-8


def raw_name(info: zipfile.ZipInfo) -> bytes:
    """The name as it is stored."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & UTF8_FLAG else "cp437")


def names_of(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The name of each entry: as its flag or extra field says, else UTF-8, else in the code page that suits all names.

    Accents that stand apart from their letters, as macOS writes them, are put together.
    """
    known = [_labelled(info) for info in infos]
    raw = [b"" if name is not None else raw_name(info) for info, name in zip(infos, known, strict=True)]
    plain = [_utf8(text) for text in raw]
    page = likeliest([text for text, name in zip(raw, plain, strict=True) if name is None]) or "cp437"
    return [
        _composed(name if name is not None else _read(text, guess, page) if text else "").partition("\0")[0]
        for name, text, guess in zip(known, raw, plain, strict=True)
    ]


def _labelled(info: zipfile.ZipInfo) -> str | None:
    """The name where the entry says what it is written in."""
    if info.flag_bits & UTF8_FLAG:
        return info.orig_filename
    raw, extra, at = raw_name(info), info.extra, 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        data = extra[at + 4 : at + 4 + length]
        if kind == UNICODE_PATH and data[:1] == b"\1" and data[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
            return _utf8(data[5:])
        at += 4 + length
    return None


def _read(text: bytes, guess: str | None, page: str) -> str:
    """A name without label: `guess` where it is valid UTF-8, which Cyrillic in a code page is by chance at times."""
    by_chance = guess is not None and page == "cp866" and any(ord(char) in _EXOTIC for char in guess)
    return text.decode(page, "replace") if guess is None or by_chance else guess


def _utf8(text: bytes) -> str | None:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name) if any(map(unicodedata.combining, name)) else name
