"""The queue: jobs and files in SQLite. Each change is one transaction, and is published once it is on disk."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from sqlite3 import Row

import errors
from schemas import FINAL_STATUSES, FileError, FileWarning, Job, Priority, Recipe
from sql.changes import QueueChanges
from sql.database import Transaction
from sql.rows import (
    PRIORITIES,
    Claim,
    NewFile,
    StoredResult,
    claim_from,
    error_text,
    file_error,
    job_from,
    result_values,
)


def new_id() -> str:
    """An id for a job or file: 32 hex digits."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class NewJob:
    """A submission. `fingerprint` identifies the request that used `idempotency_key`."""

    id: str
    name: str
    recipe: Recipe
    priority: Priority = "normal"
    batch: bool = False
    idempotency_key: str | None = None
    fingerprint: str | None = None


class QueueManager(QueueChanges):
    """Jobs, files and events, from arrival to deletion."""

    # --- arrival ---

    async def enqueue(self, job: NewJob, files: Sequence[NewFile], *, seal: bool = True) -> Job:
        """Write a job with its files, all or nothing; an open job (`seal=False`) may get more later.

        Raises:
            errors.IdempotencyMismatch: the key was used for another request.
        """
        async with self._database.transaction() as tx:
            if job.idempotency_key is not None:
                known = await tx.one("get_job_by_key", idempotency_key=job.idempotency_key)
                if known is not None:
                    return _same_request(known, job)
            now = time.time()
            await tx.run(
                "insert_job",
                id=job.id,
                name=job.name,
                recipe=job.recipe.model_dump_json(),
                priority=PRIORITIES.index(job.priority),
                batch=int(job.batch or len(files) > 1),
                idempotency_key=job.idempotency_key,
                fingerprint=job.fingerprint,
                now=now,
            )
            await self._insert(tx, job.id, files, first=0)
            if seal and files:
                await tx.one("seal", job_id=job.id, now=now)
                await self._finish_job(tx, await self._job(tx, job.id))
            row, event = await self._end(tx, job.id, "job_created", [])
        return self._told(row, event)

    async def add_files(
        self, job_id: str, files: Sequence[NewFile], max_files: int, key: str | None = None
    ) -> tuple[Job, list[str]]:
        """Add files to an open job; returns it with their ids, or with those that the same `key` added before.

        Raises:
            errors.JobNotFound, errors.Conflict: no such job, or it is sealed.
            errors.TooManyFiles: the job would hold more than `max_files`.
        """
        ids = [file.id for file in files]
        async with self._database.transaction() as tx:
            job = await self._job(tx, job_id)
            known = await tx.one("get_addition", job_id=job_id, key=key) if key else None
            if known is not None:
                return job_from(job), list(json.loads(known["file_ids"]))
            if job["sealed"]:
                raise errors.Conflict("The job is sealed and takes no more files.")
            if job["total"] + len(files) > max_files:
                raise errors.TooManyFiles(f"A job holds at most {max_files} files.")
            await self._insert(tx, job_id, files, first=job["total"])
            if key:
                await tx.run("insert_addition", job_id=job_id, key=key, file_ids=json.dumps(ids))
            rows = [await tx.one("get_file", job_id=job_id, file_id=file_id) for file_id in ids]
            row, event = await self._end(tx, job_id, "files_added", [row for row in rows if row])
        return self._told(row, event), ids

    async def seal(self, job_id: str) -> Job:
        """Say that an open job has all its files. Sealing a sealed job changes nothing."""
        async with self._database.transaction() as tx:
            job = await self._job(tx, job_id)
            if job["sealed"]:
                return job_from(job)
            if await tx.one("seal", job_id=job_id, now=time.time()) is None:
                raise errors.Conflict("The job has no files yet.")
            await self._finish_job(tx, await self._job(tx, job_id))
            row, event = await self._end(tx, job_id, "job_sealed", [])
        return self._told(row, event)

    async def _insert(self, tx: Transaction, job_id: str, files: Sequence[NewFile], first: int) -> None:
        await tx.many(
            "insert_file",
            [
                {
                    "id": file.id,
                    "job_id": job_id,
                    "position": first + index,
                    "name": file.name,
                    "status": "failed" if file.error else "queued",
                    "media_type": file.media_type,
                    "size": file.size,
                    "sha256": file.sha256,
                    "archive": file.archive,
                    "entry": file.entry,
                    "error": error_text(file.error),
                }
                for index, file in enumerate(files)
            ],
        )
        failed = sum(1 for file in files if file.error)
        counted = await tx.one(
            "count_inserted",
            job_id=job_id,
            total=len(files),
            queued=len(files) - failed,
            failed=failed,
            batch=int(first + len(files) > 1),
            now=time.time(),
        )
        if counted is None:
            raise errors.Conflict("The job takes no more files.")
        for twin in await tx.all("finished_twins", job_id=job_id, first=first):
            await self._finish_duplicates(tx, twin["id"])

    # --- work ---

    async def claim(self) -> Claim | None:
        """Take one file: highest priority first, round robin between jobs of one priority. None: nothing waits."""
        now = time.time()
        async with self._database.transaction() as tx:
            file = await tx.one("claim_file", token=new_id(), now=now)
            if file is None:
                return None
            row = await tx.one("claim_job", job_id=file["job_id"], now=now)
            if row is None:
                raise AssertionError("a file without its job, inside the write transaction")
            event = await self._noted(tx, row, "file_started", [file])
        self._tell(row, event)
        self.arrived.set()  # wakes the next idle worker, which clears it again where nothing is left
        return claim_from(file, row)

    async def wait(self, longest: float) -> None:
        """Return when a file may have become claimable, at the latest after `longest` seconds."""
        row = await self._database.one("next_available_at")
        if row is not None and row["at"] is not None:
            longest = min(longest, max(0.0, row["at"] - time.time()))
        try:
            await asyncio.wait_for(self.arrived.wait(), longest)
        except TimeoutError:
            return

    async def unpacked(self, claim: Claim, sha256: str, size: int, media_type: str) -> Claim | None:
        """Note where an archive's entry is stored now.

        None: the job has the same photo already; this one takes its result, and the claim is over.
        """
        async with self._database.transaction() as tx:
            file = await tx.one(
                "unpack_file", id=claim.file_id, token=claim.token, sha256=sha256, size=size, media_type=media_type
            )
            if file is None:
                return None
            if file["duplicate_of"] is None:
                return replace(claim, sha256=sha256, size=size)
            await tx.one("defer_to_twin", id=claim.file_id, token=claim.token)
            await tx.one("release_job", job_id=claim.job_id, now=time.time())
            original = await tx.one("get_file", job_id=claim.job_id, file_id=file["duplicate_of"])
            if original is not None and original["status"] in ("completed", "failed"):
                await self._finish_duplicates(tx, original["id"])
                await self._finish_job(tx, await self._job(tx, claim.job_id))
            changed = await tx.all("get_file", job_id=claim.job_id, file_id=claim.file_id)
            row, event = await self._end(tx, claim.job_id, "file_deferred", changed)
        self._tell(row, event)
        return None

    async def complete(self, claim: Claim, result: StoredResult) -> bool:
        """Record a file's result. False: the claim no longer holds (cancelled, deleted), and nothing changed."""
        async with self._database.transaction() as tx:
            file = await tx.one("complete_file", id=claim.file_id, token=claim.token, **result_values(result))
            if file is None:
                return False
            if claim.attempts > 1:
                await tx.run("clear_outputs", file_id=claim.file_id)
            await tx.many(
                "insert_output",
                [
                    {"file_id": claim.file_id, "position": index, **output.model_dump(exclude={"url"})}
                    for index, output in enumerate(result.outputs)
                ],
            )
            row, event = await self._finished(tx, file, succeeded=1)
        self._tell(row, event)
        return True

    async def fail(self, claim: Claim, error: FileError, warnings: Sequence[FileWarning] = ()) -> bool:
        """Record why a file failed. False: the claim no longer holds."""
        texts = json.dumps([warning.model_dump() for warning in warnings])
        async with self._database.transaction() as tx:
            file = await tx.one(
                "fail_file", id=claim.file_id, token=claim.token, error=error_text(error), warnings=texts
            )
            if file is None:
                return False
            row, event = await self._finished(tx, file, succeeded=0)
        self._tell(row, event)
        return True

    async def release(self, claim: Claim, delay: float = 0.0, *, counted: bool = False) -> bool:
        """Put a file back, claimable again in `delay` seconds; the attempt counts only if `counted`."""
        async with self._database.transaction() as tx:
            file = await tx.one(
                "release_file",
                id=claim.file_id,
                token=claim.token,
                available_at=time.time() + delay,
                refund=int(not counted),
            )
            if file is None:
                return False
            await tx.one("release_job", job_id=claim.job_id, now=time.time())
            row, event = await self._end(tx, claim.job_id, "file_released", [file])
        self._tell(row, event)
        return True

    # --- control ---

    async def cancel(self, job_id: str) -> Job:
        """Cancel what is not finished; finished files stay. Cancelling a cancelled job changes nothing."""
        async with self._database.transaction() as tx:
            job = await self._job(tx, job_id)
            if job["status"] == "cancelled":
                return job_from(job)
            now = time.time()
            if await tx.one("cancel_job", job_id=job_id, now=now, expires_at=now + self._keep) is None:
                raise errors.Conflict("The job has already ended.")
            files = await tx.all("cancel_files", job_id=job_id)
            row, event = await self._end(tx, job_id, "job_cancelled", files)
        return self._told(row, event)

    async def pause(self, job_id: str) -> Job:
        """Start no further file of the job; running ones finish."""
        return await self._switch(job_id, "pause_job", "paused", "job_paused")

    async def resume(self, job_id: str) -> Job:
        """Go on with a paused job."""
        return await self._switch(job_id, "resume_job", None, "job_resumed")

    async def _switch(self, job_id: str, statement: str, already: str | None, event_type: str) -> Job:
        async with self._database.transaction() as tx:
            job = await self._job(tx, job_id)
            if job["status"] == already:
                return job_from(job)
            if await tx.one(statement, job_id=job_id, now=time.time()) is None:
                raise errors.Conflict(f"The job is {job['status']}.")
            row, event = await self._end(tx, job_id, event_type, [])
        return self._told(row, event)

    async def retry(self, job_id: str, file_id: str | None = None) -> Job:
        """Queue the failed files again, or one of them.

        Raises:
            errors.Conflict: nothing failed that could be tried again.
        """
        async with self._database.transaction() as tx:
            job = await self._job(tx, job_id)
            files = [] if job["status"] == "cancelled" else await tx.all("retry_files", job_id=job_id, file_id=file_id)
            if not files:
                raise errors.Conflict("No failed photo of this job can be tried again.")
            await tx.one("retry_job", job_id=job_id, count=len(files), now=time.time())
            for twin in await tx.all("finished_twins", job_id=job_id, first=0):
                await self._finish_duplicates(tx, twin["id"])
            row, event = await self._end(tx, job_id, "files_retried", files)
        return self._told(row, event)

    async def reprocess(self, job_id: str, recipe: Recipe) -> Job:
        """Do an ended job's photos again by another recipe; the results so far are given up.

        Raises:
            errors.Conflict: the job has not ended, or none of its photos is kept.
        """
        async with self._database.transaction() as tx:
            job = await self._job(tx, job_id)
            if job["status"] not in FINAL_STATUSES:
                raise errors.Conflict(f"The job is {job['status']}; a new recipe waits until it has ended.")
            files = await tx.all("reprocess_files", job_id=job_id)
            if not files:
                raise errors.Conflict("None of the job's photos is kept.")
            await tx.run("clear_job_outputs", job_id=job_id)
            text = recipe.model_dump_json()
            await tx.one("reprocess_job", job_id=job_id, recipe=text, count=len(files), now=time.time())
            row, event = await self._end(tx, job_id, "job_reprocessed", files)
        return self._told(row, event)

    async def delete(self, job_id: str) -> None:
        """Forget the job and its files."""
        async with self._database.transaction() as tx:
            row = await tx.one("delete_job", job_id=job_id)
        if row is None:
            raise errors.JobNotFound()

    async def expire(self, job_id: str) -> bool:
        """Forget a job whose time is over. False: it is wanted again."""
        async with self._database.transaction() as tx:
            return await tx.one("delete_expired", job_id=job_id, now=time.time()) is not None

    async def to_front(self, job_id: str) -> Job:
        """Serve the job next, before every other."""
        return await self._switch(job_id, "to_front", None, "job_moved")

    async def change(self, job_id: str, name: str | None, priority: Priority | None, keep: bool | None) -> Job:
        """Rename a job, change its priority, or keep it for good; None leaves as it is."""
        async with self._database.transaction() as tx:
            await self._job(tx, job_id)
            await tx.one(
                "change_job",
                job_id=job_id,
                name=name,
                priority=None if priority is None else PRIORITIES.index(priority),
                kept=None if keep is None else int(keep),
                now=time.time(),
                expires_at=time.time() + self._keep,
            )
            row, event = await self._end(tx, job_id, "job_changed", [])
        return self._told(row, event)

    async def recover(self) -> int:
        """Queue again what an earlier run left in process; fail what has brought three runs down. Returns the count."""
        async with self._database.transaction() as tx:
            crashed = await tx.all("crashed_files")
            for file in crashed:
                await self._crash(tx, file)
        return len(crashed)

    async def crashed(self, claim: Claim) -> bool:
        """The process that worked on the file died: as `recover`, for one file. False: the claim no longer holds."""
        async with self._database.transaction() as tx:
            file = await tx.one("get_file", job_id=claim.job_id, file_id=claim.file_id)
            if file is None or file["token"] != claim.token:
                return False
            row, event = await self._crash(tx, file)
        self._tell(row, event)
        return True

    async def lost(self, job_id: str, file_id: str) -> None:
        """Fail a completed file whose result has vanished from the disk; it may be tried again."""
        async with self._database.transaction() as tx:
            file = await tx.one("lose_result", id=file_id, error=error_text(file_error(errors.ResultLost())))
            if file is None:
                return
            await tx.run("clear_outputs", file_id=file_id)
            await tx.run("count_lost", job_id=job_id, now=time.time())
            row, event = await self._end(tx, job_id, "file_lost", [file])
        self._tell(row, event)


def _same_request(known: Row, job: NewJob) -> Job:
    if known["fingerprint"] != job.fingerprint:
        raise errors.IdempotencyMismatch()
    return job_from(known)
