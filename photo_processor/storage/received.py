"""What has come in and lies on the disk, before anything is known of it."""

from dataclasses import dataclass
from pathlib import Path

from photo_processor import errors


@dataclass(slots=True)
class Received:
    """A file on disk, not yet looked into: `size` in bytes, `head` its first bytes, `error` when it was refused."""

    name: str
    path: Path
    size: int = 0
    head: bytes = b""
    sha256: str = ""
    error: errors.PhotoError | None = None
