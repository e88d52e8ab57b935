"""The queue: jobs and files in SQLite. Each change is one transaction, and is published once it is on disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from photo_processor.queue import claims, control, deletion, submission
from photo_processor.queue.blobs import AT_ONCE, loosen
from photo_processor.queue.changes import Change
from photo_processor.queue.control import Redo as Redo
from photo_processor.queue.database import Database
from photo_processor.queue.queries import QueueReader
from photo_processor.queue.records import Claim, Names, NewFile, StoredResult, Unpacked, job_from
from photo_processor.queue.records import new_id as new_id
from photo_processor.queue.submission import NewJob as NewJob
from photo_processor.schemas import Blob, FileError, FileNaming, FileWarning, Frame, Job, JobEvent, Priority, Recipe

DAY = 86_400.0  # seconds
NO_NAMES = Names()
BLOCKED_PAUSE = 0.2  # seconds until another look at a file that waits for others to end

log = logging.getLogger("photo.queue")


class QueueManager(QueueReader):
    """Jobs, files and events, from arrival to deletion."""

    def __init__(self, database: Database, publish: Callable[[JobEvent], None], keep_days: float) -> None:
        super().__init__(database)
        self._publish = publish
        self._keep = keep_days * DAY
        self._idle = max(self._keep, DAY)
        self.arrived = asyncio.Event()

    # --- arrival ---

    async def enqueue(
        self, job: NewJob, files: Sequence[NewFile], names: Names = NO_NAMES, *, seal: bool = True
    ) -> Job:
        """Write a job with its files, all or nothing; an open job (`seal=False`) may get more later.

        Raises:
            errors.IdempotencyMismatch: the key was used for another request.
        """
        return self._told(await self._database.write(submission.enqueue, self._keep, job, files, names, seal=seal))

    async def add_files(
        self,
        job_id: str,
        files: Sequence[NewFile],
        max_files: int,
        key: str | None = None,
        names: Names = NO_NAMES,
        fingerprint: str | None = None,
    ) -> tuple[Job, list[str]]:
        """Add files to an open job; returns it with their ids, or with those that the same `key` added before.

        `fingerprint` identifies the request that used `key`.

        Raises:
            errors.IdempotencyMismatch: the key was used for another request.
            errors.JobNotFound, errors.Conflict: no such job, or it is sealed.
            errors.TooManyFiles: the job would hold more than `max_files`.
        """
        change, ids = await self._database.write(
            submission.add_files, job_id, files, names, max_files, key, fingerprint
        )
        return self._told(change), ids

    async def seal(self, job_id: str) -> Job:
        """Say that an open job has all its files. Sealing a sealed job changes nothing."""
        return self._told(await self._database.write(submission.seal, self._keep, job_id))

    async def seal_idle(self, idle: float) -> list[str]:
        """Seal the open jobs that have photos and were not touched for `idle` seconds; their ids."""
        rows = await self._database.all("idle_open_jobs", before=self._database.now() - idle)
        sealed = []
        for row in rows:
            if self._tell(await self._database.write(submission.seal_idle, self._keep, row["id"], idle)):
                sealed.append(row["id"])
        return sealed

    # --- work ---

    async def claim(self) -> Claim | None:
        """Take one file: highest priority first, round robin between jobs of one priority. None: nothing waits."""
        return self._taken(await self._database.write(claims.claim, new_id()))

    def _taken(self, taken: tuple[Claim, Change] | None) -> Claim | None:
        if taken is None:
            return None
        claim, change = taken
        self._tell(change)
        self.arrived.set()  # wakes the next idle worker, which clears it again where nothing is left
        return claim

    async def wait(self, longest: float) -> None:
        """Return when a file may have become claimable, at the latest after `longest` seconds."""
        row = await self._database.one("next_available_at")
        if row is not None and row["at"] is not None:
            left = row["at"] - self._database.now()
            longest = min(longest, left if left > 0 else BLOCKED_PAUSE)
        try:
            await asyncio.wait_for(self.arrived.wait(), longest)
        except TimeoutError:
            return

    async def entries_ahead(self, claim: Claim, limit: int) -> list[Unpacked]:
        """The entries of the claim's archive that come up next, not unpacked yet, at most `limit`."""
        values = {"job_id": claim.job_id, "archive": claim.archive, "entry": claim.entry}
        rows = await self._database.all("entries_ahead", limit=limit, **values)
        return [Unpacked(row["id"], row["entry"], row["size"]) for row in rows]

    async def unpacked(self, claim: Claim, files: Sequence[Unpacked]) -> Claim | None:
        """Note where entries of an archive are stored now: the claim's own first, then others that still wait.

        None: the job has the same photo already; this one takes its result, and the claim is over.
        """
        held, change = await self._database.write(claims.unpacked, self._keep, claim, files)
        self._tell(change)
        return held

    async def complete(self, claim: Claim, result: StoredResult) -> bool:
        """Record a file's result. False: the claim no longer holds (cancelled, deleted), and nothing changed."""
        return self._tell(await self._database.write(claims.complete, self._keep, claim, result))

    async def complete_and_claim(self, claim: Claim, result: StoredResult) -> tuple[bool, Claim | None]:
        """As `complete`, then as `claim`, with one flush of the disk for both."""
        change, taken = await self._database.write(claims.complete_and_claim, self._keep, claim, result, new_id())
        return self._tell(change), self._taken(taken)

    async def fail(self, claim: Claim, error: FileError, warnings: Sequence[FileWarning] = ()) -> bool:
        """Record why a file failed. False: the claim no longer holds."""
        return self._tell(await self._database.write(claims.fail, self._keep, claim, error, warnings))

    async def release(self, claim: Claim, delay: float = 0.0, *, counted: bool = False) -> bool:
        """Put a file back, claimable again in `delay` seconds; the attempt counts only if `counted`."""
        return self._tell(await self._database.write(claims.release, claim, delay, counted=counted))

    async def release_all(self) -> None:
        """Put back every file in process: nobody works on it any more, by intent."""
        for change in await self._database.write(claims.release_all):
            self._tell(change)

    async def recover(self) -> int:
        """Queue again what an earlier run left in process; fail what was alone in hand when three runs ended. Returns
        the count."""
        return await self._database.write(claims.recover, self._keep)

    async def crashed(self, claim: Claim) -> bool:
        """The process that worked on the file died: as `recover`, for one file. False: the claim no longer holds."""
        return self._tell(await self._database.write(claims.crashed, self._keep, claim))

    async def is_lost(self, job_id: str, file_id: str) -> bool:
        """Whether the file is completed and a result of it has vanished from the disk."""
        return await self._database.write(claims.is_lost, job_id, file_id)

    async def lost(self, job_id: str, file_id: str) -> bool:
        """Fail a completed file whose result has vanished from the disk; it may be tried again. False: it is there."""
        return self._tell(await self._database.write(claims.lost, self._keep, job_id, file_id))

    # --- control ---

    async def cancel(self, job_id: str) -> Job:
        """Cancel what is not finished; finished files stay. Cancelling a cancelled job changes nothing."""
        return self._told(await self._database.write(control.cancel, self._keep, job_id))

    async def pause(self, job_id: str) -> Job:
        """Start no further file of the job; running ones finish."""
        return await self._switch(job_id, "pause_job", "paused", "job_paused")

    async def resume(self, job_id: str) -> Job:
        """Go on with a paused job."""
        return await self._switch(job_id, "resume_job", None, "job_resumed")

    async def to_front(self, job_id: str) -> Job:
        """Serve the job next, before every other."""
        return await self._switch(job_id, "to_front", None, "job_moved")

    async def _switch(self, job_id: str, statement: str, already: str | None, kind: str) -> Job:
        return self._told(await self._database.write(control.switch, job_id, statement, already, kind))

    async def retry(self, job_id: str, file_id: str | None = None) -> Job:
        """Queue the failed and the cancelled files again, or one of them.

        Raises:
            errors.Conflict: nothing failed or was cancelled that could be tried again.
        """
        return self._told(await self._database.write(control.retry, job_id, file_id))

    async def reprocess(self, job_id: str, recipe: Recipe, *, apart: bool = False) -> Job:
        """Do an ended job's photos again by another recipe. The results so far stay until the new ones are there, and
        `undo` brings them back. `apart`: as `NewJob`'s.

        Raises:
            errors.Conflict: the job has not ended, or none of its photos is kept.
        """
        return self._told(await self._database.write(control.reprocess, job_id, recipe, apart))

    async def reprocess_some(self, job_id: str, redo: Redo) -> Job:
        """Do finished or failed photos again, of a job that may be running; the others stay as they are.

        Raises:
            errors.FileNotFound: one of them is not in the job.
            errors.Conflict: one is not finished, or not kept.
        """
        return await self._freed(*await self._database.write(control.reprocess_some, job_id, redo))

    async def undo(self, job_id: str, files: Sequence[str] | None = None) -> Job:
        """Have photos as they were before they were last done again, or before that began; None: all of the job.

        Doing it twice brings back what was undone.

        Raises:
            errors.FileNotFound: one of them is not in the job.
            errors.Conflict: nothing is kept of any of them.
        """
        return self._told(await self._database.write(control.undo, self._keep, job_id, files))

    async def draw_mask(self, job_id: str, file_id: str, digest: str | None) -> Job:
        """Make a finished file again with the stored mask `digest`; None: with the model's own.

        Raises:
            errors.Conflict: the file is not finished, or has no mask.
        """
        return self._told(await self._database.write(control.draw_mask, job_id, file_id, digest))

    async def want_crop(self, job_id: str, file_id: str, wanted: Frame | None) -> Job:
        """Cut a finished file out anew by the frame that a person wants; None: as the operation does.

        Raises:
            errors.Conflict: the file is not finished, or was not cropped by its face.
        """
        return self._told(await self._database.write(control.want_crop, job_id, file_id, wanted))

    async def accept(self, job_id: str, file_id: str) -> Job:
        """Say that a finished file looks fine: there is nothing more to look at.

        Raises:
            errors.Conflict: the file is not finished.
        """
        return self._told(await self._database.write(control.accept, job_id, file_id))

    async def accept_some(self, job_id: str, ids: Sequence[str], accepted: bool) -> Job:
        """As `accept` or `unaccept`, of those of the files that it can be said of."""
        return self._told(await self._database.write(control.accept_some, job_id, ids, accepted))

    async def unaccept(self, job_id: str, file_id: str) -> Job:
        """Take back that a finished file looks fine."""
        return self._told(await self._database.write(control.unaccept, job_id, file_id))

    async def change(self, job_id: str, name: str | None, priority: Priority | None, keep: bool | None) -> Job:
        """Rename a job, change its priority, or keep it for good; None leaves as it is."""
        return self._told(await self._database.write(control.change, self._keep, job_id, name, priority, keep))

    async def name_file(self, job_id: str, file_id: str, name: str, naming: FileNaming) -> Job:
        """Call a photo by `name`, and by the number and caption of `naming`; the job's report on names follows."""
        return self._told(await self._database.write(control.name_file, job_id, file_id, name, naming))

    async def name_results(self, job_id: str, recipe: Recipe) -> Job:
        """Call the job's results as `recipe` does; nothing is done again."""
        return self._told(await self._database.write(control.name_results, job_id, recipe))

    async def delete_file(self, job_id: str, file_id: str) -> None:
        """Take a photo out of its job, whatever it is: who works on it finds its claim void.

        Raises:
            errors.JobNotFound, errors.FileNotFound.
        """
        change, loose = await self._database.write(deletion.delete_one, self._keep, job_id, file_id)
        self._tell(change)
        await self.sweep(job_id, loose)

    async def delete_files(self, job_id: str, ids: Sequence[str]) -> Job:
        """As `delete_file`, of all of these that are there still."""
        change, loose = await self._database.write(deletion.delete_files, self._keep, job_id, ids)
        return await self._freed(change, loose)

    async def _freed(self, change: Change, loose: Sequence[Blob]) -> Job:
        """The job of a change that everybody knows of now, and whose blobs are swept."""
        self._tell(change)
        await self.sweep(change.row["id"], loose)
        return job_from(change.row)

    async def sweep(self, job_id: str, blobs: Sequence[Blob]) -> list[Blob]:
        """Delete those of a job's blobs that no row refers to, some at a time: the queue goes on in between.

        Returns those that go.
        """
        gone: list[Blob] = []
        for first in range(0, len(blobs), AT_ONCE):
            gone += await self._database.write(loosen, job_id, blobs[first : first + AT_ONCE])
        return gone

    async def delete_orphan(self, job_id: str, delete: Callable[[str], bool]) -> bool:
        """Have `delete` remove the folder of a job that has no row, while none can get one; whether it is gone."""
        return await self._database.write(claims.delete_orphan, job_id, delete)

    async def delete(self, job_id: str) -> None:
        """Forget the job and its files."""
        await self._database.write(control.delete, job_id)

    async def expire(self, job_id: str) -> bool:
        """Forget a job whose time is over. False: it is wanted again."""
        return await self._database.write(control.expire, job_id, self._idle)

    async def expired(self) -> list[str]:
        """Ids of jobs whose time is over, at most 100: finished ones, and open ones that nobody sealed or added to
        for as long, at least a day."""
        now = self._database.now()
        return [row["id"] for row in await self._database.all("expired_jobs", now=now, abandoned=now - self._idle)]

    # --- publication ---

    def _tell(self, change: Change | None) -> bool:
        """Wake the workers where there is work, then publish; whether there was a change."""
        if change is None or change.event is None:
            return False
        if change.row["queued"] > 0:
            self.arrived.set()
        try:
            self._publish(change.event)
        except Exception:  # the change is on disk: telling others of it may not fail whoever made it
            log.exception("job=%s event %d could not be published", change.row["id"], change.event.seq)
        return True

    def _told(self, change: Change) -> Job:
        """The job of a change that everybody knows of now."""
        self._tell(change)
        return job_from(change.row)
