"""What to process: photos in files, folders and ZIPs, each with the name that its results take."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import errors
from image_io import SNIFF_BYTES, sniff
from ingest.archives import JUNK_FILES, JUNK_FOLDERS, clean_name, list_entries, refused_type
from settings import Settings

PARTIAL = frozenset({".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp"})  # of files on their way
ZIP = "application/zip"


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


def find_sources(inputs: Iterable[Path], out: Path, settings: Settings) -> list[Source]:
    """The photos in `inputs`, in order of their names; what lies in the folder `out` within them is left out.

    A file named by itself that is no photo has an error; in folders such files are passed over.
    """
    found: list[Source] = []
    for path in inputs:
        if path.is_dir():
            found += _in_folder(path, out, settings)
        else:
            found += _of_file(path, path.name, "", settings)
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
            if not name.startswith(".") and name.lower() not in JUNK_FILES and path.suffix.lower() not in PARTIAL:
                yield path


def kind_of(path: Path) -> str | None:
    """The media type of a file by its first bytes. Raises OSError."""
    with path.open("rb") as file:
        return sniff(file.read(SNIFF_BYTES))


def _in_folder(folder: Path, out: Path, settings: Settings) -> Iterator[Source]:
    for path in files_in(folder, out):
        yield from source_in(folder, path, settings)


def source_in(folder: Path, path: Path, settings: Settings) -> list[Source]:
    """What the file `path` below `folder` brings: a photo, those of a ZIP in a folder of its name, or nothing."""
    name = path.relative_to(folder).as_posix()
    try:
        if kind_of(path) is None:
            return []
    except OSError:
        pass  # which `_of_file` says
    return _of_file(path, name, f"{name.removesuffix(path.suffix)}/", settings)


def _of_file(path: Path, name: str, inside: str, settings: Settings) -> list[Source]:
    """The photo in a file, or those of a ZIP, whose names begin with `inside`."""
    try:
        media_type = kind_of(path)
        if path.stat().st_size == 0:
            return [Source(path, clean_name(name), error=errors.EmptyFile())]
        if media_type != ZIP:
            return [Source(path, clean_name(name), error=refused_type(media_type))]
        entries = list_entries(path, settings)
    except OSError as problem:
        return [Source(path, clean_name(name), error=_unreadable(problem))]
    except errors.PhotoError as problem:
        return [Source(path, clean_name(name), error=problem)]
    return [Source(path, clean_name(inside + entry.name), entry.index, entry.error) for entry in entries]


def _unreadable(problem: OSError) -> errors.PhotoError:
    return errors.StorageUnavailable(f"The file cannot be read: {problem.strerror}.")
