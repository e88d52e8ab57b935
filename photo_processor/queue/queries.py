"""What the queue knows: every read, on connections that cannot write."""

import asyncio
from functools import partial
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue.database import Database
from photo_processor.queue.records import (
    PRIORITIES,
    StoredFile,
    event_from,
    file_from,
    job_from,
    stored_from,
    totals_from,
)
from photo_processor.schemas import (
    FilePage,
    Job,
    JobEvent,
    JobFile,
    JobPage,
    NameEntry,
    NameList,
    Priority,
    Sample,
    Totals,
)

DAY = 86_400.0  # seconds
AT_ONCE = 500  # rows that become a message on the event loop; more take a thread
FILES_AT_ONCE = 50  # rows that become files there
HISTORY = 500  # finished photos that estimates are learnt from


class QueueReader:
    """Jobs, files and counts as they are on disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def job(self, job_id: str) -> Job:
        row = await self._database.one("get_job", job_id=job_id)
        if row is None:
            raise errors.JobNotFound()
        return job_from(row)

    async def has_job(self, job_id: str) -> bool:
        return await self._database.one("get_job", job_id=job_id) is not None

    async def has_addition(self, job_id: str, key: str) -> bool:
        """Whether a request of that key has added files to the job."""
        return await self._database.one("get_addition", job_id=job_id, key=key) is not None

    async def jobs(self, status: str | None, limit: int, before: str | None) -> JobPage:
        """A page of jobs, newest first."""
        rows = await self._database.all("list_jobs", status=status, limit=limit + 1, before=before)
        jobs = tuple(job_from(row) for row in rows[:limit])
        return JobPage(jobs=jobs, next=jobs[-1].id if len(rows) > limit else None)

    async def job_ids(self) -> frozenset[str]:
        return frozenset(row["id"] for row in await self._database.all("job_ids"))

    async def file(self, job_id: str, file_id: str) -> JobFile:
        row = await self._file(job_id, file_id)
        return file_from(row, await self._database.all("outputs_of_file", file_id=file_id), facts=True)

    async def stored(self, job_id: str, file_id: str) -> StoredFile:
        """Where the file's bytes are."""
        return stored_from(await self._file(job_id, file_id))

    async def _file(self, job_id: str, file_id: str) -> Row:
        row = await self._database.one("get_file", job_id=job_id, file_id=file_id)
        if row is None:
            await self.job(job_id)
            raise errors.FileNotFound()
        return row

    async def files(
        self, job_id: str, status: str | None, limit: int, after: str | None, *, facts: bool = False
    ) -> FilePage:
        """A page of a job's files, in order of arrival; with what is known of the photos themselves."""
        rows = await self._database.all("list_files", job_id=job_id, status=status, limit=limit + 1, after=after)
        deleted = await self._deleted(job_id) if after is None else ()
        if not rows:
            await self.job(job_id)
            return FilePage(files=(), next=None, deleted=deleted)
        page = rows[:limit]
        span = {"first": page[0]["position"], "last": page[-1]["position"]}
        outputs: dict[str, list[Row]] = {}
        for output in await self._database.all("outputs_of_job", job_id=job_id, **span):
            outputs.setdefault(output["file_id"], []).append(output)

        def made() -> tuple[JobFile, ...]:
            return tuple(file_from(row, outputs.get(row["id"], ()), facts=facts) for row in page)

        files = made() if len(page) <= FILES_AT_ONCE else await asyncio.to_thread(made)
        return FilePage(files=files, next=files[-1].id if len(rows) > limit else None, deleted=deleted)

    async def _deleted(self, job_id: str, since: int = 0) -> tuple[str, ...]:
        """Ids of the files that were deleted after event `since`."""
        return tuple(row["file_id"] for row in await self._database.all("deleted_since", job_id=job_id, since=since))

    async def references(self, job_id: str) -> set[tuple[str, str]]:
        """Everything that the job's rows refer to of its blobs, as `schemas.blobs.Reference` has it."""
        rows = await self._database.all("references_of_job", job_id=job_id)
        return {(row["kind"], row["key"]) for row in rows}

    async def hashes(self, job_id: str) -> list[tuple[str, str, str]]:
        """Id, name and perceptual hash of each photo of the job that has one, in order of arrival."""
        rows = await self._database.all("hashes_of_job", job_id=job_id)
        return [(row["id"], row["name"], row["phash"]) for row in rows]

    async def unused_names(self, job_id: str) -> list[str]:
        """The photos that the job's list of names has, and the job has not."""
        return [row["file"] for row in await self._database.all("unused_names", job_id=job_id)]

    async def names(self, job_id: str) -> NameList:
        """The rows of the job's lists of names."""
        await self.job(job_id)
        rows = await self._database.all("names_of_job", job_id=job_id)
        entries = (NameEntry(**{name: row[name] for name in NameEntry.model_fields}) for row in rows)
        return NameList(rows=tuple(entries))

    async def snapshot(self, job_id: str, since: int | None = None) -> JobEvent:
        """The job now, with all its files, or with those that changed or were deleted after event `since`."""
        job = await self._database.one("get_job", job_id=job_id)
        if job is None:
            raise errors.JobNotFound()
        if since is None or since > job["seq"]:
            rows = await self._database.all("list_files", job_id=job_id, status=None, limit=-1, after=None)
            deleted = await self._deleted(job_id)
        else:
            rows = await self._database.all("files_changed_since", job_id=job_id, since=since)
            deleted = await self._deleted(job_id, since)
        if len(rows) <= AT_ONCE:
            return event_from(job, rows, snapshot=True, deleted=deleted)
        return await asyncio.to_thread(partial(event_from, job, rows, snapshot=True, deleted=deleted))

    async def seq(self, job_id: str) -> int:
        """The number of the job's newest event."""
        row = await self._database.one("seq_of_job", job_id=job_id)
        if row is None:
            raise errors.JobNotFound()
        return int(row["seq"])

    async def unfinished(self) -> list[JobEvent]:
        """Where every job stands that has not ended."""
        rows = await self._database.all("unfinished_jobs")
        return [event_from(row, []) for row in rows]

    async def totals(self) -> Totals:
        """Counts over everything that the queue still knows."""
        now = self._database.now()
        (today,) = await self._database.all("span_totals", since=now - DAY)
        (week,) = await self._database.all("span_totals", since=now - 7 * DAY)
        return totals_from(
            today=today,
            week=week,
            jobs=await self._database.all("job_totals"),
            files=await self._database.all("file_totals"),
            models=await self._database.all("model_totals"),
            failures=await self._database.all("failure_totals"),
        )

    async def history(self) -> list[Sample]:
        """The newest finished photos, oldest first: what estimates are learnt from."""
        rows = await self._database.all("recent_totals", limit=HISTORY)
        return [Sample(row["model"] or "", row["megapixels"], row["seconds"]) for row in reversed(rows)]

    async def result_blobs(self) -> list[tuple[str, str, str]]:
        """Job id, file id and digest of every stored result."""
        rows = await self._database.all("result_blobs")
        return [(row["job_id"], row["file_id"], row["sha256"]) for row in rows]

    async def recipes(self) -> list[str]:
        """Every recipe that a job or photo has, as JSON."""
        return [row["recipe"] for row in await self._database.all("all_recipes")]

    async def waiting_jobs(self) -> int:
        """Jobs with photos that wait."""
        row = await self._database.one("waiting_jobs")
        return int(row["waiting"]) if row else 0

    @property
    def is_writable(self) -> bool:
        """Whether the newest change could be written."""
        return self._database.is_writable

    async def depth_by_priority(self) -> dict[Priority, int]:
        """Photos that wait, by the priority of their jobs."""
        rows = {row["priority"]: row["queued"] for row in await self._database.all("depth_totals")}
        return {name: rows.get(number, 0) for number, name in enumerate(PRIORITIES)}

    async def depth(self) -> tuple[int, int]:
        """Files waiting and files in process."""
        row = await self._database.one("queue_depth")
        return (row["queued"], row["running"]) if row else (0, 0)
