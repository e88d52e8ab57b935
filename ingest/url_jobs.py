"""Jobs whose photos come from URLs: fetched in the background, kept on disk so that a restart goes on with them."""

import asyncio
import json
import logging
from pathlib import Path

import errors
from ingest.acceptance import rows_of
from ingest.uploads import Received
from ingest.urls import UrlFetcher, url_name
from ingest.viruses import Scanner
from queue_manager import QueueManager, new_id
from settings import Settings
from sql.rows import NewFile, file_error
from storage import Shelf, Storage

log = logging.getLogger("photo.urls")


class UrlIntake:
    """Fetches the URLs of open jobs, adds each file as it comes, and seals the job after the last."""

    def __init__(self, settings: Settings, queue: QueueManager, storage: Storage, scanner: Scanner) -> None:
        self._settings = settings
        self._queue = queue
        self._storage = storage
        self._scanner = scanner
        self._fetcher = UrlFetcher(settings, storage)
        self._tasks: set[asyncio.Task[None]] = set()

    async def note(self, job_id: str, urls: tuple[str, ...], *, seal: bool) -> None:
        """Put the URLs on disk, before the job is written: one without the other is found by `resume`."""
        text = json.dumps({"urls": urls, "seal": seal}).encode()
        await asyncio.to_thread(self._storage.put_as, text, job_id, "urls", "list")

    def start(self, job_id: str, urls: tuple[str, ...], *, seal: bool) -> None:
        """Fetch them in the background."""
        task = asyncio.create_task(self._fetch_all(job_id, urls, seal))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def resume(self) -> None:
        """Go on with what an earlier run left. A file that is there already is not added twice."""
        for path in await asyncio.to_thread(self._storage.url_lists):
            note = json.loads(await asyncio.to_thread(path.read_bytes))
            self.start(path.parent.parent.name, tuple(note["urls"]), seal=bool(note["seal"]))

    async def close(self) -> None:
        """Stop; `resume` goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._fetcher.close()

    async def _fetch_all(self, job_id: str, urls: tuple[str, ...], seal: bool) -> None:
        stopped = False
        try:
            async with asyncio.TaskGroup() as group:
                for number, url in enumerate(urls):
                    group.create_task(self._fetch(job_id, number, url))
            if seal:
                await self._queue.seal(job_id)
        except* errors.JobNotFound:
            await asyncio.to_thread(self._storage.delete_job, job_id)  # what came after it was deleted
        except* errors.Conflict:
            log.info("job=%s has ended; its further URLs are left alone", job_id)
        except* errors.PhotoError as failures:
            stopped = True  # the disk is full, or the queue cannot be written: the next start goes on
            log.error("job=%s its URLs wait for the next start: %s", job_id, failures.exceptions[0])
        if not stopped:
            await asyncio.to_thread(self._storage.path(job_id, "urls", "list").unlink, missing_ok=True)

    async def _fetch(self, job_id: str, number: int, url: str) -> None:
        received = await self._fetcher.fetch(url)
        with Shelf(self._storage, job_id) as shelf:
            rows = await self._rows(received, url, shelf)
            await self._queue.add_files(job_id, rows, self._settings.max_job_files, f"url-{number}")

    async def _rows(self, received: Received, url: str, shelf: Shelf) -> list[NewFile]:
        try:
            return await asyncio.to_thread(rows_of, received, shelf, self._settings, self._scanner)
        except errors.StorageFull:
            raise
        except errors.PhotoError as error:
            return [NewFile(id=new_id(), name=url_name(url), size=received.size, error=file_error(error))]
        finally:
            await asyncio.to_thread(Path(received.path).unlink, missing_ok=True)
