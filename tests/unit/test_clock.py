"""The system's clock is set while the server runs: no span gets longer or shorter by it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from photo_processor.queue.clock import Clock
from photo_processor.queue.database import Database
from photo_processor.schemas import Recipe
from queue_manager import NewJob, QueueManager, new_id
from tests.unit.test_queue_manager import RESULT, files

DAY, YEAR = 86_400.0, 365 * 86_400.0


class SetClock:
    """A clock to set, beside one that goes on."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 100.0
        self.clock = Clock(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def time() -> SetClock:
    return SetClock()


@pytest.fixture
async def queue(tmp_path: Path, time: SetClock) -> AsyncIterator[QueueManager]:
    database = Database(tmp_path / "queue.db", clock=time.clock)
    await database.open()
    yield QueueManager(database, lambda _: None, keep_days=7)
    await database.close()


async def finished(queue: QueueManager) -> str:
    job = await queue.enqueue(NewJob(id=new_id(), name="job", recipe=Recipe()), files(1))
    claim = await queue.claim()
    assert claim is not None
    await queue.complete(claim, RESULT)
    return job.id


@pytest.mark.parametrize("leap", [YEAR, -YEAR])
async def test_job_keeps_the_time_it_has_left(queue: QueueManager, time: SetClock, leap: float) -> None:
    job_id = await finished(queue)
    time.pass_by(3 * DAY)
    time.wall += leap
    assert await queue.expired() == []
    assert not await queue.expire(job_id)
    time.pass_by(3.9 * DAY)
    assert await queue.expired() == []
    time.pass_by(0.2 * DAY)
    assert await queue.expired() == [job_id]
    assert await queue.expire(job_id)


@pytest.mark.parametrize("leap", [YEAR, -YEAR])
async def test_open_job_and_pause_keep_the_time_they_have_left(
    queue: QueueManager, time: SetClock, leap: float
) -> None:
    job = await queue.enqueue(NewJob(id=new_id(), name="job", recipe=Recipe()), files(1), seal=False)
    claim = await queue.claim()
    assert claim is not None
    await queue.release(claim, 600)
    time.wall += leap
    assert await queue.claim() is None, "its pause is not over"
    time.pass_by(601)
    claim = await queue.claim()
    assert claim is not None
    await queue.complete(claim, RESULT)
    time.wall += leap
    assert not await queue.expire(job.id)
    time.pass_by(7 * DAY + 1)
    assert await queue.expire(job.id)


async def test_job_of_an_earlier_run_is_kept_no_longer_though_the_clock_was_at_its_beginning(
    queue: QueueManager, time: SetClock, tmp_path: Path
) -> None:
    job_id = await finished(queue)
    time.wall, time.steady = 0.0, 5.0  # it starts without a battery, and is set later
    again = Database(tmp_path / "queue.db", clock=Clock(lambda: time.wall, lambda: time.steady))
    await again.open()
    later = QueueManager(again, lambda _: None, keep_days=7)
    time.wall = 1_800_000_000.0 + DAY
    assert not await later.expire(job_id)
    time.pass_by(7 * DAY + 1)
    assert await later.expired() == [job_id]
    await again.close()


async def test_small_correction_changes_no_row(queue: QueueManager, time: SetClock, tmp_path: Path) -> None:
    job_id = await finished(queue)
    before = (await queue.job(job_id)).expires_at
    time.wall += 30
    await finished(queue)
    assert (await queue.job(job_id)).expires_at == before
    with sqlite3.connect(tmp_path / "queue.db") as connection:
        newest = connection.execute("SELECT max(updated_at) FROM jobs").fetchone()[0]
    connection.close()
    assert newest == pytest.approx(time.wall)
