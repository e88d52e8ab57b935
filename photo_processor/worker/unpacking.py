"""The photos of a ZIP, unpacked into their job's folder when they are due, and small ones that come next with them."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from photo_processor import errors
from photo_processor.queue.records import Claim, Unpacked
from photo_processor.storage.local import Shelf, Storage, translated
from photo_processor.worker.stored import stored
from queue_manager import QueueManager

READ_AHEAD = 16  # photos of a ZIP unpacked with the one that is due, to disturb the queue once for all of them
READ_AHEAD_BYTES = 4_000_000  # of them together


class Archives(Protocol):
    """What reads ZIPs."""

    def unpack(self, path: Path, index: int, target: Path, max_bytes: int) -> tuple[str, int, str]: ...


class Unpacker:
    """Unpacks the photos that workers have claimed. `max_bytes`: of one photo."""

    def __init__(self, queue: QueueManager, storage: Storage, archives: Archives, max_bytes: int) -> None:
        self._queue = queue
        self._storage = storage
        self._max_bytes = max_bytes
        self._archives = archives
        self._lock = asyncio.Lock()

    async def unpacked(self, claim: Claim) -> Claim | None:
        """The claim with its source on disk; None where the job has the same photo already."""
        async with self._lock:  # else each worker would unpack the same photos ahead
            ahead = await self._queue.entries_ahead(claim, READ_AHEAD)
            async with stored(self._queue, self._storage, claim.job_id) as shelf:  # copies go, and what was deleted
                return await self._queue.unpacked(claim, await asyncio.to_thread(self._unpack, claim, ahead, shelf))

    def _unpack(self, claim: Claim, ahead: Sequence[Unpacked], shelf: Shelf) -> list[Unpacked]:
        archive = self._storage.path(claim.job_id, "archive", claim.archive or "")
        with ExitStack() as parts:
            found = [self._entry(archive, Unpacked(claim.file_id, claim.entry or 0, claim.size), parts)]
            size = found[0][1].size
            with suppress(errors.PhotoError):  # what fails ahead is left for its own turn
                for file in ahead:
                    size += file.size
                    if size > READ_AHEAD_BYTES:
                        break
                    found.append(self._entry(archive, file, parts))
            shelf.keep_all([(part, file.sha256) for part, file in found], "source")
        return [file for _, file in found]

    def _entry(self, archive: Path, file: Unpacked, parts: ExitStack) -> tuple[Path, Unpacked]:
        part = self._storage.incoming()
        parts.callback(part.unlink, missing_ok=True)
        if not archive.exists():  # the queue was restored without it
            raise errors.SourceLost()
        with translated():
            digest, size, kind = self._archives.unpack(archive, file.entry, part, self._max_bytes)
        return part, replace(file, sha256=digest, size=size, media_type=kind)
