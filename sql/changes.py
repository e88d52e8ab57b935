"""The steps that changes of the queue share, inside one write transaction and after it."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from sqlite3 import Row

import errors
from schemas import Job, JobEvent
from sql.database import Database, Transaction
from sql.reader import QueueReader
from sql.rows import error_text, event_from, file_error, job_from

MAX_CRASHES = 3
DAY = 86_400.0  # seconds


class QueueChanges(QueueReader):
    """What every change ends with: counts, the job's end, a numbered event on disk, then its publication."""

    def __init__(self, database: Database, publish: Callable[[JobEvent], None], keep_days: float) -> None:
        super().__init__(database)
        self._publish = publish
        self._keep = keep_days * DAY
        self.arrived = asyncio.Event()

    async def _finished(self, tx: Transaction, file: Row, *, succeeded: int) -> tuple[Row, JobEvent]:
        counts = {"succeeded": succeeded, "failed": 1 - succeeded}
        row = await tx.one("count_finished", job_id=file["job_id"], now=time.time(), **counts)
        if row is None:
            raise AssertionError("a file without its job, inside the write transaction")
        copies, counted = await self._finish_duplicates(tx, file["id"])
        row = await self._finish_job(tx, counted or row)
        return row, await self._noted(tx, row, f"file_{file['status']}", [file, *copies])

    async def _finish_duplicates(self, tx: Transaction, original: str) -> tuple[list[Row], Row | None]:
        """Give the copies of a finished file its result; the copies, and their job where there were any."""
        copies = await tx.all("finish_duplicates", id=original)
        if not copies:
            return [], None
        done = copies[0]["status"] == "completed"
        for copy in copies if done else ():
            await tx.run("copy_outputs", id=original, copy=copy["id"])
        counts = {"succeeded": len(copies) if done else 0, "failed": 0 if done else len(copies)}
        return copies, await tx.one("count_duplicates", job_id=copies[0]["job_id"], count=len(copies), **counts)

    async def _finish_job(self, tx: Transaction, job: Row) -> Row:
        """End the job where nothing of it is left to do; the job as it is then."""
        if not job["sealed"] or job["queued"] or job["running"]:
            return job
        now = time.time()
        first = await tx.one("first_error", job_id=job["id"]) if job["succeeded"] == 0 else None
        error = first["error"] if first else None
        if job["total"] > 1:
            detail = f"None of the {job['total']} photos could be processed."
            error = error_text(file_error(errors.AllFilesFailed(detail)))
        ended = await tx.one("finish_job", job_id=job["id"], error=error, now=now, expires_at=now + self._keep)
        return ended or job

    async def _crash(self, tx: Transaction, file: Row) -> tuple[Row, JobEvent]:
        if file["crash_count"] + 1 >= MAX_CRASHES:
            error = error_text(file_error(errors.CrashedWorker()))
            failed = await tx.one("fail_file", id=file["id"], token=file["token"], error=error, warnings="[]")
            return await self._finished(tx, failed or file, succeeded=0)
        queued = await tx.one("requeue_crashed", id=file["id"])
        await tx.one("release_job", job_id=file["job_id"], now=time.time())
        return await self._end(tx, file["job_id"], "file_recovered", [queued or file])

    async def _job(self, tx: Transaction, job_id: str) -> Row:
        row = await tx.one("get_job", job_id=job_id)
        if row is None:
            raise errors.JobNotFound()
        return row

    async def _end(self, tx: Transaction, job_id: str, kind: str, files: Sequence[Row]) -> tuple[Row, JobEvent]:
        """Number the change, then note it."""
        row = await tx.one("next_seq", job_id=job_id)
        if row is None:
            raise errors.JobNotFound()
        return row, await self._noted(tx, row, kind, files)

    async def _noted(self, tx: Transaction, row: Row, kind: str, files: Sequence[Row]) -> JobEvent:
        """Write the event of a change that is numbered already, and say what it looks like from outside."""
        payload = json.dumps({"status": row["status"], "file_ids": [file["id"] for file in files]})
        await tx.run("insert_event", job_id=row["id"], seq=row["seq"], type=kind, payload=payload)
        return event_from(row, files)

    def _tell(self, row: Row, event: JobEvent) -> None:
        """Wake the workers where there is work, then publish."""
        if row["queued"] > 0:
            self.arrived.set()
        self._publish(event)

    def _told(self, row: Row, event: JobEvent) -> Job:
        """The job of a change that everybody knows of now."""
        self._tell(row, event)
        return job_from(row)
