"""From received files to queue rows: what each one is, by its bytes, and where it is kept."""

from dataclasses import dataclass, replace

from photo_processor import errors
from photo_processor.imaging.decode import sniff
from photo_processor.intake.multipart import Upload
from photo_processor.intake.name_lists import MAX_BYTES, is_list, merged, parse_list, too_large
from photo_processor.intake.virus_scan import Scanner
from photo_processor.intake.zip_reader import ZIP, list_entries, read_entry, refused_type
from photo_processor.queue.records import Names, NewFile, file_error, new_id
from photo_processor.settings import Settings
from photo_processor.storage.local import Shelf
from photo_processor.storage.received import Received

NO_NAMES = Names()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rows of a request's files, and its lists of names; `batch` where a ZIP came or more than one photo."""

    files: tuple[NewFile, ...]
    batch: bool
    names: Names = NO_NAMES


def accept(upload: Upload, shelf: Shelf, settings: Settings, scanner: Scanner, *, alone: bool) -> Accepted:
    """Sniff each received file, list the ZIPs, and move the bytes into the job's folder.

    With `alone`, a request whose only file cannot be taken is refused with that file's error; everywhere else
    a bad file becomes a failed row, and the others go on.

    Raises:
        errors.NoFiles, errors.TooManyFiles, errors.ScannerUnavailable: about the request as a whole.
    """
    if not upload.files:
        raise errors.NoFiles()
    rows: list[NewFile] = []
    lists: list[Names] = []
    for received in upload.files:
        try:
            if _is_list(received):
                lists.append(_list_of(received, scanner))
                continue
            rows += rows_of(received, shelf, settings, scanner, lists)
        except (errors.StorageFull, errors.ScannerUnavailable):
            raise
        except errors.PhotoError as error:
            if alone and len(upload.files) == 1:
                raise
            rows.append(NewFile(id=new_id(), name=received.name, size=received.size, error=file_error(error)))
    if alone and not rows:
        raise errors.NoFiles("The upload holds a list of names, but no photo.")
    if len(rows) > settings.max_job_files:
        raise errors.TooManyFiles(f"A job holds at most {settings.max_job_files} files.")
    return Accepted(tuple(rows), len(rows) > 1 or any(row.archive for row in rows), merged(lists))


def _is_list(received: Received) -> bool:
    return is_list(received.name) and received.size > 0 and sniff(received.head) is None


def _list_of(received: Received, scanner: Scanner) -> Names:
    """The list of names in a file; one that cannot be read says so, and no photo fails for it."""
    if received.error is not None:
        return too_large(received.name)
    scanner.check(received.path)
    with received.path.open("rb") as file:
        return parse_list(file.read(MAX_BYTES + 1), received.name)


def rows_of(
    received: Received,
    shelf: Shelf,
    settings: Settings,
    scanner: Scanner,
    lists: list[Names] | None = None,
) -> list[NewFile]:
    """The rows of one received file, its bytes moved into the job's folder; lists of names in a ZIP go into `lists`.

    Raises the error that it failed with.
    """
    if received.error is not None:
        raise received.error
    if received.size == 0:
        raise errors.EmptyFile()
    scanned = scanner.check(received.path)
    media_type = sniff(received.head, svg=settings.svg)
    if media_type == ZIP:
        rows = _zip_rows(received, shelf, settings, [] if lists is None else lists)
        return rows if scanned else [replace(row, unscanned=True) for row in rows]
    error = refused_type(media_type)
    if error is not None:
        raise error
    shelf.keep(received.path, "source", received.sha256)
    row = NewFile(id=new_id(), name=received.name, size=received.size, media_type=media_type, sha256=received.sha256)
    return [replace(row, unscanned=not scanned)]


def _zip_rows(received: Received, shelf: Shelf, settings: Settings, lists: list[Names]) -> list[NewFile]:
    found = list_entries(received.path, settings)
    entries = [entry for entry in found if not entry.is_list]
    if not entries:
        raise errors.EmptyArchive()
    tables = (entry for entry in found if entry.is_list)
    lists += [parse_list(read_entry(received.path, entry.index, MAX_BYTES + 1), entry.name) for entry in tables]
    shelf.keep(received.path, "archive", received.sha256)
    return [
        NewFile(
            id=new_id(),
            name=entry.name,
            size=entry.size,
            media_type=entry.media_type,
            archive=None if entry.error else received.sha256,
            entry=None if entry.error else entry.index,
            error=file_error(entry.error) if entry.error else None,
        )
        for entry in entries
    ]
