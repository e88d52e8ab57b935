"""What keeps the data folder in order: expired jobs, orphans both ways, daily backups."""

import asyncio
import logging
import re
import time
from collections.abc import Set
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from photo_processor import errors
from photo_processor.queue import backups
from photo_processor.recipes.assets import Assets
from photo_processor.recipes.own_presets import Presets
from photo_processor.schemas import (
    Blob,
    CleanupReport,
    DoomedFolder,
    DoomedJob,
    LooseBlob,
    LostResult,
    Notice,
    UnusedAsset,
    reference_of,
)
from photo_processor.settings import Settings
from photo_processor.storage.local import Storage
from queue_manager import QueueManager

INTERVAL = 600.0  # seconds between looks for expired jobs
HOUR, DAY = 3_600.0, 86_400.0  # seconds
ORPHAN_AGE = 3_600.0  # seconds a folder without a job is left alone, unless an earlier run left it
ASSET = re.compile(r"(?:asset|picture):([0-9a-f]{64})")

log = logging.getLogger("photo.upkeep")


class Upkeep:
    """Runs beside the workers; `clean` is also what the command and the HTTP call do."""

    def __init__(
        self,
        settings: Settings,
        queue: QueueManager,
        storage: Storage,
        assets: Assets,
        presets: Presets,
        notices: tuple[Notice, ...],
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._storage = storage
        self._assets = assets
        self._presets = presets
        self._started = time.time()
        self.notices = notices
        self.ended_at: datetime | None = None  # when a round last ended well

    async def run(self) -> None:
        """Clean at intervals, the first time as thoroughly as when asked for; back up once a day."""
        while True:
            for job_id in await self._queue.seal_idle(self._settings.open_hours * HOUR):
                log.info("job=%s status=sealed nobody added to it for %g hours", job_id, self._settings.open_hours)
            await self.clean(dry_run=False, thorough=self.ended_at is None)
            age = time.time() - await asyncio.to_thread(self._newest_backup)
            if not 0 <= age <= DAY:  # one of the future was made before the clock was set back
                await self.back_up()
            self.ended_at = datetime.now(UTC)
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
        jobs = await self._expired()
        found = CleanupReport(
            dry_run=dry_run,
            jobs=jobs,
            orphans=await self._orphans(),
            loose=await self._loose({job.id for job in jobs}) if thorough else (),
            lost=await self._lost(),
            assets=await self._unused_assets(),
        )
        return found if dry_run else await self._cleaned(found)

    async def _cleaned(self, found: CleanupReport) -> CleanupReport:
        """What went of `found`: each is looked at once more, in the transaction that takes it away."""
        jobs = [job for job in found.jobs if await self._queue.expire(job.id)]
        for job in jobs:
            await asyncio.to_thread(self._storage.delete_job, job.id)
            log.info("job=%s status=expired bytes=%d", job.id, job.bytes)
        delete = self._storage.delete_unused
        orphans = [folder for folder in found.orphans if await self._queue.delete_orphan(folder.name, delete)]
        for folder in orphans:
            log.info("job=%s status=orphan bytes=%d", folder.name, folder.bytes)
        loose: list[LooseBlob] = []
        for job_id, group in groupby(found.loose, lambda blob: blob.job_id):
            blobs = {Blob(blob.kind, blob.name): blob for blob in group}
            loose += [blobs[blob] for blob in await self._queue.sweep(job_id, list(blobs)) if blob in blobs]
        if loose:
            log.info("%d files that no photo has any more are deleted", len(loose))
        lost = [result for result in found.lost if await self._queue.lost(result.job_id, result.file_id)]
        for result in lost:
            log.warning("job=%s file=%s status=lost", result.job_id, result.file_id)
        used = await self._assets_used()
        assets = [
            asset
            for asset in found.assets
            if asset.id not in used
            and await asyncio.to_thread(self._assets.delete_stale, asset.id, self._settings.keep_days)
        ]
        if assets:
            log.info("%d uploaded pictures that nothing uses are deleted", len(assets))
        return CleanupReport(
            dry_run=False,
            jobs=tuple(jobs),
            orphans=tuple(orphans),
            loose=tuple(loose),
            lost=tuple(lost),
            assets=tuple(assets),
        )

    async def _expired(self) -> tuple[DoomedJob, ...]:
        jobs = []
        for job_id in await self._queue.expired():
            with suppress(errors.JobNotFound):  # somebody deleted it
                job = await self._queue.job(job_id)
                size = await asyncio.to_thread(self._storage.job_bytes, job_id)
                jobs.append(
                    DoomedJob(id=job_id, name=job.name, status=job.status, expires_at=job.expires_at, bytes=size)
                )
        return tuple(jobs)

    async def _unused_assets(self) -> tuple[UnusedAsset, ...]:
        """Pictures that no job and no preset names, unused for as long as jobs are kept; none in quarantine."""
        if self._settings.quarantine_path.exists():
            return ()
        used = await self._assets_used()
        stale = await asyncio.to_thread(self._assets.stale, self._settings.keep_days)
        return tuple(UnusedAsset(id=name, bytes=size) for name, size in stale if name not in used)

    async def _assets_used(self) -> set[str]:
        texts = [await asyncio.to_thread(self._presets.text), *await self._queue.recipes()]
        return {name for text in texts for name in ASSET.findall(text)}

    async def _orphans(self) -> tuple[DoomedFolder, ...]:
        """Folders without a job; none while a damaged database is in quarantine, since the jobs may be in there."""
        if self._settings.quarantine_path.exists():
            return ()
        before = max(self._started, time.time() - ORPHAN_AGE)
        folders = await asyncio.to_thread(self._storage.job_folders, before)
        known = await self._queue.job_ids()
        doomed = []
        for name in folders - known:
            size = await asyncio.to_thread(self._storage.job_bytes, name)
            doomed.append(DoomedFolder(name=name, bytes=size))
        return tuple(doomed)

    async def _loose(self, expired: Set[str]) -> tuple[LooseBlob, ...]:
        """What no row refers to, of what an earlier run left or nobody has touched for an hour; none in quarantine."""
        if self._settings.quarantine_path.exists():
            return ()
        before = max(self._started, time.time() - ORPHAN_AGE)
        loose = []
        for job_id in sorted(await self._queue.job_ids() - expired):
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

        def missing() -> list[tuple[str, str]]:
            gone = {
                (job_id, file_id): None
                for job_id, file_id, digest in blobs
                if not self._storage.path(job_id, "result", digest).exists()
            }
            return list(gone)

        found = [
            LostResult(job_id=job_id, file_id=file_id)
            for job_id, file_id in await asyncio.to_thread(missing)
            if await self._queue.is_lost(job_id, file_id)  # its row may be another one by now
        ]
        return tuple(found)


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
