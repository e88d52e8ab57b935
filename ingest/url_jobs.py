"""Jobs whose photos come from URLs: fetched in the background, kept on disk so that a restart goes on with them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from pydantic import ValidationError

import errors
from ingest.acceptance import rows_of
from ingest.stored import stored
from ingest.uploads import Received
from ingest.urls import UrlFetcher, url_name
from ingest.viruses import Scanner
from queue_manager import QueueManager, new_id
from schemas import Frozen
from settings import Settings
from sql.rows import NewFile, file_error
from storage import Shelf, Storage
from supervisor import Supervisor

KEYS = "\x1furl-"  # begins the keys of what is added here: no request's header can hold that character

log = logging.getLogger("photo.urls")


class _UrlList(Frozen):
    """What is on disk of a job whose URLs are being fetched. `seal`: the last one seals the job."""

    urls: tuple[str, ...]
    seal: bool


class UrlIntake:
    """Fetches the URLs of open jobs, adds each file as it comes, and seals the job after the last."""

    def __init__(
        self, settings: Settings, queue: QueueManager, storage: Storage, scanner: Scanner, supervisor: Supervisor
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._storage = storage
        self._scanner = scanner
        self._supervisor = supervisor
        self._fetcher = UrlFetcher(settings, storage)
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by job id

    async def note(self, job_id: str, urls: tuple[str, ...], *, seal: bool) -> None:
        """Put the URLs on disk, before the job is written: one without the other is found by `resume`."""
        text = _UrlList(urls=urls, seal=seal).model_dump_json().encode()
        await asyncio.to_thread(self._storage.put_as, text, job_id, "urls", "list")

    def start(self, job_id: str, urls: tuple[str, ...], *, seal: bool) -> None:
        """Fetch them in the background."""
        self._go_on(job_id, partial(self._fetch_all, job_id, _UrlList(urls=urls, seal=seal)))

    async def resume(self) -> None:
        """Go on with what an earlier run left. A file that is there already is not added twice."""
        for path in await asyncio.to_thread(self._storage.url_lists):
            job_id = path.parent.parent.name
            try:
                found = _UrlList.model_validate_json(await asyncio.to_thread(path.read_bytes))
            except ValidationError:
                log.error("job=%s its list of URLs is damaged; it ends with the photos that it has", job_id)
                self._go_on(job_id, partial(self._given_up, job_id))
            else:
                self._go_on(job_id, partial(self._fetch_all, job_id, found))

    def _go_on(self, job_id: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        if job_id in self._tasks:
            return  # `resume` itself was started again
        task = self._supervisor.start("URL intake", work)
        self._tasks[job_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job_id, None))

    async def close(self) -> None:
        """Stop; `resume` goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fetcher.close()

    async def _fetch_all(self, job_id: str, found: _UrlList) -> None:
        """Raises what keeps all of them from being taken: the disk is full, or the queue cannot be written."""
        try:
            async with asyncio.TaskGroup() as group:
                for number, url in enumerate(found.urls):
                    group.create_task(self._fetch(job_id, number, url))
            if found.seal:
                await self._queue.seal(job_id)
        except* errors.JobNotFound:
            await asyncio.to_thread(self._storage.delete_job, job_id)  # what came after it was deleted
        except* errors.Conflict:
            log.info("job=%s has ended; its further URLs are left alone", job_id)
        await self._done(job_id)

    async def _given_up(self, job_id: str) -> None:
        """End a job whose list of URLs is damaged: a photo that failed says so."""
        error = errors.UrlFailed("The list of the job's further URLs was damaged on the disk.")
        row = NewFile(id=new_id(), name="urls", size=0, error=file_error(error))
        try:
            await self._queue.add_files(job_id, [row], self._settings.max_job_files + 1, f"{KEYS}list")
            await self._queue.seal(job_id)
        except errors.JobNotFound:
            await asyncio.to_thread(self._storage.delete_job, job_id)
        except errors.Conflict:
            log.info("job=%s has ended without its URLs", job_id)
        await self._done(job_id)

    async def _done(self, job_id: str) -> None:
        await asyncio.to_thread(self._storage.path(job_id, "urls", "list").unlink, missing_ok=True)

    async def _fetch(self, job_id: str, number: int, url: str) -> None:
        key = f"{KEYS}{number}"
        if await self._queue.has_addition(job_id, key):
            return
        received = await self._received(job_id, url)
        async with stored(self._queue, self._storage, job_id) as shelf:
            rows = await self._rows(received, url, shelf)
            await self._queue.add_files(job_id, rows, self._settings.max_job_files, key)
            shelf.kept = True

    async def _received(self, job_id: str, url: str) -> Received:
        """The file at `url`, or with its error; whatever goes wrong with one URL is that URL's alone."""
        try:
            return await self._fetcher.fetch(url)
        except Exception as error:
            log.error("job=%s a URL could not be fetched", job_id, exc_info=error)
            return Received(url_name(url), self._storage.incoming(), error=errors.UrlFailed())

    async def _rows(self, received: Received, url: str, shelf: Shelf) -> list[NewFile]:
        try:
            return await asyncio.to_thread(rows_of, received, shelf, self._settings, self._scanner)
        except (errors.StorageFull, errors.StorageUnavailable):
            raise
        except errors.PhotoError as error:
            return [NewFile(id=new_id(), name=url_name(url), size=received.size, error=file_error(error))]
        finally:
            await asyncio.to_thread(Path(received.path).unlink, missing_ok=True)
