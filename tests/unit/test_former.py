"""What photos were before they were done again: kept until the new results are there, and one step back afterwards."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.queue.records import Claim, StoredResult
from photo_processor.schemas import Frame, Operation, Output, Recipe, ReviewItem
from queue_manager import NewJob, Redo, new_id
from tests.unit.test_queue_manager import BROKEN, RESULT, Bench, files

FIRST = Recipe(operations=(Operation(op="remove_background"), Operation(op="crop_face")))
SECOND = Recipe(operations=(Operation(op="resize"),))
EYES = ReviewItem(code="eyes_closed", message="The eyes look closed.")
TILT = ReviewItem(code="head_tilted", message="The head leans.")


def made(name: str, mask: str = "m", *review: ReviewItem) -> StoredResult:
    output = Output(name="full", format="png", width=4, height=3, bytes=9, sha256=name)
    return dataclasses.replace(RESULT, outputs=(output,), mask=mask, review=review)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "queue.db", is_stored=lambda _, blob: blob.name != "vanished")
    await bench.database.open()
    yield bench
    await bench.database.close()


async def job_of(bench: Bench, count: int, *, alike: bool = False) -> str:
    """A finished job; its photos have the results `a0`, `a1` ..."""
    new = NewJob(id=new_id(), name="job", recipe=FIRST)
    photos = files(count)
    await bench.queue.enqueue(new, [dataclasses.replace(file, sha256="a" * 64) for file in photos] if alike else photos)
    await work(bench, "a")
    return new.id


async def work(bench: Bench, name: str, mask: str = "m", *review: ReviewItem) -> list[Claim]:
    claims = []
    while claim := await bench.queue.claim():
        assert await bench.queue.complete(claim, made(f"{name}{claim.index - 1}", mask, *review))
        claims.append(claim)
    return claims


async def results(bench: Bench, job_id: str) -> list[str]:
    page = await bench.queue.files(job_id, None, 50, None)
    return [f"{file.status} {' '.join(output.sha256 for output in file.outputs)}" for file in page.files]


async def ids(bench: Bench, job_id: str) -> list[str]:
    return [file.id for file in (await bench.queue.files(job_id, None, 50, None)).files]


async def test_results_stay_until_the_new_ones_are_there_and_come_back_by_undo(bench: Bench) -> None:
    job_id = await job_of(bench, 2)
    await bench.queue.reprocess(job_id, SECOND)
    assert await results(bench, job_id) == ["queued a0", "queued a1"]
    await work(bench, "b")
    assert await results(bench, job_id) == ["completed b0", "completed b1"]
    first, _ = (await bench.queue.files(job_id, None, 50, None)).files
    assert first.can_undo
    job = await bench.queue.undo(job_id)
    assert (job.status, job.progress.succeeded, job.recipe) == ("completed", 2, FIRST)
    assert await results(bench, job_id) == ["completed a0", "completed a1"]
    await bench.queue.undo(job_id, [first.id])
    assert await results(bench, job_id) == ["completed b0", "completed a1"], "what was undone comes back"
    assert (await bench.queue.file(job_id, first.id)).recipe == SECOND
    assert (await bench.queue.job(job_id)).recipe == FIRST


@pytest.mark.parametrize("some", [False, True])
async def test_photo_that_cannot_be_done_again_is_as_before_with_a_warning(bench: Bench, some: bool) -> None:
    job_id = await job_of(bench, 2)
    if some:
        await bench.queue.reprocess_some(job_id, Redo(tuple(await ids(bench, job_id)), SECOND, None))
    else:
        await bench.queue.reprocess(job_id, SECOND)
    await bench.queue.fail(await bench.claim(), BROKEN)
    await work(bench, "b")
    job = await bench.queue.job(job_id)
    assert (job.status, job.progress.succeeded, job.progress.failed, job.error) == ("completed", 2, 0, None)
    assert await results(bench, job_id) == ["completed a0", "completed b1"]
    failed, done = (await bench.queue.files(job_id, None, 50, None)).files
    assert [warning.code for warning in failed.warnings] == ["redo_failed"]
    assert BROKEN.message in failed.warnings[0].message
    assert ((failed.recipe or job.recipe), (done.recipe or job.recipe)) == (FIRST, SECOND)
    assert (failed.can_undo, done.can_undo, failed.error) == (False, True, None)
    with pytest.raises(errors.Conflict):
        await bench.queue.undo(job_id, [failed.id])


async def test_job_whose_photos_all_cannot_be_done_again_is_what_it_was(bench: Bench) -> None:
    job_id = await job_of(bench, 3)
    await bench.queue.reprocess(job_id, SECOND)
    while claim := await bench.queue.claim():
        await bench.queue.fail(claim, BROKEN)
    job = await bench.queue.job(job_id)
    assert (job.status, job.progress.succeeded, job.recipe) == ("completed", 3, FIRST)
    assert {file.recipe for file in (await bench.queue.files(job_id, None, 50, None)).files} == {None}


async def test_undo_of_what_is_still_to_be_done_again_ends_it_at_once(bench: Bench) -> None:
    job_id = await job_of(bench, 2)
    await bench.queue.reprocess(job_id, SECOND)
    claim = await bench.claim()
    job = await bench.queue.undo(job_id)
    assert (job.status, job.progress.succeeded, job.recipe) == ("completed", 2, FIRST)
    assert not await bench.queue.complete(claim, made("late"))
    assert await results(bench, job_id) == ["completed a0", "completed a1"]
    assert await bench.queue.claim() is None


async def test_cancelled_redo_leaves_the_job_as_it_was(bench: Bench) -> None:
    job_id = await job_of(bench, 3)
    await bench.queue.reprocess(job_id, SECOND)
    await bench.queue.complete(await bench.claim(), made("b0"))
    job = await bench.queue.cancel(job_id)
    assert (job.status, job.progress.succeeded) == ("completed", 3)
    assert await results(bench, job_id) == ["completed b0", "completed a1", "completed a2"]


async def test_cancelled_photos_are_tried_again(bench: Bench) -> None:
    job_id = await bench.submit(3)
    await bench.queue.complete(await bench.claim(), RESULT)
    await bench.queue.fail(await bench.claim(), BROKEN)
    await bench.queue.cancel(job_id)
    assert [file.can_retry for file in (await bench.queue.files(job_id, None, 9, None)).files] == [False, True, True]
    assert (await bench.queue.retry(job_id)).progress.failed == 0
    assert await bench.complete_all() == 2
    job = await bench.queue.job(job_id)
    assert (job.status, job.progress.succeeded, job.progress.failed) == ("completed", 3, 0)


async def test_copies_are_as_before_with_their_original(bench: Bench) -> None:
    job_id = await job_of(bench, 3, alike=True)
    await bench.queue.reprocess(job_id, SECOND)
    await bench.queue.fail(await bench.claim(), BROKEN)
    assert await results(bench, job_id) == ["completed a0"] * 3
    await bench.queue.reprocess(job_id, SECOND)
    await work(bench, "b")
    assert await results(bench, job_id) == ["completed b0"] * 3
    assert (await bench.queue.undo(job_id)).progress.succeeded == 3
    assert await results(bench, job_id) == ["completed a0"] * 3
    await bench.queue.reprocess(job_id, SECOND)
    (original, *_) = await ids(bench, job_id)
    assert (await bench.queue.undo(job_id, [original])).status == "completed", "its copies do not wait for it for ever"
    assert await results(bench, job_id) == ["completed a0"] * 3


async def test_photo_whose_process_dies_again_and_again_is_as_before(bench: Bench) -> None:
    job_id = await job_of(bench, 1)
    await bench.queue.reprocess(job_id, SECOND)
    for _ in range(3):
        await bench.claim()
        bench = await bench.reopened()
        await bench.queue.recover()
    assert await results(bench, job_id) == ["completed a0"]
    (file,) = (await bench.queue.files(job_id, None, 50, None)).files
    assert [warning.code for warning in file.warnings] == ["redo_failed"]
    assert (await bench.queue.job(job_id)).status == "completed"
    await bench.database.close()


async def test_manual_crop_and_drawn_mask_are_undone(bench: Bench) -> None:
    job_id = await job_of(bench, 1)
    (file_id,) = await ids(bench, job_id)
    frame = Frame(centre=(2.0, 2.0), width=2.0, height=2.0, manual=True)
    await bench.queue.want_crop(job_id, file_id, frame)
    assert await results(bench, job_id) == ["queued a0"]
    await work(bench, "crop")
    await bench.queue.draw_mask(job_id, file_id, "drawn")
    await work(bench, "mask")
    await bench.queue.undo(job_id, [file_id])
    assert await results(bench, job_id) == ["completed crop0"]
    await bench.queue.reprocess_some(job_id, Redo((file_id,), None, None))
    (claim,) = await work(bench, "again")
    assert (claim.crop, claim.drawn) == (frame, None), "the crop is still the person's, the mask is not"


async def test_what_was_accepted_is_not_asked_again_of_the_same_picture(bench: Bench) -> None:
    job_id = await job_of(bench, 1)
    (file_id,) = await ids(bench, job_id)
    await bench.queue.reprocess(job_id, FIRST)
    await work(bench, "b", "m", EYES)
    assert (await bench.queue.accept(job_id, file_id)).progress.review == 0
    await bench.queue.reprocess(job_id, FIRST)
    await work(bench, "c", "m", EYES, TILT)
    assert [item.code for item in (await bench.queue.file(job_id, file_id)).review] == ["head_tilted"]
    await bench.queue.accept(job_id, file_id)
    job = await bench.queue.unaccept(job_id, file_id)
    assert job.progress.review == 1
    assert {item.code for item in (await bench.queue.file(job_id, file_id)).review} == {"eyes_closed", "head_tilted"}
    await bench.queue.accept(job_id, file_id)
    await bench.queue.reprocess(job_id, FIRST)
    await work(bench, "d", "another mask", EYES)
    assert [item.code for item in (await bench.queue.file(job_id, file_id)).review] == ["eyes_closed"]
    assert (await bench.queue.undo(job_id)).progress.review == 0


async def test_nothing_is_undone_where_nothing_is_kept(bench: Bench) -> None:
    job_id = await job_of(bench, 1)
    (file_id,) = await ids(bench, job_id)
    with pytest.raises(errors.Conflict):
        await bench.queue.undo(job_id)
    with pytest.raises(errors.FileNotFound):
        await bench.queue.undo(job_id, [file_id, new_id()])
    with pytest.raises(errors.JobNotFound):
        await bench.queue.undo(new_id())
    await bench.queue.reprocess(job_id, SECOND)
    await work(bench, "b")
    await bench.queue.reprocess(job_id, SECOND)
    await bench.queue.complete(await bench.claim(), made("vanished"))
    await bench.queue.undo(job_id)
    with pytest.raises(errors.Conflict, match="vanished"):
        await bench.queue.undo(job_id)
    assert await results(bench, job_id) == ["completed b0"]
