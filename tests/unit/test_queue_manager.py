"""The queue on a real SQLite file."""

import asyncio
import dataclasses
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.queue.database import Database
from photo_processor.queue.records import Claim, NameRow, Names, NewFile, StoredResult, Unpacked
from photo_processor.schemas import Blob, FileError, JobEvent, Operation, Output, Recipe
from queue_manager import NewJob, QueueManager, Redo, new_id

RESULT = StoredResult(
    width=4,
    height=3,
    outputs=(Output(name="full", format="png", width=4, height=3, bytes=9, sha256="ab"),),
    mask=None,
    thumbnail="cd",
    engine=None,
    faces=None,
    warnings=(),
    timings={"total_s": 0.1},
)
BROKEN = FileError(code="broken_image", message="The photo is damaged.")


class Bench:
    """A queue with its file, and everything it published."""

    def __init__(self, path: Path, is_stored: Callable[[str, Blob], bool] = lambda job, blob: False) -> None:
        self.path = path
        self.events: list[JobEvent] = []
        self.database = Database(path, is_stored=is_stored)
        self.queue = QueueManager(self.database, self.events.append, keep_days=7)

    async def submit(self, count: int = 1, *, seal: bool = True, **job: str) -> str:
        new = NewJob(id=new_id(), name="job", recipe=Recipe(operations=(Operation(op="resize"),)), **job)
        await self.queue.enqueue(new, files(count), seal=seal)
        return new.id

    async def claim(self) -> Claim:
        claim = await self.queue.claim()
        assert claim is not None
        return claim

    async def complete_all(self) -> int:
        done = 0
        while claim := await self.queue.claim():
            assert await self.queue.complete(claim, RESULT)
            done += 1
        return done

    async def reopened(self) -> "Bench":
        """The same file after the process was killed: nothing was closed or said."""
        await self.database.close()
        bench = Bench(self.path)
        await bench.database.open()
        return bench


def files(count: int) -> list[NewFile]:
    return [NewFile(id=new_id(), name=f"{index}.jpg", size=10, sha256=f"{index:064x}") for index in range(count)]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "queue.db")
    await bench.database.open()
    yield bench
    await bench.database.close()


async def test_enqueue_then_work_ends_completed_with_all_counts(bench: Bench) -> None:
    job_id = await bench.submit(3)
    assert (await bench.queue.job(job_id)).status == "queued"
    assert await bench.complete_all() == 3
    job = await bench.queue.job(job_id)
    assert (job.status, job.progress.succeeded, job.progress.percentage) == ("completed", 3, 100.0)
    assert job.expires_at is not None
    page = await bench.queue.files(job_id, None, 10, None)
    assert [file.outputs[0].url for file in page.files] == [
        f"/api/jobs/{job_id}/files/{file.id}/result/full" for file in page.files
    ]


async def test_job_fails_only_when_every_file_failed(bench: Bench) -> None:
    mixed, lost = await bench.submit(2), await bench.submit(1)
    while claim := await bench.queue.claim():
        if claim.job_id == lost or claim.name == "0.jpg":
            await bench.queue.fail(claim, BROKEN)
        else:
            await bench.queue.complete(claim, RESULT)
    job = await bench.queue.job(mixed)
    assert (job.status, job.progress.failed, job.error) == ("completed", 1, None)
    job = await bench.queue.job(lost)
    assert (job.status, job.error) == ("failed", BROKEN)


async def test_claim_is_round_robin_between_jobs_of_one_priority(bench: Bench) -> None:
    long, short = await bench.submit(5), await bench.submit(1)
    assert [(await bench.claim()).job_id for _ in range(3)] == [long, short, long]


async def test_claim_takes_high_before_normal_before_batch(bench: Bench) -> None:
    expected = {name: await bench.submit(1, priority=name) for name in ("batch", "normal", "high")}
    claimed = [(await bench.claim()).job_id for _ in range(3)]
    assert claimed == [expected["high"], expected["normal"], expected["batch"]]


async def test_concurrent_claims_never_take_a_file_twice(bench: Bench) -> None:
    await bench.submit(20)
    claims = await asyncio.gather(*(bench.queue.claim() for _ in range(30)))
    taken = [claim.file_id for claim in claims if claim]
    assert len(taken) == len(set(taken)) == 20


async def test_complete_after_cancel_changes_nothing(bench: Bench) -> None:
    job_id = await bench.submit(2)
    claim = await bench.claim()
    job = await bench.queue.cancel(job_id)
    assert job.status == "cancelled"
    assert not await bench.queue.complete(claim, RESULT)
    page = await bench.queue.files(job_id, None, 10, None)
    assert [file.status for file in page.files] == ["cancelled", "cancelled"]
    assert (await bench.queue.cancel(job_id)).status == "cancelled"


async def test_cancel_of_a_completed_job_is_a_conflict(bench: Bench) -> None:
    job_id = await bench.submit(1)
    await bench.complete_all()
    with pytest.raises(errors.Conflict):
        await bench.queue.cancel(job_id)


async def test_pause_holds_the_files_and_resume_goes_on(bench: Bench) -> None:
    job_id = await bench.submit(2)
    claim = await bench.claim()
    assert (await bench.queue.pause(job_id)).status == "paused"
    assert await bench.queue.claim() is None
    assert await bench.queue.complete(claim, RESULT)
    assert (await bench.queue.resume(job_id)).status == "processing"
    assert await bench.complete_all() == 1
    assert (await bench.queue.job(job_id)).status == "completed"


async def test_job_ends_when_its_last_running_file_finishes_while_paused(bench: Bench) -> None:
    job_id = await bench.submit(1)
    claim = await bench.claim()
    await bench.queue.pause(job_id)
    await bench.queue.complete(claim, RESULT)
    assert (await bench.queue.job(job_id)).status == "completed"


async def test_retry_queues_failed_files_only(bench: Bench) -> None:
    job_id = await bench.submit(2)
    await bench.queue.fail(await bench.claim(), BROKEN)
    await bench.complete_all()
    with pytest.raises(errors.Conflict):
        await bench.queue.retry(await bench.submit(1))
    job = await bench.queue.retry(job_id)
    assert (job.status, job.progress.failed, job.progress.succeeded) == ("queued", 0, 1)
    await bench.complete_all()
    assert (await bench.queue.job(job_id)).progress.succeeded == 2


async def test_released_file_waits_its_delay_and_keeps_its_attempts(bench: Bench) -> None:
    await bench.submit(1)
    claim = await bench.claim()
    assert await bench.queue.release(claim, delay=60)
    assert await bench.queue.claim() is None
    await bench.submit(1)
    other = await bench.claim()
    assert other.file_id != claim.file_id
    assert await bench.queue.release(other, delay=0)
    again = await bench.claim()
    assert (again.file_id, again.attempts) == (other.file_id, 1)


async def test_recover_queues_again_what_was_running(bench: Bench) -> None:
    job_id = await bench.submit(2)
    lost = await bench.claim()
    bench = await bench.reopened()
    assert await bench.queue.recover() == 1
    assert not await bench.queue.complete(lost, RESULT), "the dead worker's claim must not count"
    assert await bench.complete_all() == 2
    assert (await bench.queue.job(job_id)).progress.succeeded == 2
    await bench.database.close()


async def test_recover_fails_a_file_at_its_third_crash(bench: Bench) -> None:
    job_id = await bench.submit(2)
    for _ in range(3):
        await bench.claim()
        bench = await bench.reopened()
        await bench.queue.recover()
    page = await bench.queue.files(job_id, "failed", 10, None)
    assert [(file.name, file.error.code) for file in page.files if file.error] == [("0.jpg", "crashed_worker")]
    assert await bench.complete_all() == 1
    assert (await bench.queue.job(job_id)).status == "completed"
    await bench.database.close()


async def test_open_job_processes_as_files_arrive_and_ends_after_the_seal(bench: Bench) -> None:
    job_id = await bench.submit(0, seal=False)
    with pytest.raises(errors.Conflict):
        await bench.queue.seal(job_id)
    await bench.queue.add_files(job_id, files(1), max_files=2)
    assert await bench.complete_all() == 1
    assert (await bench.queue.job(job_id)).status == "receiving"
    with pytest.raises(errors.TooManyFiles):
        await bench.queue.add_files(job_id, files(2), max_files=2)
    assert (await bench.queue.seal(job_id)).status == "completed"
    with pytest.raises(errors.Conflict):
        await bench.queue.add_files(job_id, files(1), max_files=2)


async def test_job_of_refused_files_only_ends_at_once(bench: Bench) -> None:
    new = NewJob(id=new_id(), name="job", recipe=Recipe())
    rows = [NewFile(id=new_id(), name=name, size=1, error=BROKEN) for name in "ab"]
    job = await bench.queue.enqueue(new, rows)
    assert (job.status, job.progress.failed) == ("failed", 2)
    assert job.error is not None
    assert job.error.code == "all_files_failed"


async def test_idempotency_key_returns_the_first_job_or_refuses(bench: Bench) -> None:
    def new(fingerprint: str) -> NewJob:
        return NewJob(id=new_id(), name="j", recipe=Recipe(), idempotency_key="k", fingerprint=fingerprint)

    first = await bench.queue.enqueue(new("same"), files(1))
    assert (await bench.queue.enqueue(new("same"), files(1))).id == first.id
    with pytest.raises(errors.IdempotencyMismatch):
        await bench.queue.enqueue(new("other"), files(1))
    assert len((await bench.queue.jobs(None, 10, None)).jobs) == 1


async def test_events_are_numbered_without_gaps_and_progress_never_falls(bench: Bench) -> None:
    job_id = await bench.submit(5)
    await bench.complete_all()
    assert [event.seq for event in bench.events] == list(range(1, len(bench.events) + 1))
    processed = [event.progress.processed for event in bench.events]
    assert processed == sorted(processed)
    assert [event.final for event in bench.events].count(True) == 1
    rows = await bench.database.all("events_since", job_id=job_id, since=0)
    assert [row["seq"] for row in rows] == [event.seq for event in bench.events]
    assert json.loads(rows[-1]["payload"])["status"] == "completed"


async def test_snapshot_since_names_only_what_changed(bench: Bench) -> None:
    job_id = await bench.submit(3)
    claim = await bench.claim()
    seq = (await bench.queue.snapshot(job_id)).seq
    await bench.queue.complete(claim, RESULT)
    missed = await bench.queue.snapshot(job_id, since=seq)
    assert [file.id for file in missed.files] == [claim.file_id]
    assert len((await bench.queue.snapshot(job_id)).files) == 3


async def test_lists_are_paged_without_gaps(bench: Bench) -> None:
    ids = [await bench.submit(1) for _ in range(5)]
    seen: list[str] = []
    before = None
    while True:
        page = await bench.queue.jobs(None, 2, before)
        seen += [job.id for job in page.jobs]
        before = page.next
        if before is None:
            break
    assert seen == ids[::-1]
    job_id = await bench.submit(5)
    names: list[str] = []
    after = None
    while True:
        files_page = await bench.queue.files(job_id, None, 2, after)
        names += [file.name for file in files_page.files]
        after = files_page.next
        if after is None:
            break
    assert names == [f"{index}.jpg" for index in range(5)]


async def test_delete_forgets_the_job_and_its_rows(bench: Bench) -> None:
    job_id = await bench.submit(2)
    await bench.complete_all()
    await bench.queue.delete(job_id)
    with pytest.raises(errors.JobNotFound):
        await bench.queue.job(job_id)
    assert await bench.database.all("events_since", job_id=job_id, since=0) == []
    with pytest.raises(errors.JobNotFound):
        await bench.queue.delete(job_id)


async def test_wait_returns_when_a_file_arrives(bench: Bench) -> None:
    bench.queue.arrived.clear()
    waiting = asyncio.create_task(bench.queue.wait(30))
    await asyncio.sleep(0.01)
    await bench.submit(1)
    await asyncio.wait_for(waiting, 1)


def same(name: str) -> NewFile:
    return NewFile(id=new_id(), name=name, size=10, sha256="d" * 64)


async def test_same_photo_in_a_job_is_done_once(bench: Bench) -> None:
    new = NewJob(id=new_id(), name="j", recipe=Recipe())
    first, copy, other = same("a.jpg"), same("b.jpg"), files(1)[0]
    await bench.queue.enqueue(new, [first, copy, other])
    assert await bench.complete_all() == 2
    job = await bench.queue.job(new.id)
    assert (job.status, job.progress.succeeded) == ("completed", 3)
    done = await bench.queue.file(new.id, copy.id)
    assert (done.status, done.duplicate_of, done.attempts) == ("completed", first.id, 0)
    assert [output.sha256 for output in done.outputs] == ["ab"]
    assert (await bench.queue.file(new.id, other.id)).duplicate_of is None


async def test_copies_fail_with_their_original_and_are_retried_with_it(bench: Bench) -> None:
    new = NewJob(id=new_id(), name="j", recipe=Recipe())
    first, copy = same("a.jpg"), same("b.jpg")
    await bench.queue.enqueue(new, [first, copy])
    await bench.queue.fail(await bench.claim(), BROKEN)
    job = await bench.queue.job(new.id)
    assert (job.status, job.progress.failed) == ("failed", 2)
    await bench.queue.retry(new.id, copy.id)
    assert await bench.complete_all() == 1
    assert (await bench.queue.job(new.id)).progress.succeeded == 2


async def test_copy_added_after_its_original_was_done_is_done_at_once(bench: Bench) -> None:
    job_id = await bench.submit(0, seal=False)
    await bench.queue.add_files(job_id, [same("a.jpg")], 9)
    await bench.complete_all()
    await bench.queue.add_files(job_id, [same("b.jpg")], 9)
    assert await bench.queue.claim() is None
    assert (await bench.queue.seal(job_id)).progress.succeeded == 2


@pytest.mark.parametrize("finished_first", [True, False])
async def test_copy_found_when_a_zip_entry_is_unpacked_takes_the_result(bench: Bench, finished_first: bool) -> None:
    new = NewJob(id=new_id(), name="j", recipe=Recipe())
    packed = NewFile(id=new_id(), name="z.jpg", size=10, archive="f" * 64, entry=0)
    await bench.queue.enqueue(new, [same("a.jpg"), packed])
    original, entry = await bench.claim(), await bench.claim()
    if finished_first:
        await bench.queue.complete(original, RESULT)
    assert await bench.queue.unpacked(entry, [unpacked(entry.file_id, 0)]) is None
    if not finished_first:
        await bench.queue.complete(original, RESULT)
    job = await bench.queue.job(new.id)
    assert (job.status, job.progress.succeeded) == ("completed", 2)
    assert (await bench.queue.file(new.id, packed.id)).duplicate_of == original.file_id


def unpacked(file_id: str, entry: int, digest: str = "d" * 64) -> Unpacked:
    return Unpacked(file_id, entry, 10, digest, "image/jpeg")


async def zipped(bench: Bench, *loose: NewFile) -> tuple[NewJob, list[NewFile]]:
    """A job of `loose` files and a ZIP of three."""
    new = NewJob(id=new_id(), name="j", recipe=Recipe())
    files = [NewFile(id=new_id(), name=f"{n}.jpg", size=10, archive="f" * 64, entry=n) for n in range(3)]
    await bench.queue.enqueue(new, [*loose, *files])
    return new, files


async def test_entries_ahead_are_those_of_the_zip_that_still_wait(bench: Bench) -> None:
    await zipped(bench)
    first, _ = await bench.claim(), await bench.claim()
    (third,) = await bench.queue.entries_ahead(first, 16)
    assert third.entry == 2
    assert await bench.queue.entries_ahead(first, 1) == [], "the next one is taken already"


async def test_entry_unpacked_ahead_is_claimed_with_its_digest(bench: Bench) -> None:
    await zipped(bench)
    first = await bench.claim()
    ahead = await bench.queue.entries_ahead(first, 16)
    files = [unpacked(first.file_id, 0)] + [unpacked(file.file_id, file.entry, str(file.entry) * 64) for file in ahead]
    held = await bench.queue.unpacked(first, files)
    assert held is not None
    assert held.sha256 == "d" * 64
    assert [(await bench.claim()).sha256 for _ in range(2)] == ["1" * 64, "2" * 64]


async def test_copy_unpacked_ahead_of_a_photo_that_is_done_takes_its_result(bench: Bench) -> None:
    new, files = await zipped(bench, same("a.jpg"))
    await bench.queue.complete(await bench.claim(), RESULT)
    first = await bench.claim()
    await bench.queue.unpacked(first, [unpacked(first.file_id, 0, "1" * 64), unpacked(files[2].id, 2)])
    copy = await bench.queue.file(new.id, files[2].id)
    assert (copy.status, len(copy.outputs)) == ("completed", len(RESULT.outputs))
    assert bench.events[-1].progress.succeeded == 2
    await bench.queue.complete(first, RESULT)
    await bench.complete_all()
    assert (await bench.queue.job(new.id)).status == "completed"


async def test_to_front_is_served_before_jobs_of_any_priority(bench: Bench) -> None:
    await bench.submit(2, priority="high")
    job_id = await bench.submit(2, priority="batch")
    await bench.queue.to_front(job_id)
    assert (await bench.claim()).job_id == job_id
    await bench.queue.cancel(job_id)
    with pytest.raises(errors.Conflict):
        await bench.queue.to_front(job_id)


async def test_kept_job_never_expires_until_it_is_let_go(bench: Bench) -> None:
    job_id = await bench.submit(1)
    await bench.queue.change(job_id, name="Class 4b", priority=None, keep=True)
    await bench.complete_all()
    job = await bench.queue.job(job_id)
    assert (job.name, job.expires_at) == ("Class 4b", None)
    assert (await bench.queue.change(job_id, None, None, keep=False)).expires_at is not None


async def test_file_whose_worker_process_died_waits_again_until_the_third_time(bench: Bench) -> None:
    job_id = await bench.submit(1)
    for _ in range(3):
        assert await bench.queue.crashed(await bench.claim())
    job = await bench.queue.job(job_id)
    assert (job.status, job.error.code if job.error else None) == ("failed", "crashed_worker")


async def test_lost_result_fails_the_file_and_can_be_tried_again(bench: Bench) -> None:
    job_id = await bench.submit(1)
    claim = await bench.claim()
    await bench.queue.complete(claim, RESULT)
    await bench.queue.lost(job_id, claim.file_id)
    assert (await bench.queue.job(job_id)).progress.failed == 1
    await bench.queue.retry(job_id)
    assert await bench.complete_all() == 1


async def test_open_job_that_nobody_seals_expires_and_one_with_photos_waiting_does_not(bench: Bench) -> None:
    idle, waiting = await bench.submit(1, seal=False), await bench.submit(1, seal=False)
    claim = await bench.claim()
    assert claim.job_id == idle
    await bench.queue.complete(claim, RESULT)
    assert await bench.queue.expired() == []
    with sqlite3.connect(bench.path) as connection:
        connection.execute("UPDATE jobs SET updated_at = updated_at - 8 * 86400")
    assert await bench.queue.expired() == [idle]
    assert await bench.queue.expire(idle)
    assert not await bench.queue.expire(waiting)


async def test_photo_refused_on_arrival_cannot_be_tried_again(bench: Bench) -> None:
    refused = NewFile(id=new_id(), name="a.txt", size=3, error=BROKEN)
    new = NewJob(id=new_id(), name="j", recipe=Recipe())
    (failing,) = files(1)
    await bench.queue.enqueue(new, [refused, failing])
    await bench.queue.fail(await bench.claim(), BROKEN)
    page = await bench.queue.files(new.id, None, 9, None)
    assert {file.name: file.can_retry for file in page.files} == {"a.txt": False, failing.name: True}


async def test_some_photos_are_done_again_while_others_still_run(bench: Bench) -> None:
    job_id = await bench.submit(3)
    first = await bench.claim()
    await bench.queue.complete(first, RESULT)
    second = await bench.claim()
    other = Recipe(operations=(Operation(op="crop"),))
    with pytest.raises(errors.Conflict):
        await bench.queue.reprocess_some(job_id, Redo((first.file_id, second.file_id), other, None))
    job = await bench.queue.reprocess_some(job_id, Redo((first.file_id,), other, None))
    assert (job.status, job.progress.processed) == ("processing", 0)
    assert [(file.id, file.status) for file in bench.events[-1].files] == [(first.file_id, "queued")]
    again = await bench.claim()
    assert (again.file_id, Recipe.model_validate_json(again.recipe).operations[0].op) == (first.file_id, "crop")
    for claim in (again, second):
        assert await bench.queue.complete(claim, RESULT)
    assert await bench.complete_all() == 1
    job = await bench.queue.job(job_id)
    assert (job.status, job.progress.succeeded, job.recipe.operations[0].op) == ("completed", 3, "resize")
    assert len((await bench.queue.file(job_id, first.file_id)).outputs) == 1


async def test_copy_of_a_photo_that_is_done_again_stays_as_it_is(bench: Bench) -> None:
    job = NewJob(id=new_id(), name="job", recipe=Recipe(operations=(Operation(op="resize"),)))
    one, twin = (NewFile(id=new_id(), name=name, size=10, sha256="a" * 64) for name in ("a.jpg", "b.jpg"))
    await bench.queue.enqueue(job, [one, twin])
    assert await bench.complete_all() == 1
    for ids in ((one.id,), (twin.id,)):
        await bench.queue.reprocess_some(job.id, Redo(ids, None, None))
        assert [claim.file_id for claim in [await bench.claim()] if await bench.queue.complete(claim, RESULT)] == [*ids]
        assert (await bench.queue.job(job.id)).progress.succeeded == 2
    await bench.queue.reprocess_some(job.id, Redo((one.id, twin.id), None, None))
    assert await bench.complete_all() == 2, "they are photos of their own since"
    assert (await bench.queue.job(job.id)).status == "completed"


async def test_another_model_takes_the_place_of_a_drawn_mask_and_in_a_cancelled_job_alike(bench: Bench) -> None:
    recipe = Recipe(operations=(Operation(op="remove_background", model="auto"), Operation(op="resize")))
    job = NewJob(id=new_id(), name="job", recipe=recipe)
    (file,) = files(1)
    await bench.queue.enqueue(job, [file])
    await bench.queue.complete(await bench.claim(), dataclasses.replace(RESULT, mask="m"))
    await bench.queue.draw_mask(job.id, file.id, "d")
    claim = await bench.claim()
    assert claim.drawn == "d"
    await bench.queue.complete(claim, dataclasses.replace(RESULT, mask="d"))
    await bench.queue.reprocess_some(job.id, Redo((file.id,), None, "u2netp"))
    claim = await bench.claim()
    steps = Recipe.model_validate_json(claim.recipe).model_dump()["operations"]
    assert (claim.drawn, [step.get("model") for step in steps]) == (None, ["u2netp", None])
    await bench.queue.complete(claim, RESULT)
    stopped = await bench.submit(2)
    claim = await bench.claim()
    await bench.queue.complete(claim, RESULT)
    await bench.queue.cancel(stopped)
    await bench.queue.reprocess_some(stopped, Redo((claim.file_id,), None, None))
    assert await bench.complete_all() == 1
    assert (await bench.queue.job(stopped)).status == "completed"


async def test_job_that_waits_for_its_names_is_not_claimed_before_it_is_sealed(bench: Bench) -> None:
    new = NewJob(id=new_id(), name="job", recipe=Recipe(), waits=True)
    photos = [replace(file, name=f"photo{index}.jpg") for index, file in enumerate(files(2))]
    await bench.queue.enqueue(new, photos, seal=False)
    assert await bench.queue.claim() is None
    bench.queue.arrived.clear()
    began = time.monotonic()
    await bench.queue.wait(0.3)
    assert time.monotonic() - began > 0.25, "and nobody looks for it again and again"
    rows = (NameRow("photo1", "7", "Seven"), NameRow("photo9", "9"))
    job, added = await bench.queue.add_files(new.id, [], 10, names=Names(rows, ("a problem",)))
    assert (job.file_count, added) == (2, [])
    sealed = await bench.queue.seal(new.id)
    assert sealed.names is not None
    assert (sealed.names.matched, sealed.names.problems) == (1, ("a problem",))
    assert sealed.names.rows_without_photo == ("photo9",)
    assert sealed.names.photos_without_row == ("photo0.jpg",)
    first, second = await bench.claim(), await bench.claim()
    assert (first.index, first.number, first.caption) == (1, "", "")
    assert (second.index, second.number, second.caption) == (2, "7", "Seven")
    assert await bench.queue.unused_names(new.id) == ["photo9"]


async def test_job_that_waits_for_its_names_expires_where_nobody_seals_it(bench: Bench) -> None:
    new = NewJob(id=new_id(), name="job", recipe=Recipe(), waits=True)
    await bench.queue.enqueue(new, files(1), seal=False)
    assert await bench.queue.expired() == []
    with sqlite3.connect(bench.path) as connection:
        connection.execute("UPDATE jobs SET updated_at = updated_at - 8 * 86400")
    assert await bench.queue.expired() == [new.id]
    assert await bench.queue.expire(new.id)


async def test_copies_are_done_apart_where_results_depend_on_names(bench: Bench) -> None:
    twins = [replace(file, sha256="a" * 64) for file in files(3)]
    together = NewJob(id=new_id(), name="job", recipe=Recipe())
    await bench.queue.enqueue(together, twins)
    assert await bench.complete_all() == 1
    await bench.queue.reprocess(together.id, Recipe(), apart=True)
    assert await bench.complete_all() == 3
    apart = NewJob(id=new_id(), name="job", recipe=Recipe(), apart=True)
    await bench.queue.enqueue(apart, [replace(file, id=new_id()) for file in twins])
    assert await bench.complete_all() == 3


async def test_long_lists_of_names_are_cut_in_the_report_alone(bench: Bench) -> None:
    new = NewJob(id=new_id(), name="job", recipe=Recipe())
    rows = tuple(NameRow(f"other{number}") for number in range(500))
    job = await bench.queue.enqueue(new, files(300), Names(rows))
    assert job.names is not None
    assert (len(job.names.rows_without_photo), len(job.names.photos_without_row), job.names.more) == (200, 200, 400)
    assert len(await bench.queue.unused_names(new.id)) == 500


async def test_crash_is_blamed_on_nobody_while_two_were_in_hand_and_each_then_runs_alone(bench: Bench) -> None:
    job_id = await bench.submit(3)
    first, second = await bench.claim(), await bench.claim()
    for _ in range(3):
        bench = await bench.reopened()
        assert await bench.queue.recover() > 0
        suspect = await bench.claim()
        assert suspect.file_id == first.file_id
        assert await bench.queue.claim() is None, "a suspect runs alone"
    assert suspect.attempts == 4
    assert await bench.queue.complete(suspect, RESULT)
    other = await bench.claim()
    assert other.file_id == second.file_id
    assert await bench.queue.claim() is None
    assert await bench.queue.complete(other, RESULT)
    assert await bench.complete_all() == 1
    assert (await bench.queue.job(job_id)).progress.failed == 0
    await bench.database.close()


async def test_suspect_waits_for_those_in_hand_and_is_not_passed_for_ever(bench: Bench) -> None:
    suspects = await bench.submit(1)
    assert await bench.queue.crashed(await bench.claim())
    others = await bench.submit(5, priority="high")
    held = [await bench.claim(), await bench.claim()]
    assert {claim.job_id for claim in held} == {others}
    await bench.queue.to_front(suspects)
    assert await bench.queue.claim() is None
    for claim in held:
        done, following = await bench.queue.complete_and_claim(claim, RESULT)
        assert done
    assert following is not None
    assert following.job_id == suspects
    await bench.queue.complete(following, RESULT)
    assert await bench.complete_all() == 3


async def test_lost_is_what_the_row_names_now_and_the_disk_has_not(tmp_path: Path) -> None:
    there: set[str] = set()
    bench = Bench(tmp_path / "queue.db")
    bench.database = Database(bench.path, is_stored=lambda _, blob: blob.name in there)
    bench.queue = QueueManager(bench.database, bench.events.append, keep_days=7)
    await bench.database.open()
    job_id = await bench.submit(1)
    claim = await bench.claim()
    await bench.queue.complete(claim, RESULT)
    there.add("ab")
    assert not await bench.queue.is_lost(job_id, claim.file_id)
    assert not await bench.queue.lost(job_id, claim.file_id), "it was done again since somebody looked"
    assert (await bench.queue.job(job_id)).status == "completed"
    there.clear()
    assert await bench.queue.lost(job_id, claim.file_id)
    job = await bench.queue.job(job_id)
    assert (job.status, job.progress.succeeded, job.progress.failed) == ("failed", 0, 1)
    await bench.database.close()


async def test_addition_s_key_used_for_another_request_is_refused(bench: Bench) -> None:
    job_id = await bench.submit(0, seal=False)
    _, ids = await bench.queue.add_files(job_id, files(1), 9, "k", fingerprint="one")
    assert (await bench.queue.add_files(job_id, files(1), 9, "k", fingerprint="one"))[1] == ids
    with pytest.raises(errors.IdempotencyMismatch):
        await bench.queue.add_files(job_id, files(1), 9, "k", fingerprint="two")
    assert (await bench.queue.job(job_id)).file_count == 1


async def test_change_stands_though_nobody_can_be_told_of_it(tmp_path: Path) -> None:
    def fails(_: JobEvent) -> None:
        raise ZeroDivisionError

    database = Database(tmp_path / "queue.db")
    queue = QueueManager(database, fails, keep_days=7)
    await database.open()
    job = await queue.enqueue(NewJob(id=new_id(), name="job", recipe=Recipe()), files(2))
    claim = await queue.claim()
    assert claim is not None
    done, following = await queue.complete_and_claim(claim, RESULT)
    assert done
    assert following is not None
    assert await queue.complete(following, RESULT)
    assert (await queue.job(job.id)).status == "completed"
    await database.close()


async def test_copy_whose_original_was_deleted_is_left_out_of_what_estimates_are_learnt_from(bench: Bench) -> None:
    twins = [replace(file, sha256="a" * 64) for file in files(2)]
    job = await bench.queue.enqueue(NewJob(id=new_id(), name="job", recipe=Recipe()), [*twins, *files(1)])
    assert await bench.complete_all() == 2
    await bench.queue.delete_file(job.id, twins[0].id)
    assert [sample.seconds for sample in await bench.queue.history()] == [0.1]
    await bench.queue.totals()
