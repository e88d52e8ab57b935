"""What is stored for a row that is about to be written: it goes again where none is."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from photo_processor import errors
from photo_processor.schemas import Blob
from photo_processor.storage.local import Shelf, Storage

log = logging.getLogger("photo.stored")


class Rows(Protocol):
    """The queue, as far as it says which blobs are needed."""

    async def sweep(self, job_id: str, blobs: Sequence[Blob]) -> list[Blob]: ...

    async def has_job(self, job_id: str) -> bool: ...


@asynccontextmanager
async def stored(queue: Rows, storage: Storage, job_id: str) -> AsyncIterator[Shelf]:
    """A shelf of the job; what is on it goes at the end, unless the block set `kept`: rows name all of it."""
    shelf = Shelf(storage, job_id)
    try:
        yield shelf
    finally:
        await clear(queue, storage, shelf)


async def clear(queue: Rows, storage: Storage, shelf: Shelf) -> None:
    """Close the shelf; what no row refers to of it, and what was given up meanwhile, goes from the disk.

    Of a job that is deleted, or was never written, everything goes.
    """
    blobs = [] if shelf.kept else list(shelf.blobs)
    blobs = list(dict.fromkeys([*blobs, *shelf.close()]))
    if not blobs:
        return
    try:
        await queue.sweep(shelf.job_id, blobs)
        if not await queue.has_job(shelf.job_id):
            await asyncio.to_thread(storage.delete_job, shelf.job_id)
    except errors.PhotoError as error:
        log.warning("job=%s some files are left on the disk until the next start: %s", shelf.job_id, error.code)
