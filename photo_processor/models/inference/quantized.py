"""Optimised networks beside the models: where they lie, what they were made of, and whether that still holds."""

import importlib.util
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from photo_processor.models.weights.folders import Found, digest_of
from photo_processor.models.weights.rows import ModelRow
from photo_processor.schemas import Frozen

log = logging.getLogger(__name__)

PACKAGES = ("nncf", "skimage", "openvino")
Outcome = Literal["ready", "rejected", "failed"]


class Record(Frozen):
    """What became of an optimisation, kept as JSON beside the network.

    `source` is the original's digest; `source_bytes` and `source_mtime_ns` spare reading it again. `gain` says how many
    times as fast it is, `seconds` against `source_seconds` for one inference; `iou` is the mean agreement of the
    binarised masks on `compared` crops that were not calibrated on, `least_iou` the worst.
    """

    outcome: Outcome
    source: str
    source_bytes: int
    source_mtime_ns: int
    openvino: str = ""
    nncf: str = ""
    samples: int = 0
    compared: int = 0
    gain: float | None = None
    seconds: float | None = None
    source_seconds: float | None = None
    iou: float | None = None
    least_iou: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Files:
    """The files of one optimised network."""

    graph: Path
    weights: Path
    record: Path

    @classmethod
    def at(cls, folder: Path, name: str) -> "Files":
        return cls(*(folder / f"{name}.int8{suffix}" for suffix in (".xml", ".bin", ".json")))

    def write(self, record: Record) -> None:
        """Put the record in place whole."""
        part = self.record.with_suffix(".part")
        part.write_text(record.model_dump_json(indent=1), encoding="utf-8")
        part.replace(self.record)

    def remove(self) -> None:
        """The record first: without it the others count for nothing."""
        for path in (self.record, self.graph, self.weights):
            path.unlink(missing_ok=True)


class OptimisedFolder:
    """The optimised networks in a folder. Thread-safe; several processes may look at it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[tuple[Path, int, int], str] = {}
        self._records: dict[Path, tuple[int, Record | None]] = {}
        self._lock = threading.Lock()

    def files(self, row: ModelRow) -> Files:
        return Files.at(self._folder, row.name)

    def network(self, row: ModelRow, original: Found) -> Path | None:
        """The optimised form of `original`; None where there is none that was kept."""
        record = self.record(row, original)
        graph = self.files(row).graph
        return graph if record is not None and record.outcome == "ready" and graph.exists() else None

    def record(self, row: ModelRow, original: Found) -> Record | None:
        """What became of optimising `original`. What was made of another file is deleted."""
        files = self.files(row)
        record = self._read(files.record)
        if record is None or self._is_of(record, original):
            return record
        log.info("%s has changed; its optimised form is thrown away", original.path.name)
        files.remove()
        return None

    def _is_of(self, record: Record, original: Found) -> bool:
        status = original.path.stat()
        if (record.source_bytes, record.source_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return True
        key = (original.path, status.st_size, status.st_mtime_ns)
        with self._lock:
            if key not in self._digests:
                self._digests[key] = digest_of(original.path, "sha256")
            return self._digests[key] == record.source

    def _read(self, path: Path) -> Record | None:
        """The record in a file, read again when it has changed."""
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        with self._lock:
            known = self._records.get(path)
            if known is None or known[0] != changed:
                known = (changed, _parsed(path))
                self._records[path] = known
            return known[1]


def _parsed(path: Path) -> Record | None:
    try:
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        log.warning("%s cannot be read: %s", path.name, problem)
        return None


def is_installed() -> bool:
    """Whether the extra `optimize` is."""
    return all(importlib.util.find_spec(name) is not None for name in PACKAGES)
