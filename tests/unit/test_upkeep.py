"""What keeps the data folder in order: it goes on after an error, and takes nothing that is needed."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.queue.database import Database
from photo_processor.queue.records import Claim, NewFile, StoredResult
from photo_processor.recipes.assets import Assets
from photo_processor.recipes.own_presets import NewPreset, Presets
from photo_processor.schemas import Operation, Output, Recipe
from photo_processor.settings import Settings
from photo_processor.storage.local import Shelf, Storage
from photo_processor.worker import supervisor as supervision
from photo_processor.worker.maintenance import Upkeep
from photo_processor.worker.supervisor import Supervisor
from queue_manager import NewJob, QueueManager, Redo, new_id

PAST = 3 * 3_600.0  # seconds


class Folder:
    """A data folder with its queue and upkeep, as a later run finds it."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(data_dir=root, keep_days=1)
        self.storage = Storage(root)
        self.storage.prepare()
        self.database = Database(self.settings.database_path, self.storage.discard, self.storage.has)
        self.queue = QueueManager(self.database, lambda _: None, keep_days=1)
        self.assets = Assets(self.settings.assets_path, 10)
        self.presets = Presets(self.settings.presets_path)
        self.upkeep = Upkeep(self.settings, self.queue, self.storage, self.assets, self.presets, ())

    async def done(self, recipe: Recipe | None = None) -> Claim:
        """A job of one photo that is finished."""
        job = NewJob(id=new_id(), name="j", recipe=recipe or Recipe())
        source = self.storage.put(b"photo", job.id, "source")
        await self.queue.enqueue(job, [NewFile(id=new_id(), name="a.jpg", size=5, sha256=source)])
        claim = await self.queue.claim()
        assert claim is not None
        await self.queue.complete(claim, self.result(claim, b"result"))
        return claim

    def result(self, claim: Claim, data: bytes) -> StoredResult:
        digest = self.storage.put(data, claim.job_id, "result")
        output = Output(name="full", format="png", width=1, height=1, bytes=len(data), sha256=digest)
        thumbnail = self.storage.put(b"small", claim.job_id, "thumbnail")
        return StoredResult(1, 1, (output,), None, thumbnail, None, None, (), {"total_s": 0.1})

    def asset(self, name: str) -> Path:
        """An uploaded picture that nobody has used for days."""
        path = self.settings.assets_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"picture")
        os.utime(path, (time.time() - 9 * 86_400,) * 2)
        return path


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    folder = Folder(tmp_path / "data")
    await folder.database.open()
    yield folder
    await folder.database.close()


async def test_error_of_a_round_is_counted_and_the_next_goes_on(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.05)
    back_up, fails = folder.upkeep.back_up, [OSError(28, "No space left on device"), errors.StorageUnavailable()]

    async def once_more() -> Path:
        if fails:
            raise fails.pop()
        return await back_up()

    monkeypatch.setattr(folder.upkeep, "back_up", once_more)
    supervisor = Supervisor()
    supervisor.start("upkeep", folder.upkeep.run)
    async with asyncio.timeout(10):
        while folder.upkeep.ended_at is None:
            await asyncio.sleep(0.01)
    assert supervisor.failures["upkeep"] == 2
    assert len(list(folder.settings.backups_path.iterdir())) == 1
    await supervisor.stop()


async def test_job_deleted_while_it_is_looked_at_is_passed_over(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stays = await folder.done(), await folder.done()
    monkeypatch.setattr(folder.queue, "expired", lambda: asyncio.sleep(0, [gone.job_id, "0" * 32, stays.job_id]))
    report = await folder.upkeep.clean(dry_run=True)
    assert [job.id for job in report.jobs] == [gone.job_id, stays.job_id]
    assert (await folder.upkeep.clean(dry_run=False)).jobs == (), "neither has expired"
    assert await folder.queue.has_job(gone.job_id)


async def test_result_made_anew_since_it_was_looked_at_is_not_lost(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = await folder.done()
    blobs = await folder.queue.result_blobs()
    await folder.queue.reprocess(claim.job_id, Recipe(operations=(Operation(op="resize"),)))
    again = await folder.queue.claim()
    assert again is not None
    await folder.queue.complete(again, folder.result(again, b"another"))
    monkeypatch.setattr(folder.queue, "result_blobs", lambda: asyncio.sleep(0, blobs))
    for dry_run in (True, False):
        assert (await folder.upkeep.clean(dry_run=dry_run)).lost == ()
    assert (await folder.queue.job(claim.job_id)).progress.failed == 0


async def test_open_job_that_nobody_finishes_is_sealed_and_ends(folder: Folder) -> None:
    one, other, empty = (NewJob(id=new_id(), name="j", recipe=Recipe()) for _ in range(3))
    for job, photos in ((one, ["a.jpg"]), (other, ["b.jpg"]), (empty, [])):
        await folder.queue.enqueue(
            job, [NewFile(id=new_id(), name=name, size=5, sha256=job.id) for name in photos], seal=False
        )
    claim = await folder.queue.claim()
    assert claim is not None
    await folder.queue.complete(claim, folder.result(claim, b"result"))
    assert await folder.queue.seal_idle(60.0) == []
    assert set(await folder.queue.seal_idle(-1.0)) == {one.id, other.id}
    assert [(await folder.queue.job(job.id)).status for job in (one, other, empty)] == [
        "completed",
        "queued",
        "receiving",
    ]


async def test_folder_whose_upload_still_runs_is_no_orphan(folder: Folder) -> None:
    running, left = new_id(), new_id()
    for job_id in (running, left):
        folder.storage.put(b"photo", job_id, "source")
        os.utime(folder.storage.root / "jobs" / job_id, (time.time() - PAST,) * 2)
    with Shelf(folder.storage, running):
        report = await folder.upkeep.clean(dry_run=False)
        assert [orphan.name for orphan in report.orphans] == [left]
        assert (folder.storage.root / "jobs" / running).exists()
    assert [orphan.name for orphan in (await folder.upkeep.clean(dry_run=False)).orphans] == [running]


async def test_pictures_that_a_job_or_preset_names_are_kept(folder: Folder) -> None:
    of_job, of_photo, of_preset, unused = (folder.asset(letter * 64) for letter in "abcd")

    def recipe(path: Path) -> Recipe:
        return Recipe(operations=(Operation.model_validate({"op": "watermark", "picture": f"asset:{path.name}"}),))

    claim = await folder.done(recipe(of_job))
    await folder.queue.change(claim.job_id, None, None, True)
    await folder.queue.reprocess_some(claim.job_id, Redo((claim.file_id,), recipe(of_photo), None))
    folder.presets.put("school", NewPreset(title="School", recipe=recipe(of_preset).model_dump(mode="json")))
    for dry_run in (True, False):
        report = await folder.upkeep.clean(dry_run=dry_run)
        assert [asset.id for asset in report.assets] == [unused.name]
    left = {path.name for path in folder.settings.assets_path.iterdir()}
    assert left == {of_job.name, of_photo.name, of_preset.name}


async def test_dry_run_and_what_happens_are_the_same_list(folder: Folder) -> None:
    expired, lost = await folder.done(), await folder.done()
    loose = folder.storage.put(b"left over", lost.job_id, "result")
    folder.storage.put(b"left over", expired.job_id, "result")
    orphan = new_id()
    folder.storage.put(b"photo", orphan, "source")
    folder.asset("e" * 64)
    for path in folder.storage.root.rglob("*"):
        os.utime(path, (time.time() - 9 * 86_400,) * 2)
    folder.storage.path(lost.job_id, "result", (await folder.queue.result_blobs())[-1][2]).unlink()

    def expire(tx: object) -> None:
        tx._connection.execute("UPDATE jobs SET expires_at = 1 WHERE id = ?", (expired.job_id,))  # type: ignore[attr-defined]

    await folder.database.write(expire)
    plan = await folder.upkeep.clean(dry_run=True)
    assert [job.id for job in plan.jobs] == [expired.job_id]
    assert [blob.name for blob in plan.loose] == [loose]
    assert [orphan.name for orphan in plan.orphans] == [orphan]
    assert [(result.job_id, result.file_id) for result in plan.lost] == [(lost.job_id, lost.file_id)]
    assert len(plan.assets) == 1
    did = await folder.upkeep.clean(dry_run=False)
    assert did == plan.model_copy(update={"dry_run": False})
    again = await folder.upkeep.clean(dry_run=True)
    assert (again.jobs, again.loose, again.orphans, again.lost, again.assets) == ((), (), (), (), ())
