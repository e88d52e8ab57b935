"""Which of a TIFF's directories is the photo: not its thumbnail, nor a smaller copy, nor a mask."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, cast

from PIL import TiffImagePlugin

WIDTH, HEIGHT, KIND, OLD_KIND, INNER = 256, 257, 254, 255, 330
COMPRESSION, PHOTOMETRIC, DNG_VERSION = 259, 262, 50706
REDUCED, MASK = 1, 4  # bits of the kind
OLD_REDUCED = 2
SENSOR = frozenset({32803, 34892})  # photometric interpretations of what a camera's sensor gave
MAX_ENTRIES = 4_096
PLACES, LENGTHS = (273, 324), (279, 325)  # of strips, of tiles
MAX_PARTS = 65_536
MAX_PAGES = 65_536
LOOKED_AT = 16  # directories in which another than the first is looked for
THUMBNAIL_PX = 512  # longest side of a first picture without a word that may be the thumbnail of a later one
THUMBNAIL_SHARE = 4  # times that the later one is larger
SAME_SHAPE = 1.03
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 18: 8}
_FORMS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}


@dataclass(frozen=True)
class Page:
    """A directory: where it lies, and what its picture is.

    `inner` are the places of the directories below it, `end` is where its px end, if that was asked for.
    """

    offset: int
    width: int = 0
    height: int = 0
    is_reduced: bool = False
    is_mask: bool = False
    is_sensor: bool = False
    compression: int = 1
    inner: tuple[int, ...] = ()
    end: int = 0

    @property
    def is_photo(self) -> bool:
        return not (self.is_reduced or self.is_mask) and self.width > 0 and self.height > 0


class _Reader:
    """Reads directories, of either byte order and either kind of TIFF."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0)
        head = file.read(16)
        self._order = "<" if head[:2] == b"II" else ">"
        self.big = head[2:4] in (b"+\0", b"\0+")
        self._word, self._entry = ("Q", 20) if self.big else ("I", 12)
        (self.first,) = struct.unpack_from(self._order + self._word, head, 8 if self.big else 4)

    def page(self, offset: int, *, with_end: bool = False) -> tuple[Page, int]:
        """The directory there, and the place of the next one. Raises struct.error where there is none."""
        self._file.seek(offset)
        form, width = ("Q", 8) if self.big else ("H", 2)
        (count,) = struct.unpack(self._order + form, self._file.read(width))
        if count > MAX_ENTRIES:
            raise struct.error("more entries than a directory has")
        body = self._file.read(count * self._entry + (8 if self.big else 4))
        tags = dict(self._tag(body, at) for at in range(0, count * self._entry, self._entry))
        (following,) = struct.unpack_from(self._order + self._word, body, count * self._entry)
        kind, old = self._one(tags, KIND), self._one(tags, OLD_KIND)
        page = Page(
            offset,
            self._one(tags, WIDTH),
            self._one(tags, HEIGHT),
            is_reduced=bool(kind & REDUCED) or (KIND not in tags and old == OLD_REDUCED),
            is_mask=bool(kind & MASK),
            is_sensor=self._one(tags, PHOTOMETRIC) in SENSOR or DNG_VERSION in tags,
            compression=self._one(tags, COMPRESSION) or 1,
            inner=tuple(self._values(*tags[INNER])) if INNER in tags else (),
            end=self._end(tags) if with_end else 0,
        )
        return page, following

    def _tag(self, body: bytes, at: int) -> tuple[int, tuple[int, int, bytes]]:
        tag, kind, count = struct.unpack_from(f"{self._order}HH{self._word}", body, at)
        return tag, (kind, count, body[at + (12 if self.big else 8) : at + self._entry])

    def _one(self, tags: dict[int, tuple[int, int, bytes]], tag: int) -> int:
        return next(iter(self._values(*tags[tag])), 0) if tag in tags else 0

    def _end(self, tags: dict[int, tuple[int, int, bytes]]) -> int:
        """Where the last strip or tile ends."""
        places, lengths = (
            [value for tag in pair if tag in tags for value in self._values(*tags[tag], most=MAX_PARTS)]
            for pair in (PLACES, LENGTHS)
        )
        return max((place + length for place, length in zip(places, lengths, strict=False)), default=0)

    def _values(self, kind: int, count: int, field: bytes, most: int = LOOKED_AT) -> list[int]:
        """Whole numbers of an entry; the first `most` of them."""
        if kind not in _FORMS:
            return []
        count = min(count, most)
        size = _SIZES[kind] * count
        if size > len(field):
            (place,) = struct.unpack_from(self._order + self._word, field)
            self._file.seek(place)
            field = self._file.read(size)
        return list(struct.unpack_from(f"{self._order}{count}{_FORMS[kind]}", field))


def _chain(reader: _Reader) -> Iterator[Page]:
    """The directories that follow each other; up to the first that is damaged."""
    at, seen = reader.first, set[int]()
    while at and at not in seen and len(seen) < MAX_PAGES:
        seen.add(at)
        try:
            page, at = reader.page(at)
        except (struct.error, OverflowError, OSError):
            return
        yield page


def _inner(reader: _Reader, page: Page) -> list[Page]:
    found = []
    for at in page.inner[:LOOKED_AT]:
        try:
            found.append(reader.page(at)[0])
        except (struct.error, OverflowError, OSError):
            continue
    return found


def photo_pages(file: IO[bytes]) -> Iterator[Page]:
    """The pages that show something of their own, the photo first; none where no directory can be read."""
    try:
        reader = _Reader(file)
    except struct.error:
        return
    pages = _chain(reader)
    first = next(pages, None)
    if first is None:
        return
    larger = [page for page in _inner(reader, first) if page.is_photo and page.width >= 2 * first.width]
    if larger:
        yield max(larger, key=lambda page: page.width)
    elif first.is_photo and max(first.width, first.height) > THUMBNAIL_PX:
        yield first
    else:
        yield from _after_thumbnail(first, list(islice(pages, LOOKED_AT)), reader)
    yield from (page for page in pages if page.is_photo)


def _after_thumbnail(first: Page, near: list[Page], reader: _Reader) -> Iterator[Page]:
    """`first` and the pages `near` it, without the first where it is a thumbnail, or says so."""
    photos = [page for page in near if page.is_photo]
    below = [page for parent in near for page in _inner(reader, parent) if page.is_photo]
    if first.is_photo and not any(_is_thumbnail(first, page) for page in photos):
        yield first
        yield from photos
    elif photos:
        yield from photos
    else:
        yield max([*below, first, *near], key=lambda page: (page.is_photo, page.width * page.height))


def _is_thumbnail(small: Page, large: Page) -> bool:
    """Whether `small` looks like a thumbnail of `large`: much smaller, of the same shape."""
    share = large.width / small.width, large.height / small.height
    return min(share) >= THUMBNAIL_SHARE and max(share) <= SAME_SHAPE * min(share)


def ends_after(file: IO[bytes], size: int) -> bool:
    """Whether the px of one of a TIFF's pictures reach beyond its `size` in bytes."""
    try:
        reader = _Reader(file)
        near = list(islice(_chain(reader), LOOKED_AT // 2))
        places = {place for page in near for place in (page.offset, *page.inner)}
        return any(reader.page(place, with_end=True)[0].end > size for place in places)
    except (struct.error, OverflowError, OSError):
        return True


def is_raw(file: IO[bytes]) -> bool:
    """Whether a TIFF holds what a camera's sensor gave, rather than a picture."""
    file.seek(8)
    if file.read(2) == b"CR":
        return True
    try:
        reader = _Reader(file)
    except struct.error:
        return False
    near = list(islice(_chain(reader), LOOKED_AT // 2))
    return any(page.is_sensor for page in near) or any(
        inner.is_sensor for page in near for inner in _inner(reader, page)
    )


class _From:
    """A TIFF whose first directory is another one: the file as it is, with another number in its head."""

    def __init__(self, file: IO[bytes], offset: int) -> None:
        self._file = file
        file.seek(0)
        head = file.read(16)
        order, big = ("<" if head[:2] == b"II" else ">"), head[2:4] in (b"+\0", b"\0+")
        start, form = (8, "Q") if big else (4, "I")
        self._head = head[:start] + struct.pack(order + form, offset)
        self.fileno, self.tell, self.seek, self.flush = file.fileno, file.tell, file.seek, file.flush
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        at = self._file.tell()
        data = self._file.read(size)
        head = self._head[at : at + len(data)]
        return head + data[len(head) :]


def open_page(file: IO[bytes], page: Page) -> TiffImagePlugin.TiffImageFile:
    """The picture of a page. Raises what Pillow raises."""
    return TiffImagePlugin.TiffImageFile(cast(IO[bytes], _From(file, page.offset)))
