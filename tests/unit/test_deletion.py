"""Photos taken out of their job, and blobs that go once nothing refers to them, on a real SQLite file."""

import dataclasses
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.queue.database import Database
from photo_processor.queue.records import Claim, NameRow, Names, NewFile, StoredResult
from photo_processor.schemas import Blob, Job, JobEvent, Operation, Recipe, ReviewItem
from queue_manager import NewJob, QueueManager, Redo, new_id
from tests.unit.test_queue_manager import BROKEN, RESULT, Bench, files


class Kept(Bench):
    """A bench that remembers what was discarded."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.discarded: list[Blob] = []
        self.database = Database(path, self._discard)
        self.queue = QueueManager(self.database, self.events.append, keep_days=7)

    def _discard(self, _job_id: str, blobs: Sequence[Blob]) -> None:
        self.discarded += blobs

    async def ids(self, job_id: str) -> list[str]:
        return [file.id for file in (await self.queue.files(job_id, None, 1000, None)).files]

    async def done(self, names: dict[str, StoredResult] | None = None) -> None:
        while claim := await self.queue.claim():
            result = (names or {}).get(claim.name, made(claim))
            assert await self.queue.complete(claim, result)


def made(claim: Claim, turn: str = "") -> StoredResult:
    """A result of a claim, with blobs of its own."""
    output = RESULT.outputs[0].model_copy(update={"sha256": f"result {claim.name}{turn}"})
    return dataclasses.replace(
        RESULT, outputs=(output,), mask=f"mask {claim.name}{turn}", thumbnail=f"thumb {claim.name}{turn}"
    )


def counts(job: Job) -> tuple[str, int, int, int]:
    return job.status, job.progress.total, job.progress.succeeded, job.progress.failed


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Kept]:
    bench = Kept(tmp_path / "queue.db")
    await bench.database.open()
    yield bench
    await bench.database.close()


async def test_finished_photo_goes_with_everything_that_was_its_own(bench: Kept) -> None:
    job_id = await bench.submit(3)
    await bench.done()
    first, second, third = await bench.ids(job_id)
    await bench.queue.delete_file(job_id, second)
    assert counts(await bench.queue.job(job_id)) == ("completed", 2, 2, 0)
    assert await bench.ids(job_id) == [first, third]
    assert set(bench.discarded) == {
        Blob("source", f"{1:064x}"),
        Blob("result", "result 1.jpg"),
        Blob("thumbnail", "result-320-result 1.jpg"),
        Blob("thumbnail", "result-1600-result 1.jpg"),
        Blob("mask", "mask 1.jpg"),
        Blob("thumbnail", "thumb 1.jpg"),
        Blob("thumbnail", f"source-320-{second}"),
        Blob("thumbnail", f"source-1600-{second}"),
    }
    with pytest.raises(errors.FileNotFound):
        await bench.queue.delete_file(job_id, second)
    with pytest.raises(errors.JobNotFound):
        await bench.queue.delete_file("no", second)


async def test_event_and_snapshots_name_what_was_deleted(bench: Kept) -> None:
    job_id = await bench.submit(3)
    await bench.done()
    first, second, _ = await bench.ids(job_id)
    await bench.queue.delete_file(job_id, first)
    event = bench.events[-1]
    assert (event.deleted, event.files, event.final, event.metadata.file_count) == ((first,), (), True, 2)
    await bench.queue.delete_file(job_id, second)
    assert bench.events[-1].seq == event.seq + 1
    assert (await bench.queue.snapshot(job_id)).deleted == (first, second)
    assert (await bench.queue.snapshot(job_id, event.seq)).deleted == (second,)
    page = await bench.queue.files(job_id, None, 10, None)
    assert page.deleted == (first, second)


async def test_page_after_a_photo_that_was_deleted_goes_on_where_it_was(bench: Kept) -> None:
    job_id = await bench.submit(5)
    ids = await bench.ids(job_id)
    page = await bench.queue.files(job_id, None, 2, None)
    await bench.queue.delete_file(job_id, ids[1])
    following = await bench.queue.files(job_id, None, 10, page.next)
    assert [file.id for file in following.files] == ids[2:]
    assert following.deleted == ()


async def test_queued_photo_is_never_claimed_once_deleted_and_the_job_ends(bench: Kept) -> None:
    job_id = await bench.submit(2)
    claim = await bench.claim()
    assert await bench.queue.complete(claim, made(claim))
    (waiting,) = set(await bench.ids(job_id)) - {claim.file_id}
    assert (await bench.queue.job(job_id)).status == "processing"
    await bench.queue.delete_file(job_id, waiting)
    job = await bench.queue.job(job_id)
    assert counts(job) == ("completed", 1, 1, 0)
    assert job.expires_at is not None
    assert bench.events[-1].final
    assert await bench.queue.claim() is None


async def test_photo_in_process_is_given_up_whatever_its_worker_says_then(bench: Kept) -> None:
    job_id = await bench.submit(2)
    claim, other = await bench.claim(), await bench.claim()
    await bench.queue.delete_file(job_id, claim.file_id)
    seq = (await bench.queue.snapshot(job_id)).seq
    assert not await bench.queue.complete(claim, made(claim))
    assert not await bench.queue.fail(claim, BROKEN)
    assert not await bench.queue.release(claim)
    assert not await bench.queue.crashed(claim)
    assert (await bench.queue.snapshot(job_id)).seq == seq
    assert counts(await bench.queue.job(job_id)) == ("processing", 1, 0, 0)
    assert await bench.queue.complete(other, made(other))
    assert counts(await bench.queue.job(job_id)) == ("completed", 1, 1, 0)
    assert await bench.queue.depth() == (0, 0)


async def test_last_photo_leaves_a_completed_job_without_photos(bench: Kept) -> None:
    failed, working = await bench.submit(1), await bench.submit(1)
    await bench.queue.fail(await bench.claim(), BROKEN)
    claim = await bench.claim()
    assert (await bench.queue.job(failed)).status == "failed"
    for job_id in (failed, working):
        await bench.queue.delete_files(job_id, await bench.ids(job_id))
        job = await bench.queue.job(job_id)
        assert counts(job) == ("completed", 0, 0, 0)
        assert (job.error, job.progress.percentage, job.file_count) == (None, 0.0, 0)
    assert not await bench.queue.complete(claim, RESULT)
    with pytest.raises(errors.Conflict):
        await bench.queue.reprocess(failed, Recipe())


async def test_job_without_a_photo_that_succeeded_has_failed(bench: Kept) -> None:
    job_id = await bench.submit(3)
    first = await bench.claim()
    await bench.queue.complete(first, made(first))
    for _ in range(2):
        await bench.queue.fail(await bench.claim(), BROKEN)
    expires = (await bench.queue.job(job_id)).expires_at
    await bench.queue.delete_file(job_id, first.file_id)
    job = await bench.queue.job(job_id)
    assert counts(job) == ("failed", 2, 0, 2)
    assert job.error is not None
    assert job.error.message == "None of the 2 photos could be processed."
    assert job.expires_at == expires
    await bench.queue.delete_file(job_id, (await bench.ids(job_id))[0])
    assert (await bench.queue.job(job_id)).error == BROKEN


async def test_open_job_stays_open_and_may_be_sealed_without_photos(bench: Kept) -> None:
    job_id = await bench.submit(2, seal=False)
    await bench.queue.delete_files(job_id, await bench.ids(job_id))
    assert counts(await bench.queue.job(job_id)) == ("receiving", 0, 0, 0)
    added = files(1)
    await bench.queue.add_files(job_id, added, 10)
    (file,) = (await bench.queue.files(job_id, None, 10, None)).files
    assert (file.id, file.index) == (added[0].id, 3), "no place is given twice"
    await bench.queue.delete_file(job_id, file.id)
    assert (await bench.queue.seal(job_id)).status == "completed"
    with pytest.raises(errors.Conflict):
        await bench.queue.seal(await bench.submit(0, seal=False))


async def test_cancelled_and_paused_jobs_lose_photos_too(bench: Kept) -> None:
    cancelled, paused = await bench.submit(2), await bench.submit(1)
    await bench.queue.cancel(cancelled)
    await bench.queue.pause(paused)
    await bench.queue.delete_file(cancelled, (await bench.ids(cancelled))[0])
    assert counts(await bench.queue.job(cancelled)) == ("cancelled", 1, 0, 0)
    await bench.queue.delete_file(paused, (await bench.ids(paused))[0])
    assert (await bench.queue.job(paused)).status == "completed"


async def test_review_is_counted_without_the_deleted(bench: Kept) -> None:
    job_id = await bench.submit(2)
    doubtful = dataclasses.replace(RESULT, review=(ReviewItem(code="small_face", message="Small."),))
    await bench.done({"0.jpg": doubtful, "1.jpg": doubtful})
    assert (await bench.queue.job(job_id)).progress.review == 2
    await bench.queue.delete_file(job_id, (await bench.ids(job_id))[0])
    assert (await bench.queue.job(job_id)).progress.review == 1


async def copies(bench: Kept, count: int = 3, *, seal: bool = True) -> str:
    """A job of the same photo several times."""
    same = [NewFile(id=new_id(), name=f"{index}.jpg", size=10, sha256="aa") for index in range(count)]
    new = NewJob(id=new_id(), name="job", recipe=Recipe(operations=(Operation(op="resize"),)))
    await bench.queue.enqueue(new, same, seal=seal)
    return new.id


async def test_shared_blobs_stay_until_the_last_copy_goes(bench: Kept) -> None:
    job_id = await copies(bench)
    await bench.done()
    original, second, third = await bench.ids(job_id)
    await bench.queue.delete_file(job_id, original)
    assert {blob.name for blob in bench.discarded} == {f"source-320-{original}", f"source-1600-{original}"}
    after = {file.id: file for file in (await bench.queue.files(job_id, None, 10, None)).files}
    assert (after[second].duplicate_of, after[third].duplicate_of) == (None, second)
    assert after[third].outputs[0].sha256 == "result 0.jpg"
    await bench.queue.delete_files(job_id, [second, third])
    assert {Blob("source", "aa"), Blob("result", "result 0.jpg"), Blob("mask", "mask 0.jpg")} <= set(bench.discarded)


@pytest.mark.parametrize("working", [False, True])
async def test_copy_takes_the_place_of_an_original_that_was_not_done(bench: Kept, working: bool) -> None:
    job_id = await copies(bench)
    claim = await bench.claim() if working else None
    original, second, _ = await bench.ids(job_id)
    await bench.queue.delete_file(job_id, original)
    if claim is not None:
        assert not await bench.queue.complete(claim, RESULT)
    following = await bench.claim()
    assert (following.file_id, following.sha256) == (second, "aa")
    assert await bench.queue.complete(following, made(following))
    assert counts(await bench.queue.job(job_id)) == ("completed", 2, 2, 0)
    assert bench.discarded[-1].kind == "thumbnail", "the source is needed"


async def test_copy_that_waits_for_another_recipe_is_done_by_that(bench: Kept) -> None:
    """One copy is done, the original and the other are to be done again, and the original is deleted."""
    job_id = await copies(bench)
    await bench.done()
    original, second, third = await bench.ids(job_id)
    await bench.queue.reprocess_some(job_id, Redo((original, third), Recipe(), None))
    await bench.queue.delete_file(job_id, original)
    claim = await bench.claim()
    assert (claim.file_id, claim.recipe) == (third, Recipe().model_dump_json())
    assert await bench.queue.complete(claim, made(claim, " again"))
    after = {file.id: file.outputs[0].sha256 for file in (await bench.queue.files(job_id, None, 10, None)).files}
    assert after == {second: "result 0.jpg", third: "result 2.jpg again"}


async def test_row_of_the_list_of_names_is_free_again(bench: Kept) -> None:
    new = NewJob(id=new_id(), name="job", recipe=Recipe())
    rows = Names((NameRow("0.jpg", "11", "Ann"), NameRow("1.jpg", "12", "Bo")))
    await bench.queue.enqueue(new, files(2), rows)
    await bench.queue.delete_file(new.id, (await bench.ids(new.id))[0])
    report = (await bench.queue.job(new.id)).names
    assert report is not None
    assert (report.matched, report.rows_without_photo) == (1, ("0.jpg",))
    assert await bench.queue.unused_names(new.id) == ["0.jpg"]
    (file,) = (await bench.queue.files(new.id, None, 10, None)).files
    assert (file.number, file.caption) == ("12", "Bo")


async def test_deletion_survives_a_kill_and_leaves_no_trace_of_the_job_behind(bench: Kept) -> None:
    job_id = await bench.submit(2)
    claim = await bench.claim()
    await bench.queue.delete_file(job_id, claim.file_id)
    again = await bench.reopened()
    assert await again.queue.recover() == 0
    assert counts(await again.queue.job(job_id)) == ("processing", 1, 0, 0)
    assert await again.complete_all() == 1
    await again.queue.delete(job_id)
    await again.database.close()
    with sqlite3.connect(bench.path) as connection:
        tables = ("files", "outputs", "deleted", "events")
        assert [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables] == [0] * 4  # noqa: S608
    connection.close()
    await bench.database.open()


async def test_replaced_blobs_go_one_step_after_the_new_result_is_committed(bench: Kept) -> None:
    job_id = await bench.submit(2)
    await bench.done()
    await bench.queue.reprocess(job_id, Recipe())
    await bench.queue.complete(claim := await bench.claim(), made(claim, " new"))
    assert bench.discarded == [], "what it was before can be had back"
    await bench.done()
    await bench.queue.reprocess(job_id, Recipe())
    assert bench.discarded == []
    await bench.queue.complete(claim := await bench.claim(), made(claim, " newer"))
    first = {Blob("mask", f"mask {claim.name}"), Blob("thumbnail", f"thumb {claim.name}")}
    assert {*first, Blob("result", f"result {claim.name}")} <= set(bench.discarded)
    assert not any(blob.name.endswith(" new") for blob in bench.discarded)
    bench.discarded.clear()
    await bench.queue.delete_file(job_id, claim.file_id)
    both = {
        Blob(kind, f"{name} {claim.name} {age}")
        for kind, name in (("mask", "mask"), ("thumbnail", "thumb"), ("result", "result"))
        for age in ("new", "newer")
    }
    assert both <= set(bench.discarded), "with the photo, what it was before goes too"


async def test_result_that_comes_out_the_same_is_not_discarded(bench: Kept) -> None:
    job_id = await bench.submit(1)
    await bench.done()
    (file_id,) = await bench.ids(job_id)
    await bench.queue.reprocess_some(job_id, Redo((file_id,), None, None))
    bench.discarded.clear()
    await bench.done()
    assert bench.discarded == []


async def test_drawn_mask_goes_when_another_is_drawn(bench: Kept) -> None:
    job_id = await bench.submit(1)
    await bench.done()
    (file_id,) = await bench.ids(job_id)
    await bench.queue.draw_mask(job_id, file_id, "drawn 1")
    await bench.done({"0.jpg": dataclasses.replace(RESULT, mask="drawn 1")})
    bench.discarded.clear()
    await bench.queue.draw_mask(job_id, file_id, "drawn 2")
    assert Blob("mask", "drawn 1") not in bench.discarded, "the row still has it as its mask"
    await bench.done({"0.jpg": dataclasses.replace(RESULT, mask="drawn 2")})
    assert Blob("mask", "drawn 1") not in bench.discarded, "it is one step back"
    await bench.queue.draw_mask(job_id, file_id, "drawn 3")
    await bench.done({"0.jpg": dataclasses.replace(RESULT, mask="drawn 3")})
    assert Blob("mask", "drawn 1") in bench.discarded
    assert Blob("mask", "drawn 2") not in bench.discarded


async def test_blob_of_another_job_or_photo_stays(bench: Kept) -> None:
    job_id, other = await bench.submit(2), await bench.submit(1)
    await bench.done(dict.fromkeys(("0.jpg", "1.jpg"), RESULT))
    first, second = await bench.ids(job_id)
    await bench.queue.delete_file(job_id, first)
    assert Blob("result", "ab") not in bench.discarded
    await bench.queue.delete_file(job_id, second)
    assert Blob("result", "ab") in bench.discarded, "jobs have folders of their own"
    assert (await bench.queue.file(other, (await bench.ids(other))[0])).outputs[0].sha256 == "ab"


def test_merged_messages_name_no_deleted_photo_among_the_files() -> None:
    first = JobEvent.model_validate_json(MESSAGE % ('{"id":"a","name":"a","status":"queued","stage":"waiting"}', ""))
    newer = JobEvent.model_validate_json(MESSAGE % ("", '"a"'))
    merged = first.merged(newer)
    assert (merged.files, merged.deleted) == ((), ("a",))


MESSAGE = """{"job_id":"j","status":"processing",
 "progress":{"processed":0,"total":1,"percentage":0,"succeeded":0,"failed":0},
 "metadata":{"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","job_type":"batch","file_count":1},
 "error":null,"seq":1,"files":[%s],"deleted":[%s]}"""
