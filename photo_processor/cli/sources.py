"""What to process: photos in files, folders and ZIPs, each with the name that its results take."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from photo_processor import errors
from photo_processor.imaging.decode import SNIFF_BYTES, sniff
from photo_processor.intake.file_names import clean_name
from photo_processor.intake.name_lists import MAX_BYTES, is_list, parse_list
from photo_processor.intake.zip_reader import JUNK_FILES, JUNK_FOLDERS, ZIP, list_entries, read_entry, refused_type
from photo_processor.queue.records import Names
from photo_processor.settings import Settings

PARTIAL = frozenset({".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp"})  # of files on their way


@dataclass(frozen=True, slots=True)
class Source:
    """A photo: the file `path`, or entry number `entry` of the ZIP there; `name` is its own, with folders.

    `error` says why it cannot be processed.
    """

    path: Path
    name: str
    entry: int | None = None
    error: errors.PhotoError | None = None

    @property
    def shown(self) -> str:
        """What people call it."""
        return str(self.path) if self.entry is None else f"{self.path}:{self.name}"


@dataclass(slots=True)
class Found:
    """Photos, and the lists of names that lie beside them."""

    sources: list[Source] = field(default_factory=list)
    lists: list[Names] = field(default_factory=list)


def find_sources(inputs: Iterable[Path], out: Path, settings: Settings) -> Found:
    """The photos in `inputs`, in order of their names; what lies in the folder `out` within them is left out.

    A file named by itself that is no photo has an error; in folders such files are passed over.
    """
    found = Found()
    for path in inputs:
        if path.is_dir():
            for file in files_in(path, out):
                take(path, file, settings, found)
        elif path.exists() and not path.is_file():  # a pipe would be waited for without end
            error = errors.UnsupportedFormat("This is neither a file nor a folder.")
            found.sources.append(Source(path, clean_name(path.name), error=error))
        elif not _took_list(path, settings, found):
            _take_file(path, path.name, "", settings, found)
    return found


def files_in(folder: Path, out: Path) -> Iterator[Path]:
    """Every file below `folder` that may be somebody's photo, in order of names, without what is below `out`."""
    target = out.resolve()
    inside = target != folder.resolve()
    for where, folders, files in os.walk(folder):
        here = Path(where)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in JUNK_FOLDERS
            and not (inside and (here / name).resolve() == target)
        )
        for name in sorted(files):
            path = here / name
            if (
                path.is_file()
                and not name.startswith(".")
                and name.lower() not in JUNK_FILES
                and path.suffix.lower() not in PARTIAL
            ):
                yield path


def kind_of(path: Path, settings: Settings) -> str | None:
    """The media type of a file by its first bytes. Raises OSError."""
    with path.open("rb") as file:
        return sniff(file.read(SNIFF_BYTES), svg=settings.svg)


def take(folder: Path, path: Path, settings: Settings, found: Found) -> None:
    """Add what the file `path` below `folder` brings: a photo, those of a ZIP, a list of names, or nothing.

    The photos of a ZIP are in a folder of its name.
    """
    name = path.relative_to(folder).as_posix()
    try:
        if kind_of(path, settings) is None:
            _took_list(path, settings, found)
            return
    except OSError:
        pass  # which `_take_file` says
    _take_file(path, name, f"{name.removesuffix(path.suffix)}/", settings, found)


def _took_list(path: Path, settings: Settings, found: Found) -> bool:
    """Whether the file was a list of names, which was added."""
    try:
        if not is_list(path.name) or kind_of(path, settings) is not None:
            return False
        with path.open("rb") as file:
            found.lists.append(parse_list(file.read(MAX_BYTES + 1), path.name))
    except OSError as problem:
        found.lists.append(Names(problems=(f"{path}: cannot be read: {problem.strerror}.",)))
    return True


def _take_file(path: Path, name: str, inside: str, settings: Settings, found: Found) -> None:
    """Add the photo in a file, or those of a ZIP, whose names begin with `inside`."""
    error: errors.PhotoError | None = None
    try:
        media_type = kind_of(path, settings)
        if path.stat().st_size == 0:
            error = errors.EmptyFile()
        elif media_type == ZIP:
            _take_zip(path, inside, settings, found)
            return
        else:
            error = refused_type(media_type)
    except OSError as problem:
        error = _unreadable(problem)
    except errors.PhotoError as problem:
        error = problem
    found.sources.append(Source(path, clean_name(name), error=error))


def _take_zip(path: Path, inside: str, settings: Settings, found: Found) -> None:
    for entry in list_entries(path, settings):
        if entry.is_list:
            found.lists.append(parse_list(read_entry(path, entry.index, MAX_BYTES + 1), entry.name))
        else:
            found.sources.append(Source(path, clean_name(inside + entry.name), entry.index, entry.error))


def _unreadable(problem: OSError) -> errors.PhotoError:
    return errors.StorageUnavailable(f"The file cannot be read: {problem.strerror}.")
