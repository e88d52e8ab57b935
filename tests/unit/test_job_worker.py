"""The worker between a real queue, real storage, and a runner that does as it is told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

import job_worker
from image_processor import EncodedOutput, ProcessedImage
from job_worker import JobWorker
from photo_processor import errors
from photo_processor.intake.zip_reader import ArchiveReader
from photo_processor.models.store import ModelStore
from photo_processor.queue.database import Database
from photo_processor.queue.records import NewFile
from photo_processor.schemas import Job, JobEvent, Recipe
from photo_processor.settings import Settings
from photo_processor.storage.local import Storage
from photo_processor.worker import supervisor as supervision
from photo_processor.worker.metrics import Metrics
from photo_processor.worker.progress import LiveState
from photo_processor.worker.runners import Control, Work, WorkerDied
from photo_processor.worker.supervisor import Supervisor
from queue_manager import NewJob, QueueManager, new_id

DONE = ProcessedImage(
    width=2,
    height=1,
    outputs=(EncodedOutput("full", "png", 2, 1, b"result"),),
    mask=None,
    thumbnail=b"small",
    engine=None,
    faces=None,
    frame=None,
    review=(),
    warnings=(),
    timings={"total_s": 0.01},
)
T = TypeVar("T")
Deed = BaseException | Callable[[], object] | None


class Obedient:
    """A runner: raises, calls, or finishes as `deeds` say, one for each photo; then finishes every one."""

    def __init__(self) -> None:
        self.deeds: list[Deed] = []
        self.runs = 0

    async def run(
        self, work: Work, control: Control, stage: Callable[[str], None], keep: Callable[[ProcessedImage], T]
    ) -> T:
        self.runs += 1
        await asyncio.to_thread(stage, "removing background")
        deed = self.deeds.pop(0) if self.deeds else None
        if isinstance(deed, BaseException):
            raise deed
        if deed is not None:
            await asyncio.sleep(0)
            deed()
            control.check()
        await asyncio.to_thread(stage, "saving")
        return await asyncio.to_thread(keep, DONE)

    async def close(self) -> bool:
        return True


class Place:
    """A worker with its surroundings."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, workers=1, offline=True, min_free_bytes=0)
        self.storage = Storage(folder)
        self.storage.prepare()
        self.database = Database(self.settings.database_path)
        self.events: list[JobEvent] = []
        self.live = LiveState(1)
        self.queue = QueueManager(self.database, self._changed, keep_days=1)
        self.runner = Obedient()
        self.supervisor = Supervisor()
        store = ModelStore(self.settings)
        self.worker = JobWorker(
            self.settings,
            self.queue,
            self.storage,
            ArchiveReader(),
            store,
            self.runner,
            self.live,
            Metrics(),
            self.events.append,
            followed=lambda _: True,
            supervisor=self.supervisor,
        )

    def _changed(self, event: JobEvent) -> None:
        self.live.note(event)
        self.events.append(event)

    async def submit(self, count: int = 1) -> str:
        job = NewJob(id=new_id(), name="j", recipe=Recipe())
        rows = []
        for index in range(count):
            digest = self.storage.put(f"photo {index}".encode(), job.id, "source")
            rows.append(NewFile(id=new_id(), name=f"{index}.jpg", size=7, sha256=digest))
        await self.queue.enqueue(job, rows)
        return job.id

    async def ended(self, job_id: str) -> Job:
        async with asyncio.timeout(20):
            while (job := await self.queue.job(job_id)).status not in ("completed", "failed", "cancelled"):
                await asyncio.sleep(0.01)
        return job


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(job_worker, "RETRY_PAUSE", 0.02)
    monkeypatch.setattr(job_worker, "FULL_DISK_PAUSE", 0.02)
    place = Place(tmp_path / "data")
    await place.database.open()
    place.worker.start()
    yield place
    assert await place.worker.stop(1)
    await place.database.close()


async def test_result_is_stored_before_it_is_told(place: Place) -> None:
    job_id = await place.submit()
    await place.ended(job_id)
    (file,) = (await place.queue.files(job_id, None, 1, None)).files
    assert place.storage.path(job_id, "result", file.outputs[0].sha256).read_bytes() == b"result"
    stages = [brief.stage for event in place.events for brief in event.files]
    assert stages.index("removing background") < stages.index("saving") < stages.index("done")


async def test_broken_photo_is_not_tried_again(place: Place) -> None:
    place.runner.deeds = [errors.BrokenImage()]
    job = await place.ended(await place.submit())
    assert (job.status, job.error.code if job.error else None, place.runner.runs) == ("failed", "broken_image", 1)


async def test_passing_error_is_tried_again_with_growing_pauses(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    release = place.queue.release

    async def noted(claim: object, delay: float = 0.0, *, counted: bool = False) -> bool:
        pauses.append(delay)
        return await release(claim, delay, counted=counted)  # type: ignore[arg-type]

    monkeypatch.setattr(place.queue, "release", noted)
    place.runner.deeds = [errors.StorageUnavailable() for _ in range(9)]
    job = await place.ended(await place.submit())
    assert (job.status, place.runner.runs) == ("failed", job_worker.RETRIES)
    assert pauses == [0.04, 0.08]


async def test_full_disk_never_fails_a_photo(place: Place) -> None:
    place.runner.deeds = [errors.StorageFull() for _ in range(6)]
    job_id = await place.submit()
    assert (await place.ended(job_id)).status == "completed"
    assert (await place.queue.files(job_id, None, 1, None)).files[0].attempts == 1


async def test_unexpected_error_fails_the_photo_without_its_text(place: Place) -> None:
    place.runner.deeds = [ZeroDivisionError("secret /path")]
    job = await place.ended(await place.submit(2))
    assert job.progress.failed == 1
    (file,) = (await place.queue.files(job.id, "failed", 9, None)).files
    assert file.error is not None
    assert file.error.code == "internal_error"
    assert "secret" not in file.model_dump_json()


async def test_process_that_dies_three_times_fails_its_photo_alone(place: Place) -> None:
    place.runner.deeds = [WorkerDied(), WorkerDied(), WorkerDied()]
    job = await place.ended(await place.submit(2))
    assert (job.progress.succeeded, job.progress.failed) == (1, 1)
    (file,) = (await place.queue.files(job.id, "failed", 9, None)).files
    assert file.error is not None
    assert file.error.code == "crashed_worker"


async def test_cancelled_job_stops_its_running_photo(place: Place) -> None:
    job_id = await place.submit(3)
    place.runner.deeds = [lambda: asyncio.ensure_future(place.queue.cancel(job_id)), None, None]
    assert (await place.ended(job_id)).status == "cancelled"
    place.worker.cancel(job_id)
    await asyncio.sleep(0.1)
    assert (await place.queue.job(job_id)).progress.succeeded <= 1


async def test_deleted_job_leaves_nothing_behind(place: Place) -> None:
    job_id = await place.submit(1)
    done, running = asyncio.Event(), []

    def delete() -> None:
        async def work() -> None:
            await place.queue.delete(job_id)
            place.storage.delete_job(job_id)
            done.set()

        running.append(asyncio.ensure_future(work()))

    place.runner.deeds = [delete]
    await asyncio.wait_for(done.wait(), 5)
    async with asyncio.timeout(5):
        while place.worker.running or (place.storage.root / "jobs" / job_id).exists():
            await asyncio.sleep(0.01)


async def test_photo_claimed_by_a_worker_that_is_stopped_meanwhile_goes_back(tmp_path: Path) -> None:
    place = Place(tmp_path / "data")
    await place.database.open()
    job_id = await place.submit()
    claiming = asyncio.create_task(place.queue.claim())
    await asyncio.sleep(0)
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    await place.worker.stop(0)
    (file,) = (await place.queue.files(job_id, None, 1, None)).files
    assert (file.status, file.attempts) == ("queued", 0)
    assert place.events[-1].seq == 3, "created, claimed, released"
    await place.database.close()


async def test_locked_database_ends_no_worker_and_loses_no_result(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = sqlite3.connect(place.settings.database_path, isolation_level=None)
    await place.database._writer.execute("PRAGMA busy_timeout = 10")
    lock_ends = asyncio.Event()

    def lock() -> None:
        locked.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.3, lambda: (locked.execute("COMMIT"), lock_ends.set()))

    place.runner.deeds = [lock]
    job = await place.ended(await place.submit(3))
    assert lock_ends.is_set()
    locked.close()
    assert (job.status, job.progress.succeeded) == ("completed", 3)
    assert place.runner.runs == 3, "what was done is recorded later, not done again"
    assert place.worker.alive == 1
    assert place.queue.is_writable


async def test_photo_whose_end_cannot_be_recorded_waits_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    fail = place.queue.fail
    calls = []

    async def broken(*arguments: object) -> bool:
        calls.append(arguments)
        if len(calls) == 1:
            raise sqlite3.IntegrityError("no such thing")
        return await fail(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(place.queue, "fail", broken)
    place.runner.deeds = [errors.BrokenImage(), errors.BrokenImage()]
    job = await place.ended(await place.submit())
    assert (job.status, place.runner.runs, place.worker.alive) == ("failed", 2, 1)
    assert place.supervisor.failures["worker"] == 1


async def test_error_after_the_commit_loses_neither_the_result_nor_the_next_photo(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(place.live, "observe", fails)
    job = await place.ended(await place.submit(3))
    assert (job.status, job.progress.succeeded, place.runner.runs) == ("completed", 3, 3)
    assert place.worker.alive == 1


async def test_worker_that_ends_by_an_error_runs_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.02)

    async def damaged(_: float) -> None:
        monkeypatch.undo()
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(place.queue, "wait", damaged)
    place.queue.arrived.set()
    async with asyncio.timeout(10):
        while not place.supervisor.failures:
            await asyncio.sleep(0.005)
    assert (await place.ended(await place.submit())).status == "completed"
    assert place.worker.alive == 1
