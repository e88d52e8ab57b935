"""Jobs whose photos come from URLs: fetched in the background, kept on disk so that a restart goes on with them."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from photo_processor import errors
from photo_processor.intake.accept import rows_of
from photo_processor.intake.url_fetcher import UrlFetcher, url_name
from photo_processor.intake.virus_scan import Scanner
from photo_processor.queue.records import NewFile, file_error, new_id
from photo_processor.schemas import Frozen, Job
from photo_processor.settings import Settings
from photo_processor.storage.local import Shelf, Storage
from photo_processor.storage.received import Received
from photo_processor.worker.stored import Rows, stored
from photo_processor.worker.supervisor import Supervisor

KEYS = "\x1furl-"  # begins the keys of what is added here: no request's header can hold that character

FIRST, LAST = "list", "seal"  # names of the list that made the job, and of the note that its URLs shall seal it

log = logging.getLogger("photo.urls")


class OpenJobs(Rows, Protocol):
    """The queue, as far as URLs need it."""

    async def has_addition(self, job_id: str, key: str) -> bool: ...

    async def add_files(
        self, job_id: str, files: Sequence[NewFile], max_files: int, key: str | None = None
    ) -> tuple[Job, list[str]]: ...

    async def seal(self, job_id: str) -> Job: ...


class _UrlList(Frozen):
    """What is on disk of a job whose URLs are being fetched. `seal`: the last one seals the job."""

    urls: tuple[str, ...]
    seal: bool


class UrlIntake:
    """Fetches the URLs of open jobs, adds each file as it comes, and seals the job after the last."""

    def __init__(
        self, settings: Settings, queue: OpenJobs, storage: Storage, scanner: Scanner, supervisor: Supervisor
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._storage = storage
        self._scanner = scanner
        self._supervisor = supervisor
        self._fetcher = UrlFetcher(settings, storage)
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}  # by job id and name of the list
        self._sealing: set[str] = set()  # jobs that the last of their lists seals

    async def note(self, job_id: str, urls: tuple[str, ...], *, seal: bool, name: str = FIRST) -> None:
        """Put the URLs on disk, before the job is written: one without the other is found by `resume`."""
        text = _UrlList(urls=urls, seal=seal).model_dump_json().encode()
        await asyncio.to_thread(self._storage.put_as, text, job_id, "urls", name)

    def start(self, job_id: str, urls: tuple[str, ...], *, seal: bool, name: str = FIRST) -> None:
        """Fetch them in the background."""
        self._go_on(job_id, name, partial(self._fetch_all, job_id, name, _UrlList(urls=urls, seal=seal)))

    async def add(self, job_id: str, urls: tuple[str, ...], key: str | None) -> None:
        """Fetch further URLs for an open job; the same `key` again adds nothing more."""
        name = hashlib.sha256(key.encode()).hexdigest()[:16] if key else secrets.token_hex(8)
        await self.note(job_id, urls, seal=False, name=name)
        self.start(job_id, urls, seal=False, name=name)

    async def seal_later(self, job_id: str) -> bool:
        """Whether the job's URLs are still being fetched; then the last of them seals it, after a restart too."""
        if not self._is_fetching(job_id):
            return False
        self._sealing.add(job_id)
        await self.note(job_id, (), seal=True, name=LAST)
        return True

    def _is_fetching(self, job_id: str) -> bool:
        return any(job == job_id for job, _ in self._tasks)

    async def resume(self) -> None:
        """Go on with what an earlier run left. A file that is there already is not added twice."""
        for path in await asyncio.to_thread(self._storage.url_lists):
            job_id, name = path.parent.parent.name, path.name
            try:
                found = _UrlList.model_validate_json(await asyncio.to_thread(path.read_bytes))
            except ValidationError:
                log.error("job=%s its list of URLs is damaged; it ends with the photos that it has", job_id)
                self._go_on(job_id, name, partial(self._given_up, job_id, name))
            else:
                self._go_on(job_id, name, partial(self._fetch_all, job_id, name, found))

    def _go_on(self, job_id: str, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        key = (job_id, name)
        if key in self._tasks:
            return  # `resume` itself was started again, or the request came twice
        task = self._supervisor.start("URL intake", work)
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def close(self) -> None:
        """Stop; `resume` goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fetcher.close()

    async def _fetch_all(self, job_id: str, name: str, found: _UrlList) -> None:
        """Raises what keeps all of them from being taken: the disk is full, or the queue cannot be written."""
        try:
            async with asyncio.TaskGroup() as group:
                for number, url in enumerate(found.urls):
                    group.create_task(self._fetch(job_id, _key(name, number), url))
            if found.seal:
                self._sealing.add(job_id)
            if job_id in self._sealing and not self._others(job_id, name):
                await self._queue.seal(job_id)
                await self._done(job_id, LAST)
        except* errors.JobNotFound:
            await asyncio.to_thread(self._storage.delete_job, job_id)  # what came after it was deleted
        except* errors.Conflict:
            log.info("job=%s has ended; its further URLs are left alone", job_id)
        if name != LAST or not self._others(job_id, name):  # else it stays until the last list is done
            await self._done(job_id, name)

    def _others(self, job_id: str, name: str) -> bool:
        return any(job == job_id and other != name for job, other in self._tasks)

    async def _given_up(self, job_id: str, name: str) -> None:
        """End a job whose list of URLs is damaged: a photo that failed says so."""
        error = errors.UrlFailed("The list of the job's further URLs was damaged on the disk.")
        row = NewFile(id=new_id(), name="urls", size=0, error=file_error(error))
        try:
            await self._queue.add_files(job_id, [row], self._settings.max_job_files + 1, _key(name, "list"))
            await self._queue.seal(job_id)
        except errors.JobNotFound:
            await asyncio.to_thread(self._storage.delete_job, job_id)
        except errors.Conflict:
            log.info("job=%s has ended without its URLs", job_id)
        await self._done(job_id, name)

    async def _done(self, job_id: str, name: str) -> None:
        if not self._others(job_id, name):
            self._sealing.discard(job_id)
        await asyncio.to_thread(self._storage.path(job_id, "urls", name).unlink, missing_ok=True)

    async def _fetch(self, job_id: str, key: str, url: str) -> None:
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


def _key(name: str, number: int | str) -> str:
    """The key of what one URL of a list adds: that of the first list is what earlier versions gave it."""
    return f"{KEYS}{number}" if name == FIRST else f"{KEYS}{name}-{number}"
