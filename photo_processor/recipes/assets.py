"""Pictures that recipes name: backgrounds and marks, uploaded once, kept under the SHA-256 of their bytes."""

import os
import re
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from photo_processor import errors
from photo_processor.imaging.decode import decode, drawn_size, probe, sniff
from photo_processor.imaging.pictures import Picture
from photo_processor.schemas import Asset
from photo_processor.storage.local import translated
from photo_processor.storage.received import Received

DECODED = 2  # pictures kept decoded: the photos of a job share them
DAY = 86_400.0  # seconds
NAME = re.compile(r"[0-9a-f]{64}\Z")


def measured(path: Path, max_megapixels: float) -> tuple[int, int]:
    """Width and height of a picture that can be decoded: a broken one shall not fail every photo.

    Raises what reading a photo raises.
    """
    size = probe(path, max_megapixels)
    decode(path, max_megapixels, lambda _code, _message: None)
    return size


class Assets:
    """A folder of pictures. Thread-safe; several processes may share the folder.

    A picture is as old as its last use: `stale` names those that no recipe used for so many days. `svg`: drawings are
    taken as well.
    """

    def __init__(self, folder: Path, max_megapixels: float, *, svg: bool = False) -> None:
        self._folder = folder
        self._limit = max_megapixels
        self._svg = svg
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}  # in seconds of `time.monotonic`, whatever becomes of the clock
        self._decoded: OrderedDict[tuple[str, tuple[int, int]], Picture] = OrderedDict()

    def check(self, received: Received) -> str:
        """The media type of an uploaded file, by its first bytes. Raises EmptyFile, UnsupportedFormat."""
        if received.error is not None:
            raise received.error
        if received.size == 0:
            raise errors.EmptyFile
        media_type = sniff(received.head, svg=self._svg)
        if media_type is None:
            raise errors.UnsupportedFormat
        return media_type

    def keep(self, received: Received, size: tuple[int, int] | None = None) -> Asset:
        """Take an uploaded file; `size` is what `measured` said of it, where that was asked already.

        Raises what `check` and `measured` raise, StorageFull and StorageUnavailable.
        """
        media_type = self.check(received)
        width, height = size or measured(received.path, self._limit)
        with translated():
            self._folder.mkdir(parents=True, exist_ok=True)
            received.path.replace(self._folder / received.sha256)
        self._used[received.sha256] = time.monotonic()
        return Asset(id=received.sha256, width=width, height=height, bytes=received.size, media_type=media_type)

    def use(self, names: frozenset[str]) -> None:
        """Count the pictures as used now. Raises AssetNotFound."""
        for name in sorted(names):
            try:
                with self._lock:
                    os.utime(self._folder / name)
                    self._used[name] = time.monotonic()
            except FileNotFoundError as problem:
                raise errors.AssetNotFound(f"There is no picture 'asset:{name}' on this server.") from problem

    def load(self, name: str, least: tuple[int, int] = (0, 0)) -> Picture:
        """The picture, decoded; a drawing is drawn with `least` px, width and height, or as large as one is drawn.

        Raises AssetNotFound, and what reading a photo raises.
        """
        self.use(frozenset({name}))
        path = self._folder / name
        with self._lock:
            key = name, drawn_size(path, self._limit, least)
            picture = self._decoded.pop(key, None)
            if picture is None:
                picture = decode(path, self._limit, lambda _code, _message: None, least)
            self._decoded[key] = picture
            while len(self._decoded) > DECODED:
                self._decoded.popitem(last=False)
        return picture

    def stale(self, days: float) -> list[tuple[str, int]]:
        """Names and bytes of the pictures that were not used for so many days."""
        with translated():
            if not self._folder.is_dir():
                return []
            states = [(path.name, path.stat()) for path in sorted(self._folder.iterdir()) if NAME.match(path.name)]
        return [(name, state.st_size) for name, state in states if self._is_stale(name, state.st_mtime, days)]

    def delete_stale(self, name: str, days: float) -> bool:
        """Delete a picture, unless it was used again; whether it went."""
        path = self._folder / name
        with translated(), self._lock, suppress(FileNotFoundError):
            if self._is_stale(name, path.stat().st_mtime, days):
                path.unlink()
                self._used.pop(name, None)
                return True
        return False

    def _is_stale(self, name: str, modified: float, days: float) -> bool:
        used = self._used.get(name)
        unused = time.time() - modified if used is None else time.monotonic() - used
        return unused > days * DAY
