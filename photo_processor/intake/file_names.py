"""Names of files as they came: read from headers, made relative, and no longer than any system keeps them."""

import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from pathlib import PurePosixPath
from urllib.parse import unquote_to_bytes

from photo_processor.intake.code_pages import decoded

MAX_BYTES = 255  # of UTF-8 in a file or folder name; what Linux takes, and Windows and macOS take more
MAX_PARTS = 20
SUFFIX_BYTES = 11  # kept of a long name's suffix, with its dot

_DRIVE = re.compile(r"^(?:[A-Za-z]:\s*)+")
_ENCODED_WORD = re.compile(r"=\?[\w.:-]+(?:\*[\w-]*)?\?[bBqQ]\?[^?]*\?=")
_PARAMETER = re.compile(rb""";\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)""")
_EXTENDED = re.compile(rb"([\w.:-]*)'[^']*'(.*)", re.DOTALL)
# Of the invisible characters those that a script or an emoji needs, and the signs that are seen in spite of their kind.
_KEPT = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f") | {
    chr(code) for code in range(0xE0020, 0xE0080)
}
_DROPPED_KINDS = frozenset({"Cc", "Cs", "Cf", "Zl", "Zp"})


def clean_name(name: str) -> str:
    """A file's name with its folders: relative, `/` between them, no control characters, no part of over 255 bytes.

    Blanks of every kind, joiners and characters that this Unicode table does not know yet stay as they are.
    """
    visible = "".join(char for char in name.replace("\\", "/") if is_kept(char))
    parts = [shortened(_DRIVE.sub("", part.strip()).strip()).strip() for part in visible.split("/")]
    kept = [part for part in parts if part not in ("", ".", "..")]
    return "/".join(kept[-MAX_PARTS:]) or "unnamed"


def is_kept(char: str) -> bool:
    """Whether the character may stand in a name: no control character, nor one that turns the text around."""
    if char.isprintable() or char in _KEPT:
        return True
    return unicodedata.category(char) not in _DROPPED_KINDS and not _is_no_character(char)


def _is_no_character(char: str) -> bool:
    return ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF


def shortened(part: str, tail: str = "") -> str:
    """`part` and `tail` in at most 255 bytes of UTF-8: of a longer one the end is cut, or the stem's."""
    if len((part + tail).encode()) <= MAX_BYTES:
        return part + tail
    stem, dot, suffix = part.rpartition(".")
    if tail or not stem:
        return cut(part, MAX_BYTES - len(tail.encode())) + tail
    return cut(stem, MAX_BYTES - SUFFIX_BYTES) + cut(dot + suffix, SUFFIX_BYTES)


def cut(text: str, most: int) -> str:
    """The beginning of `text` that takes at most so many bytes of UTF-8, no character taken apart."""
    coded = text.encode()
    if len(coded) <= most:
        return text
    kept = coded[: max(0, most)].decode("utf-8", "ignore")
    if unicodedata.combining(text[len(kept)]) or text[len(kept)] in "\u200d\ufe0f":
        kept = kept[:-1]
    return kept.rstrip("\u200d .") or kept


def name_of_header(plain: bytes | None, header: bytes) -> str:
    """The file's name in a Content-Disposition: `filename*` (RFC 5987), else `filename`, whose value is `plain`.

    `filename` may be UTF-8, in a code page, or made of encoded words (RFC 2047), as .NET and mail programs write it.
    """
    values = {name.lower(): value.strip(b' "') for name, value in _PARAMETER.findall(header)}
    found = _EXTENDED.fullmatch(values.get(b"filename*", b""))
    if found is not None:
        coded = unquote_to_bytes(found[2].strip())
        try:
            return coded.decode(found[1].decode("ascii") or "utf-8")
        except (LookupError, UnicodeDecodeError):
            return decoded(coded)
    return of_encoded_words(decoded(plain or b""))


def of_encoded_words(text: str) -> str:
    """`text` with its encoded words (RFC 2047) read, if it is made of them."""
    if not _ENCODED_WORD.search(text):
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeDecodeError, ValueError):
        return text


def renamed(wanted: str | None, name: str) -> str:
    """`wanted` as the photo's new name: in its folder and with its ending, where it says none of its own."""
    if wanted is None or not wanted.strip():
        return name
    path, new = PurePosixPath(name), PurePosixPath(clean_name(wanted))
    if new.suffix.lower() != path.suffix.lower():
        new = new.with_name(shortened(new.name, path.suffix))
    return str(new if len(new.parts) > 1 else path.with_name(new.name))
