"""ZIPs in: the directory is checked before anything is unpacked; entries are unpacked one by one, under limits."""

import hashlib
import stat
import struct
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import errors
from image_io import sniff
from settings import Settings

CHUNK = 1 << 20  # bytes
HEAD = 64  # bytes that tell a format
LOCAL_HEADER = 30  # bytes, without name and extra field
JUNK_FOLDERS = frozenset({"__MACOSX", ".git", ".Trashes", ".Spotlight-V100"})
JUNK_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
MAX_NAME = 255  # characters of a file or folder name
OPEN_ARCHIVES = 4  # directories kept in memory


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo in a ZIP: `index` in its directory, `name` with folders, unpacked `size` in bytes; or why not."""

    index: int
    name: str
    size: int
    media_type: str | None
    error: errors.PhotoError | None = None


def list_entries(path: Path, settings: Settings) -> tuple[Entry, ...]:
    """The photos of a ZIP in the order of its directory.

    Folders and the droppings of file managers are passed over; an entry that cannot be taken carries its error.

    Raises:
        errors.InvalidArchive or a subclass: the ZIP as a whole cannot be taken.
    """
    with _opened(path) as archive:
        infos = archive.infolist()
        _check_whole(infos, path.stat().st_size, settings)
        photos = [(index, info) for index, info in enumerate(infos) if not info.is_dir() and not _is_junk(info)]
        if not photos:
            raise errors.EmptyArchive()
        return tuple(_entry(archive, index, info, settings) for index, info in photos)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, struct.error, EOFError, ValueError, NotImplementedError) as error:
        raise errors.InvalidArchive() from error


def _check_whole(infos: list[zipfile.ZipInfo], packed: int, settings: Settings) -> None:
    if len(infos) > settings.max_zip_entries:
        raise errors.UnsafeArchive(f"The ZIP holds more than {settings.max_zip_entries} entries.")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > settings.max_zip_bytes:
        raise errors.UnsafeArchive(f"The ZIP unpacks to more than {settings.max_zip_bytes // 1_000_000} MB.")
    if unpacked > settings.max_zip_ratio * packed:
        raise errors.UnsafeArchive(f"The ZIP grows more than {settings.max_zip_ratio:g} times when unpacked.")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:  # a "zip bomb" reuses one compressed span for many entries
            raise errors.UnsafeArchive("Entries of the ZIP overlap.")
        end = info.header_offset + LOCAL_HEADER + len(info.orig_filename.encode()) + info.compress_size


def _is_junk(info: zipfile.ZipInfo) -> bool:
    *folders, name = info.filename.replace("\\", "/").split("/")
    return not JUNK_FOLDERS.isdisjoint(folders) or name.lower() in JUNK_FILES or name.startswith("._")


def _entry(archive: zipfile.ZipFile, index: int, info: zipfile.ZipInfo, settings: Settings) -> Entry:
    media_type, error = None, _refusal(info, settings)
    if error is None:
        try:
            with archive.open(info) as file:
                media_type = sniff(file.read(HEAD))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as cause:
            error = errors.BrokenArchiveEntry()
            error.__cause__ = cause
        else:
            error = refused_type(media_type)
    return Entry(index, clean_name(info.filename), info.file_size, media_type, error)


def refused_type(media_type: str | None) -> errors.PhotoError | None:
    """The error of something that is not a photo."""
    if media_type == "application/zip":
        return errors.UnsupportedFormat("A ZIP inside a ZIP is not unpacked.")
    return errors.UnsupportedFormat() if media_type is None else None


def _refusal(info: zipfile.ZipInfo, settings: Settings) -> errors.PhotoError | None:
    if info.flag_bits & 0x1:
        return errors.EncryptedArchive("This photo is protected by a password.")
    if stat.S_ISLNK(info.external_attr >> 16):
        return errors.UnsafeArchive("This entry of the ZIP is a link, not a photo.")
    parts = info.filename.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or parts[0].endswith(":"):
        return errors.UnsafeArchive("This entry's name points outside the ZIP.")
    if info.file_size == 0:
        return errors.EmptyFile()
    if info.file_size > settings.max_file_bytes:
        return errors.FileTooLarge(f"A photo may have at most {settings.max_file_bytes // 1_000_000} MB.")
    return None


def clean_name(name: str) -> str:
    """A file's name with its folders: relative, `/` between them, no control characters, no part of over 255."""
    visible = "".join(char for char in name.replace("\\", "/") if char.isprintable())
    parts = [_shortened(part.strip()) for part in visible.split("/")]
    kept = [part for part in parts if part not in ("", ".", "..") and not part.endswith(":")]
    return "/".join(kept[-20:]) or "unnamed"


def _shortened(part: str) -> str:
    """At most 255 characters, the suffix kept."""
    stem, dot, suffix = part.rpartition(".")
    return part if len(part) <= MAX_NAME else f"{stem[: MAX_NAME - 11]}{dot}{suffix[:10]}"


class ArchiveReader:
    """Unpacks entries; keeps the directories of a few ZIPs open, since parsing one of 10,000 entries takes 0.1 s.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, zipfile.ZipFile] = OrderedDict()

    def unpack(self, path: Path, index: int, target: Path, max_bytes: int) -> tuple[str, int, str]:
        """Write entry `index` of the ZIP at `path` to `target`; returns its SHA-256, size in bytes and media type.

        Raises:
            errors.BrokenArchiveEntry: damaged, or not as long as its directory says.
        """
        digest, size, head = hashlib.sha256(), 0, b""
        try:
            archive = self._archive(path)
            with archive.open(archive.infolist()[index]) as source, target.open("wb") as sink:
                while chunk := source.read(CHUNK):
                    size += len(chunk)
                    if size > max_bytes:
                        raise errors.FileTooLarge()
                    head = head or chunk[:HEAD]
                    digest.update(chunk)
                    sink.write(chunk)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise errors.BrokenArchiveEntry() from error
        media_type = sniff(head)
        if media_type is None:
            raise errors.UnsupportedFormat()
        return digest.hexdigest(), size, media_type

    def _archive(self, path: Path) -> zipfile.ZipFile:
        with self._lock:
            if path not in self._open:
                self._open[path] = zipfile.ZipFile(path)
            self._open.move_to_end(path)
            while len(self._open) > OPEN_ARCHIVES:
                self._open.popitem(last=False)  # closed when the last thread reading from it lets go
            return self._open[path]
