"""From received files to queue rows: what each one is, by its bytes, and where it is kept."""

from dataclasses import dataclass

import errors
from image_io import sniff
from ingest.archives import list_entries, refused_type
from ingest.uploads import Received, Upload
from ingest.viruses import Scanner
from queue_manager import new_id
from settings import Settings
from sql.rows import NewFile, file_error
from storage import Storage


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rows of a request's files; `batch` where a ZIP came or more than one file."""

    files: tuple[NewFile, ...]
    batch: bool


def accept(
    upload: Upload, job_id: str, storage: Storage, settings: Settings, scanner: Scanner, *, alone: bool
) -> Accepted:
    """Sniff each received file, list the ZIPs, and move the bytes into the job's folder.

    With `alone`, a request whose only file cannot be taken is refused with that file's error; everywhere else
    a bad file becomes a failed row, and the others go on.

    Raises:
        errors.NoFiles, errors.TooManyFiles, errors.ScannerUnavailable: about the request as a whole.
    """
    if not upload.files:
        raise errors.NoFiles()
    rows: list[NewFile] = []
    for received in upload.files:
        try:
            rows += rows_of(received, job_id, storage, settings, scanner)
        except (errors.StorageFull, errors.ScannerUnavailable):
            raise
        except errors.PhotoError as error:
            if alone and len(upload.files) == 1:
                raise
            rows.append(NewFile(id=new_id(), name=received.name, size=received.size, error=file_error(error)))
    if len(rows) > settings.max_job_files:
        raise errors.TooManyFiles(f"A job holds at most {settings.max_job_files} files.")
    return Accepted(tuple(rows), batch=len(rows) > 1 or any(row.archive for row in rows))


def rows_of(received: Received, job_id: str, storage: Storage, settings: Settings, scanner: Scanner) -> list[NewFile]:
    """The rows of one received file, its bytes moved into the job's folder. Raises the error that it failed with."""
    if received.error is not None:
        raise received.error
    if received.size == 0:
        raise errors.EmptyFile()
    scanner.check(received.path)
    media_type = sniff(received.head)
    if media_type == "application/zip":
        return _zip_rows(received, job_id, storage, settings)
    error = refused_type(media_type)
    if error is not None:
        raise error
    storage.keep(received.path, job_id, "source", received.sha256)
    row = NewFile(id=new_id(), name=received.name, size=received.size, media_type=media_type, sha256=received.sha256)
    return [row]


def _zip_rows(received: Received, job_id: str, storage: Storage, settings: Settings) -> list[NewFile]:
    entries = list_entries(received.path, settings)
    storage.keep(received.path, job_id, "archive", received.sha256)
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
