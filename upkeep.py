"""What keeps the data folder in order: expired jobs, orphans both ways, daily backups."""

import asyncio
import logging
import time
from itertools import groupby
from pathlib import Path

from ingest.assets import Assets
from queue_manager import QueueManager
from schemas import Blob, CleanupReport, DoomedFolder, DoomedJob, LooseBlob, LostResult, Notice, reference_of
from settings import Settings
from sql import backups
from storage import Storage

INTERVAL = 600.0  # seconds between looks for expired jobs
DAY = 86_400.0  # seconds
ORPHAN_AGE = 3_600.0  # seconds a folder without a job is left alone: its upload may still be running

log = logging.getLogger("photo.upkeep")


class Upkeep:
    """Runs beside the workers; `clean` is also what the command and the HTTP call do."""

    def __init__(
        self,
        settings: Settings,
        queue: QueueManager,
        storage: Storage,
        assets: Assets,
        notices: tuple[Notice, ...],
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._storage = storage
        self._assets = assets
        self._started = time.time()
        self.notices = notices

    async def run(self) -> None:
        """Clean at intervals, the first time as thoroughly as when asked for; back up once a day."""
        thorough = True
        while True:
            await self.clean(dry_run=False, thorough=thorough)
            thorough = False
            newest = await asyncio.to_thread(self._newest_backup)
            if time.time() - newest > DAY:
                await self.back_up()
            await asyncio.sleep(INTERVAL)

    async def back_up(self) -> Path:
        """A copy of the database in the folder `backups`."""
        path = await asyncio.to_thread(backups.back_up, self._settings.database_path, self._settings.backups_path)
        log.info("the queue is backed up to %s", path.name)
        return path

    def _newest_backup(self) -> float:
        found = backups.backups(self._settings.backups_path, self._settings.database_path.stem)
        return found[0].stat().st_mtime if found else 0.0

    async def clean(self, *, dry_run: bool, thorough: bool = True) -> CleanupReport:
        """Delete expired jobs and folders without a job, fail files whose results have vanished; or only say so.

        `thorough`: also delete what a killed run left of photos that were deleted or done again.
        """
        report = CleanupReport(
            dry_run=dry_run,
            jobs=tuple([await self._doomed(job_id) for job_id in await self._queue.expired()]),
            orphans=await self._orphans(),
            loose=await self._loose() if thorough else (),
            lost=await self._lost(),
        )
        if dry_run:
            return report
        for job in report.jobs:
            if not await self._queue.expire(job.id):
                continue
            await asyncio.to_thread(self._storage.delete_job, job.id)
            log.info("job=%s status=expired bytes=%d", job.id, job.bytes)
        for folder in report.orphans:
            await asyncio.to_thread(self._storage.delete_job, folder.name)
            log.info("job=%s status=orphan bytes=%d", folder.name, folder.bytes)
        for job_id, blobs in groupby(report.loose, lambda blob: blob.job_id):
            await self._queue.sweep(job_id, [Blob(blob.kind, blob.name) for blob in blobs])
        if report.loose:
            log.info("%d files that no photo has any more are deleted", len(report.loose))
        for result in report.lost:
            await self._queue.lost(result.job_id, result.file_id)
            log.warning("job=%s file=%s status=lost", result.job_id, result.file_id)
        swept = await asyncio.to_thread(self._assets.sweep, self._settings.keep_days)
        if swept:
            log.info("%d uploaded pictures that nobody used are deleted", swept)
        return report

    async def _doomed(self, job_id: str) -> DoomedJob:
        job = await self._queue.job(job_id)
        size = await asyncio.to_thread(self._storage.job_bytes, job_id)
        return DoomedJob(id=job_id, name=job.name, status=job.status, expires_at=job.expires_at, bytes=size)

    async def _orphans(self) -> tuple[DoomedFolder, ...]:
        """Folders without a job; none while a damaged database is in quarantine, since the jobs may be in there."""
        if self._settings.quarantine_path.exists():
            return ()
        folders = await asyncio.to_thread(self._storage.job_folders, time.time() - ORPHAN_AGE)
        known = await self._queue.job_ids()
        doomed = []
        for name in folders - known:
            size = await asyncio.to_thread(self._storage.job_bytes, name)
            doomed.append(DoomedFolder(name=name, bytes=size))
        return tuple(doomed)

    async def _loose(self) -> tuple[LooseBlob, ...]:
        """What no row refers to, of what an earlier run left or nobody has touched for an hour; none in quarantine."""
        if self._settings.quarantine_path.exists():
            return ()
        before = max(self._started, time.time() - ORPHAN_AGE)
        loose = []
        for job_id in sorted(await self._queue.job_ids()):
            stored = await asyncio.to_thread(self._storage.blobs, job_id, before)
            known = await self._queue.references(job_id) if stored else set()
            loose += [
                LooseBlob(job_id=job_id, kind=blob.kind, name=blob.name, bytes=size)
                for blob, size in stored
                if reference_of(blob) not in known
            ]
        return tuple(loose)

    async def _lost(self) -> tuple[LostResult, ...]:
        blobs = await self._queue.result_blobs()

        def missing() -> tuple[LostResult, ...]:
            gone = {
                (job_id, file_id): None
                for job_id, file_id, digest in blobs
                if not self._storage.path(job_id, "result", digest).exists()
            }
            return tuple(LostResult(job_id=job_id, file_id=file_id) for job_id, file_id in gone)

        return await asyncio.to_thread(missing)


def notice_of(healed: backups.Healed | None) -> tuple[Notice, ...]:
    """What the page says after a damaged database was put aside."""
    if healed is None:
        return ()
    if healed.backup is None:
        text = "The list of jobs was damaged and there was no backup; it starts empty."
    else:
        text = f"The list of jobs was damaged; the backup {healed.backup.stem} was restored. Later jobs are not in it."
    message = f"{text} No photo was deleted; the damaged file is in the folder 'quarantine'."
    return (Notice(code="queue_restored", message=message),)
