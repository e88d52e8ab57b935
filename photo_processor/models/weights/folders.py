"""Where models lie on this machine, in this server's folder and in those that rembg has used."""

import hashlib
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from photo_processor.models.weights.rows import CUSTOM, ModelRow
from photo_processor.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """A model's file, where it lies, and whether its digest is one of the registry's; None before it was looked at."""

    path: Path
    source: str
    bytes: int
    known: bool | None


class ModelFolders:
    """Finds models. Thread-safe. A file's digest is worked out once for each path, size and time of change."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._custom = settings.custom_model
        self._own = settings.models_path
        self._folders = (("model folder", self._own), *_rembg_folders(environ))
        self._known: dict[tuple[Path, int, int], bool] = {}
        self._lock = threading.Lock()

    def target(self, row: ModelRow) -> Path:
        """Where a download of `row` goes."""
        return self._own / row.file

    def find(self, row: ModelRow) -> Found | None:
        """The file of `row`, without reading it."""
        for source, path in self._places(row):
            try:
                status = path.stat()
            except OSError:
                continue
            if status.st_size:
                key = (path, status.st_size, status.st_mtime_ns)
                return Found(path, source, status.st_size, self._known.get(key))
        return None

    def verify(self, row: ModelRow) -> Found | None:
        """As `find`, with the digest known. Reads the whole file the first time: not for the event loop.

        A digest that is not in the registry is no error: people bring their own fine-tuned or quantised copies.
        """
        found = self.find(row)
        if found is None or found.known is not None:
            return found
        known = any(digest_of(found.path, expected.partition(":")[0]) == expected for expected in row.digests)
        if not known and row.digests:
            log.warning("%s has a digest that is not in the registry; it is used all the same", found.path)
        with self._lock:
            self._known[(found.path, found.bytes, found.path.stat().st_mtime_ns)] = known
        return Found(found.path, found.source, found.bytes, known)

    def _places(self, row: ModelRow) -> list[tuple[str, Path]]:
        if row.name == CUSTOM:
            return [("PHOTO_CUSTOM_MODEL", self._custom)] if self._custom else []
        return [
            (source, path)
            for source, folder in self._folders
            for path in (folder / row.file, folder / "models" / row.name / row.file)
        ]


def _rembg_folders(environ: Mapping[str, str]) -> tuple[tuple[str, Path], ...]:
    """The roots that rembg looks in, its old flat one and its present one; each may hold either layout."""
    home = environ.get("U2NET_HOME")
    if home:
        return (("U2NET_HOME", Path(home).expanduser()),)
    data = environ.get("XDG_DATA_HOME")
    flat = Path(data) / ".u2net" if data else Path("~/.u2net")
    present = environ.get("REMBG_HOME") or (Path(data) / "rembg" if data else "~/.rembg")
    return (("rembg's folder", Path(present).expanduser()), ("rembg's old folder", flat.expanduser()))


def digest_of(path: Path, algorithm: str) -> str:
    """`algorithm:hex` of the file's bytes."""
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
