"""Mattes kept on the disk, and cutouts made of them: a photo seen before needs no inference, and its edges are done."""

import logging
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from blake3 import blake3
from pydantic import ValidationError

from photo_processor.imaging.encode import png
from photo_processor.models.inference.cutouts import BrokenCutout, packed, unpacked
from photo_processor.models.inference.types import Cutout, Matte, Pixels
from photo_processor.schemas import Engine
from photo_processor.settings import Settings

log = logging.getLogger(__name__)

SUFFIX = ".matte"
CUTOUT_SUFFIX = ".cutout"
STALE_S = 3600.0  # seconds after which a file that is only half written was left by a crash
FULL_SHARE = 0.9  # of the limit: what is kept when the cache overflows
UNCOUNTED_SHARE = 0.05  # of the limit: what may be added before the folder is looked through again


def matte_key(pixels: Pixels, model: str) -> str:
    """What a matte is kept under: the digest of (H, W, 3) uint8 `pixels`, their shape, and what makes of them.

    BLAKE3 takes 8 ms of 12 MP, SHA-256 22; one with known collisions could give a photo the cutout of another.
    """
    digest = blake3(f"{pixels.shape} {model}\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return str(digest.hexdigest())


class MatteCache:
    """A folder of mattes of at most `limit_bytes` together; the least recently used go first. Thread-safe.

    Several processes may share the folder. A cache that cannot write is a cache that forgets, not an error.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._room: int | None = None
        self.hits = 0
        self.misses = 0

    def cutouts(self, key: str) -> "KeptCutouts":
        """The cutouts made of the matte under `key`."""
        return KeptCutouts(self, key)

    def get(self, key: str) -> Matte | None:
        """The matte kept under `key`, or None."""
        content = self.read(f"{key}{SUFFIX}")
        matte = _matte(content) if content is not None else None
        with self._lock:
            self.hits += matte is not None
            self.misses += matte is None
        return matte

    def put(self, key: str, matte: Matte) -> None:
        """Keep `matte` under `key`."""
        self.write(f"{key}{SUFFIX}", matte.engine.model_dump_json().encode() + b"\n" + png(matte.answer))

    def read(self, name: str) -> bytes | None:
        """The content of a file, which has been used now; None where there is none."""
        path = self._folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            log.warning("%s cannot be read: %s", name, problem)
            return None
        with suppress(OSError):
            os.utime(path)
        return content

    def write(self, name: str, content: bytes) -> None:
        """Keep the file `name`, and room for others."""
        try:
            self._write(self._folder / name, content)
            self._make_room(len(content))
        except OSError as problem:
            log.warning("a matte could not be kept: %s", problem)

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _make_room(self, added: int) -> None:
        with self._lock:
            if self._room is not None and added <= self._room:
                self._room -= added
                return
            total = self._evict()
            self._room = int(min(self._limit - total, self._limit * UNCOUNTED_SHARE))

    def _evict(self) -> int:
        """Delete the oldest where the limit is passed; returns the bytes that are left."""
        entries = sorted(self._entries())
        total = sum(size for _, size, _ in entries)
        if total <= self._limit:
            return total
        for _, size, path in entries:
            if total <= self._limit * FULL_SHARE:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Time of last use, bytes and path of each matte; what a crash left half written is deleted."""
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process may evict too
                status = path.stat()
                if path.suffix in (SUFFIX, CUTOUT_SUFFIX):
                    yield status.st_mtime, status.st_size, path
                elif _is_stale(status.st_mtime, self._folder):
                    path.unlink()


def _is_stale(moment: float, folder: Path) -> bool:
    """Whether `moment` is long ago, by the clock of the folder's file system."""
    return folder.stat().st_mtime - moment > STALE_S


class KeptCutouts:
    """The cutouts made of one matte, kept beside it in `cache`."""

    def __init__(self, cache: MatteCache, key: str) -> None:
        self._cache = cache
        self._key = key

    def get(self, way: str, pixels: Pixels) -> Cutout | None:
        """The cutout of the photo's `pixels` made in this way; None where none was kept, or none that can be read."""
        content = self._cache.read(self._name(way))
        try:
            return None if content is None else unpacked(content, pixels)
        except BrokenCutout:
            log.warning("the cutout %s cannot be read", self._name(way))
            return None

    def put(self, way: str, pixels: Pixels, cutout: Cutout) -> None:
        """Keep it, unless so much of it is soft that it is hardly smaller than the photo."""
        content = packed(cutout, pixels)
        if content is not None:
            self._cache.write(self._name(way), content)

    def _name(self, way: str) -> str:
        return f"{self._key}.{way}{CUTOUT_SUFFIX}"


def _matte(content: bytes) -> Matte | None:
    """The matte in a file's content; None where it cannot be read."""
    head, _, body = content.partition(b"\n")
    try:
        engine = Engine.model_validate_json(head)
        alpha = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_GRAYSCALE) if body else None
    except (ValidationError, cv2.error) as problem:
        log.warning("a matte cannot be read: %s", problem)
        return None
    return None if alpha is None else Matte(np.asarray(alpha, np.uint8), engine)


def kept_mattes(settings: Settings) -> MatteCache | None:
    """The cache that the settings ask for; None where they ask for none."""
    return MatteCache(settings.mattes_path, settings.matte_cache_bytes) if settings.matte_cache_bytes else None
