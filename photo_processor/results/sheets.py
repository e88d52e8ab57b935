"""Print sheets: the same photo as often as it fits, or many photos one after the other, with marks to cut along.

A PDF has exact millimetres; a PNG has them to half a pixel, 0.04 mm.
"""

import io
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from photo_processor import errors
from photo_processor.imaging.encode import png
from photo_processor.imaging.lettering import FONT, font
from photo_processor.imaging.metadata import resolution_of
from photo_processor.imaging.pictures import Pixels
from photo_processor.imaging.reduction import shrunk
from photo_processor.results.layout import GAP_MM, Cell, Layout, Size

DPI = 300
INCH_MM = 25.4
POINT_MM = INCH_MM / 72
MARK_MM = 1.5  # long
MARK_GAP_MM = 0.25  # from the photo's corner, so that a cut beside the line leaves no ink
MARK_WIDTH_MM = 0.1
MARK_GREY = 96
MAX_PX_PER_MM = 600 / INCH_MM  # of a photo in the PDF; printers show no more
JPEG_QUALITY = 95
UNMARKED_DPI = 300.0  # of a photo that does not say its own
MAX_PAGES = 1_000
SAME_SHAPE = 0.01
LINE_MM = 4.0  # below a photo, for its name
LETTERS_MM = 2.6


def print_size(path: Path) -> Size:
    """The size in mm at which the photo in `path` is meant to be printed: by its own resolution, else at 300 dpi."""
    with Image.open(path) as image:
        x, y = image.info.get("dpi") or resolution_of(image.getexif()) or (UNMARKED_DPI, UNMARKED_DPI)
        return Size(_mm(image.width, float(x)), _mm(image.height, float(y)))


def _mm(px: int, dpi: float) -> float:
    """To the tenth: 413 px at 300 dpi are 35.0 mm, not 34.97."""
    return round(px / (dpi if dpi > 1 else UNMARKED_DPI) * INCH_MM, 1)


def pages_of(photos: int, copies: int | None, layout: Layout) -> int:
    """How many sheets so many photos take."""
    return -(-photos * (layout.count if copies is None else copies) // layout.count)


def copies_of(paths: Sequence[Path], copies: int | None, layout: Layout) -> list[Path]:
    """Each path so often; with None each fills a sheet of its own. Raises errors.TooManyPages."""
    times = layout.count if copies is None else copies
    pages = pages_of(len(paths), copies, layout)
    if pages > MAX_PAGES:
        raise errors.TooManyPages(f"That would be {pages:,} sheets; at most {MAX_PAGES:,} are made at once.")
    return [path for path in paths for _ in range(times)]


def _nothing() -> None:
    """Nobody asks for an end."""


def pdf(
    paths: Iterable[Path],
    layout: Layout,
    target: Path,
    check: Callable[[], None] = _nothing,
    captions: Sequence[str] = (),
) -> int:
    """Write the sheets to `target`; returns how many. A photo that comes again is stored once.

    `captions` stand below the photos, one each.

    `check` is called before each photo, and may raise to end it.
    """
    from reportlab import rl_config  # type: ignore[import-untyped]
    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

    rl_config.useA85 = 0  # pictures as bytes: a fifth smaller than as text, and a tenth of the time

    canvas = Canvas(str(target), (layout.paper.width / POINT_MM, layout.paper.height / POINT_MM), pageCompression=1)
    canvas.setTitle("Print sheet")
    canvas.setCreator("photo-processor")
    pages, names, lines = 0, dict[Path, str](), iter(captions)
    if captions:
        _use_font(canvas)
    for sheet in _sheets(paths, layout):
        for path, cell in zip(sheet, layout.cells(), strict=False):
            _write(canvas, next(lines, ""), cell, layout)
            if path in names:
                canvas.drawImage(names[path], *_box(cell, layout))
                continue
            check()
            drawn = target.with_name(f"{secrets.token_hex(8)}.part")
            names[path] = str(drawn)
            try:
                drawn.write_bytes(_as_jpeg(path, layout.photo))
                canvas.drawImage(str(drawn), *_box(cell, layout))  # a file is known by its name, else by all its px
            finally:
                drawn.unlink(missing_ok=True)
        canvas.setLineWidth(MARK_WIDTH_MM / POINT_MM)
        canvas.setStrokeGray(MARK_GREY / 255)
        canvas.lines([tuple(at / POINT_MM for at in line) for line in _flipped(marks(layout), layout.paper.height)])
        canvas.showPage()
        pages += 1
    canvas.save()
    return pages


def _use_font(canvas: Any) -> None:
    """Have the canvas write in the font of labels. Each page begins without one."""
    from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
    from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]

    with resources.as_file(FONT) as path:
        pdfmetrics.registerFont(TTFont("names", str(path)))


def _write(canvas: Any, text: str, cell: Cell, layout: Layout) -> None:
    """One line below the photo in `cell`, as much of it as fits."""
    if not text:
        return
    canvas.setFont("names", LETTERS_MM / POINT_MM)
    while text and canvas.stringWidth(text, "names", LETTERS_MM / POINT_MM) * POINT_MM > layout.photo.width:
        text = text[:-1]
    bottom = layout.paper.height - cell.top - layout.photo.height - LETTERS_MM - 0.4
    canvas.drawCentredString((cell.left + layout.photo.width / 2) / POINT_MM, bottom / POINT_MM, text)


def sheet_png(
    paths: Iterable[Path],
    layout: Layout,
    page: int = 1,
    check: Callable[[], None] = _nothing,
    captions: Sequence[str] = (),
) -> bytes:
    """The sheet `page` as an RGB PNG of 300 dpi. `check` and `captions` are as `pdf` has them.

    Raises errors.PageNotFound.
    """
    photos = next(islice(_sheets(paths, layout), page - 1, None), None)
    if photos is None:
        raise errors.PageNotFound
    sheet = np.full((_px(layout.paper.height), _px(layout.paper.width), 3), 255, np.uint8)
    width, height = _px(layout.photo.width), _px(layout.photo.height)
    for path, cell in zip(photos, layout.cells(), strict=False):
        check()
        left, top = _px(cell.left), _px(cell.top)
        sheet[top : top + height, left : left + width] = _within(_opaque(path), width, height)
    if captions:
        _letter(sheet, captions[(page - 1) * layout.count :][: len(photos)], layout)
    for x1, y1, x2, y2 in marks(layout):
        cv2.line(sheet, (_px(x1), _px(y1)), (_px(x2), _px(y2)), (MARK_GREY,) * 3, 1)
    return png(sheet, (float(DPI), float(DPI)))


def _letter(sheet: Pixels, captions: Sequence[str], layout: Layout) -> None:
    """Write each photo's line below it, as much as fits."""
    letters = font(_px(LETTERS_MM))
    for caption, cell in zip(captions, layout.cells(), strict=False):
        text = caption
        while text and letters.getlength(text) > _px(layout.photo.width):
            text = text[:-1]
        high, wide = _px(LINE_MM), _px(layout.photo.width)
        line = Image.new("RGB", (wide, high), "white")
        ImageDraw.Draw(line).text((wide / 2, high / 2), text, "black", font=letters, anchor="mm")
        top, left = _px(cell.top + layout.photo.height) + 1, _px(cell.left)
        part = sheet[top : top + high, left : left + wide]
        part[:] = np.asarray(line)[: part.shape[0], : part.shape[1]]


def marks(layout: Layout) -> Iterator[tuple[float, float, float, float]]:
    """Lines that meet in the corners of the photos without touching them: x1, y1, x2, y2 in mm from the top left.

    Between two photos they are as long as the gap allows.
    """
    length = min(MARK_MM, GAP_MM - 2 * MARK_GAP_MM)
    for cell in layout.cells():
        for x, outward_x in ((cell.left, -1), (cell.left + layout.photo.width, 1)):
            for y, outward_y in ((cell.top, -1), (cell.top + layout.photo.height, 1)):
                near, far = MARK_GAP_MM, MARK_GAP_MM + length
                yield x + outward_x * near, y, x + outward_x * far, y
                yield x, y + outward_y * near, x, y + outward_y * far


def _flipped(lines: Iterable[tuple[float, float, float, float]], height: float) -> Iterator[tuple[float, ...]]:
    """The lines from the bottom left, where PDF counts from."""
    return ((x1, height - y1, x2, height - y2) for x1, y1, x2, y2 in lines)


def _sheets(paths: Iterable[Path], layout: Layout) -> Iterator[list[Path]]:
    rest = iter(paths)
    while sheet := list(islice(rest, layout.count)):
        yield sheet


def _box(cell: Cell, layout: Layout) -> tuple[float, float, float, float]:
    """Left, bottom, width and height in points."""
    bottom = layout.paper.height - cell.top - layout.photo.height
    return tuple(side / POINT_MM for side in (cell.left, bottom, layout.photo.width, layout.photo.height))  # type: ignore[return-value]


def _as_jpeg(path: Path, size: Size) -> bytes:
    """The photo before white, no larger than a printer can show."""
    pixels = _opaque(path)
    most = round(size.width * MAX_PX_PER_MM), round(size.height * MAX_PX_PER_MM)
    if pixels.shape[1] > most[0] or not _is_shaped(pixels, *most):
        pixels = _within(pixels, *most)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue()


def _opaque(path: Path) -> Pixels:
    """(H, W, 3) uint8 of a result before white."""
    with Image.open(path) as image:
        if image.has_transparency_data:
            whole = image.convert("RGBA")
            white = Image.new("RGBA", whole.size, "white")
            return np.asarray(Image.alpha_composite(white, whole).convert("RGB"))
        return np.asarray(image.convert("RGB"))


def _within(pixels: Pixels, width: int, height: int) -> Pixels:
    """`pixels` at `width` x `height`; on white where their shape is another."""
    if _is_shaped(pixels, width, height):
        return _resized(pixels, width, height)
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    part = _resized(pixels, max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    result = np.full((height, width, 3), 255, np.uint8)
    top, left = (height - part.shape[0]) // 2, (width - part.shape[1]) // 2
    result[top : top + part.shape[0], left : left + part.shape[1]] = part
    return result


def _is_shaped(pixels: Pixels, width: int, height: int) -> bool:
    """Whether the sides have the ratio of `width` to `height`, but for the rounding of px."""
    high, wide = pixels.shape[:2]
    return bool(abs(wide * height / (high * width) - 1) < SAME_SHAPE)


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    if width <= pixels.shape[1] and height <= pixels.shape[0]:
        return shrunk(pixels, width, height)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _px(mm: float) -> int:
    return round(mm / INCH_MM * DPI)
