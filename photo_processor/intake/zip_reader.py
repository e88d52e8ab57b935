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

from photo_processor import errors
from photo_processor.imaging.decode import sniff
from photo_processor.intake.file_names import clean_name
from photo_processor.intake.name_lists import is_list
from photo_processor.intake.zip_names import names_of, raw_name
from photo_processor.settings import Settings

ZIP = "application/zip"
CHUNK = 1 << 20  # bytes
HEAD = 64  # bytes that tell a format
LOCAL_HEADER = 30  # bytes, without name and extra field
JUNK_FOLDERS = frozenset({"__MACOSX", ".git", ".Trashes", ".Spotlight-V100"})
JUNK_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
MAX_DIRECTORY_ENTRY = 1024  # bytes that an entry takes in the directory, on average
ZIP64_END_BYTES = 76  # between the directory and its end record, where the ZIP is a large one
OPEN_ARCHIVES = 4  # directories kept in memory


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo in a ZIP: `index` in its directory, `name` with folders, unpacked `size` in bytes; or why not."""

    index: int
    name: str
    size: int
    media_type: str | None
    error: errors.PhotoError | None = None

    @property
    def is_list(self) -> bool:
        """Whether it is a list of names rather than a photo that cannot be read."""
        return isinstance(self.error, errors.UnsupportedFormat) and self.media_type is None and is_list(self.name)


def list_entries(path: Path, settings: Settings) -> tuple[Entry, ...]:
    """The photos of a ZIP in the order of its directory.

    Folders and the droppings of file managers are passed over; an entry that cannot be taken carries its error.

    Raises:
        errors.InvalidArchive or a subclass: the ZIP as a whole cannot be taken.
    """
    _check_directory(path, settings)
    with _opened(path) as archive:
        infos = archive.infolist()
        _check_whole(infos, archive.start_dir, settings)
        named = [
            (index, info, name)
            for index, (info, name) in enumerate(zip(infos, names_of(infos), strict=True))
            if not name.endswith("/") and not _is_junk(name)
        ]
        if not named:
            raise errors.EmptyArchive()
        return tuple(_entry(archive, index, info, name, settings) for index, info, name in named)


def read_entry(path: Path, index: int, limit: int) -> bytes:
    """The first `limit` bytes of entry `index`; none where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(archive.infolist()[index]) as file:
            return file.read(limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return b""


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, struct.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise errors.InvalidArchive() from error


def _check_directory(path: Path, settings: Settings) -> None:
    """Count the entries before `zipfile` makes an object of each: 2 GB of them would take 25 GB of memory.

    Where the directory lies is asked of `zipfile` itself, so that both read the same one.
    """
    with path.open("rb") as file:
        try:
            end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        except (OSError, struct.error, zipfile.BadZipFile) as error:
            raise errors.InvalidArchive() from error
        if not end:
            raise errors.InvalidArchive()
        size = end[5]  # bytes
        if size > settings.max_zip_entries * MAX_DIRECTORY_ENTRY:
            raise _too_many_entries(settings)
        file.seek(max(0, end[9] - size - ZIP64_END_BYTES))
        if file.read(size + ZIP64_END_BYTES).count(b"PK\x01\x02") > settings.max_zip_entries:
            raise _too_many_entries(settings)


def _too_many_entries(settings: Settings) -> errors.UnsafeArchive:
    return errors.UnsafeArchive(f"The ZIP holds more than {settings.max_zip_entries} entries.")


def _check_whole(infos: list[zipfile.ZipInfo], packed: int, settings: Settings) -> None:
    """`packed`: bytes before the directory."""
    unpacked = sum(info.file_size for info in infos)
    if unpacked > settings.max_zip_bytes:
        raise errors.UnsafeArchive(f"The ZIP unpacks to more than {settings.max_zip_bytes // 1_000_000} MB.")
    if unpacked > settings.max_zip_ratio * packed:
        raise errors.UnsafeArchive(f"The ZIP grows more than {settings.max_zip_ratio:g} times when unpacked.")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:  # a "zip bomb" reuses one compressed span for many entries
            raise errors.UnsafeArchive("Entries of the ZIP overlap.")
        end = info.header_offset + LOCAL_HEADER + len(raw_name(info)) + info.compress_size
    if end > packed:
        raise errors.UnsafeArchive("Entries of the ZIP overlap its directory.")


def _is_junk(path: str) -> bool:
    *folders, name = path.replace("\\", "/").split("/")
    return not JUNK_FOLDERS.isdisjoint(folders) or name.lower() in JUNK_FILES or name.startswith("._")


def _entry(archive: zipfile.ZipFile, index: int, info: zipfile.ZipInfo, name: str, settings: Settings) -> Entry:
    media_type, error = None, _refusal(info, name, settings)
    if error is None:
        try:
            with archive.open(info) as file:
                media_type = sniff(file.read(HEAD), svg=settings.svg)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as cause:
            error = errors.BrokenArchiveEntry()
            error.__cause__ = cause
        else:
            error = refused_type(media_type)
    return Entry(index, clean_name(name), info.file_size, media_type, error)


def refused_type(media_type: str | None) -> errors.PhotoError | None:
    """The error of something that is not a photo."""
    if media_type == ZIP:
        return errors.UnsupportedFormat("A ZIP inside a ZIP is not unpacked.")
    return errors.UnsupportedFormat() if media_type is None else None


def _refusal(info: zipfile.ZipInfo, name: str, settings: Settings) -> errors.PhotoError | None:
    if info.flag_bits & 0x1:
        return errors.EncryptedArchive("This photo is protected by a password.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return errors.UnsafeArchive("This entry of the ZIP is a link or a device, not a photo.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return errors.BrokenArchiveEntry("This entry is packed by a method that is not read here; use plain ZIP.")
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or parts[0][1:2] == ":":
        return errors.UnsafeArchive("This entry's name points outside the ZIP.")
    if info.file_size == 0:
        return errors.EmptyFile()
    if info.file_size > settings.max_file_bytes:
        return errors.FileTooLarge(f"A photo may have at most {settings.max_file_bytes // 1_000_000} MB.")
    return None


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
        media_type = sniff(head, svg=True)  # whether drawings are taken was asked when the ZIP was listed
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
