"""SVG in: checked for what reaches outside or runs, then drawn by resvg in a process of its own that can be killed."""

import io
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.parsers import expat

from PIL import Image, ImageFile

from photo_processor import errors
from photo_processor.imaging.lettering import FONT

MAX_BYTES = 5_000_000
MAX_ELEMENTS = 50_000
MAX_DEPTH = 100
MAX_TEXT = 1_000_000  # characters of one attribute: an embedded picture
LEAST_PX = 1024  # of the longest side: a drawing has no px of its own
GROWN_PX = (2048, 4096)  # of the longest side of one that is wanted larger: few sizes, which are drawn once each
MOST_SHARE = 1000  # of one side by the other
SECONDS = 20.0  # that drawing may take
MEMORY = 1_500_000_000  # bytes that it may take
SVG_SPACE = "http://www.w3.org/2000/svg"
RENDERER = Path(__file__).with_name("drawing_process.py")

_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_LENGTH = re.compile(r"\s*\+?([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,3})?)\s*([a-z]*)\s*")
_RUNNING = frozenset(
    ("script", "foreignobject", "iframe", "embed", "object", "video", "audio", "canvas", "handler", "listener", "link")
)
_EMBEDDED = re.compile(r"\s*data:image/(?:png|jpe?g|gif|webp)[;,]", re.IGNORECASE)
_URL = re.compile(r"url\s*\(\s*['\"]?\s*(.?)", re.IGNORECASE)
_CSS_REACH = re.compile(r"@import|expression\s*\(|javascript:|\\", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing that may be drawn, at so many px."""

    data: bytes
    width: int
    height: int


def read_drawing(file: IO[bytes]) -> Drawing:
    """The drawing in `file`, checked. Raises BrokenImage, UnsafeDrawing, FileTooLarge."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise errors.FileTooLarge(f"A drawing may have at most {MAX_BYTES // 1_000_000} MB.")
    check = _Check()
    try:
        check.parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as problem:
        raise errors.BrokenImage("The drawing is not well-formed XML.") from problem
    return Drawing(data, *_size(check.root))


class _Check:
    """Walks the XML once, without a tree; refuses what runs, what reaches outside, and what grows."""

    def __init__(self) -> None:
        self.root: dict[str, str] = {}
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._entity
        self.parser.ProcessingInstructionHandler = self._instruction
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._depth = self._elements = 0
        self._style: list[str] = []
        self._in_style = False

    def _doctype(self, _name: str, _system: str | None, _public: str | None, internal: bool) -> None:
        if internal:
            raise errors.UnsafeDrawing("The drawing declares entities or types of its own.")

    def _entity(self, *_: object) -> None:
        raise errors.UnsafeDrawing("The drawing declares entities.")

    def _instruction(self, _target: str, _data: str) -> None:
        raise errors.UnsafeDrawing("The drawing has an instruction for other programs.")

    def _start(self, full: str, attributes: dict[str, str]) -> None:
        space, _, name = full.rpartition(" ")
        self._depth += 1
        self._elements += 1
        if self._elements == 1:
            if name != "svg" or space != SVG_SPACE:
                raise errors.UnsupportedFormat("This is XML, but no SVG.")
            self.root = attributes
        if self._elements > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise errors.UnsafeDrawing("The drawing has more parts than are drawn here.")
        if name.lower() in _RUNNING or "xhtml" in space:
            raise errors.UnsafeDrawing(f"The drawing holds <{name[:20]}>, which is not drawn here.")
        self._in_style = name.lower() == "style"
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2].lower(), value)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._in_style:
            _check_css("".join(self._style))
            self._style, self._in_style = [], False

    def _text(self, text: str) -> None:
        if self._in_style:
            self._style.append(text)


def _check_attribute(name: str, value: str) -> None:
    if name.startswith("on"):
        raise errors.UnsafeDrawing("The drawing holds a script.")
    if len(value) > MAX_TEXT and not _EMBEDDED.match(value):
        raise errors.UnsafeDrawing("The drawing has more parts than are drawn here.")
    if name in ("href", "src", "base") and not value.lstrip().startswith("#") and not _EMBEDDED.match(value):
        raise errors.UnsafeDrawing("The drawing refers to something outside of it.")
    if name == "style" or "(" in value:
        _check_css(value)


def _check_css(text: str) -> None:
    if _CSS_REACH.search(text) or any(found[1] != "#" for found in _URL.finditer(text)):
        raise errors.UnsafeDrawing("The drawing's styles refer to something outside of it.")


def _size(root: dict[str, str]) -> tuple[int, int]:
    """Width and height in px: as the drawing says, at least 1024 of its longest side. Raises BrokenImage."""
    width, height = _length(root.get("width")), _length(root.get("height"))
    box = [_length(part) for part in re.split(r"[\s,]+", root.get("viewBox", "").strip())][2:]
    if len(box) == 2 and box[0] and box[1]:
        width, height = width or (height or box[1]) * box[0] / box[1], height or (width or box[0]) * box[1] / box[0]
    if not width or not height or max(width / height, height / width) > MOST_SHARE:
        raise errors.BrokenImage("The drawing does not say how large it is.")
    factor = max(1.0, LEAST_PX / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _length(text: str | None) -> float | None:
    """A length in px; None of one that is left open, relative, or nothing."""
    found = _LENGTH.fullmatch(text or "")
    if found is None or found[2] not in _UNITS:
        return None
    return float(found[1]) * _UNITS[found[2]] or None


def grown(drawing: Drawing, width: int, height: int, most: float) -> Drawing:
    """The drawing, at no less than so many px as far as `GROWN_PX` goes and it has `most` px; it never gets smaller."""
    longest = max(drawing.width, drawing.height)
    wanted = longest * max(width / drawing.width, height / drawing.height)
    best = drawing
    for px in GROWN_PX:
        if max(best.width, best.height) >= wanted or px <= longest:
            continue
        sides = (max(1, round(side * px / longest)) for side in (drawing.width, drawing.height))
        larger = Drawing(drawing.data, *sides)
        best = larger if larger.width * larger.height <= most else best
    return best


def drawn(drawing: Drawing) -> Image.Image:
    """The drawing as RGBA. Raises BrokenImage where it cannot be drawn within time and memory."""
    command = [sys.executable, "-I", str(RENDERER), str(drawing.width), str(drawing.height), str(FONT), str(MEMORY)]
    try:
        done = subprocess.run(command, input=drawing.data, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as problem:
        raise errors.BrokenImage(f"The drawing is not drawn within {SECONDS:.0f} s.") from problem
    if done.returncode != 0:
        raise errors.BrokenImage("The drawing cannot be drawn.")
    image = Image.open(io.BytesIO(done.stdout), formats=("PNG",))
    if image.size != (drawing.width, drawing.height):
        raise errors.BrokenImage("The drawing cannot be drawn.")
    return image.convert("RGBA")


class SvgImageFile(ImageFile.StubImageFile):
    """A drawing as Pillow's decoders give photos: its size at once, its px when they are asked for."""

    format = "SVG"
    format_description = "Scalable Vector Graphics"

    def _open(self) -> None:
        assert self.fp is not None
        self._drawing = read_drawing(self.fp)
        self._mode = "RGBA"
        self._size = (self._drawing.width, self._drawing.height)

    def grow(self, width: int, height: int, most: float) -> None:
        """Have it drawn larger; see `grown`."""
        self._drawing = grown(self._drawing, width, height, most)
        self._size = (self._drawing.width, self._drawing.height)

    def load(self) -> object:  # type: ignore[override]  # a type that Pillow does not export
        """Draw it."""
        if self._im is None:
            image = drawn(self._drawing)
            image.load()
            self.im = image.im
        return Image.Image.load(self)
