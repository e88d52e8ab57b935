"""Photos are let in by their megapixels, in the order in which they came."""

import asyncio
import time
from pathlib import Path

import pytest

from image_processor import ProcessedImage
from photo_processor import errors
from photo_processor.models.store import ModelStore
from photo_processor.settings import Settings
from photo_processor.worker.admission import Admission, AdmittingRunner
from photo_processor.worker.runners import Control, ThreadRunner, Work

CONVERT = '{"operations": [], "outputs": [{"name": "full", "format": "webp"}]}'


class Photos:
    """Photos that stay in process until they are told to end."""

    def __init__(self, limit: float) -> None:
        self.admission = Admission(limit)
        self.inside: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.ends: dict[str, asyncio.Event] = {}

    async def come(self, name: str, megapixels: float) -> None:
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._stay(name, megapixels))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _stay(self, name: str, megapixels: float) -> None:
        async with self.admission.admitted(megapixels):
            self.inside.append(name)
            try:
                await self.ends[name].wait()
            finally:
                self.inside.remove(name)

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await asyncio.wait({self.tasks[name]})
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_photos_wait_for_room_in_the_order_they_came() -> None:
    photos = Photos(24)
    for name in ("a", "b", "c"):
        await photos.come(name, 12)
    assert photos.inside == ["a", "b"]
    await photos.end("a")
    assert photos.inside == ["b", "c"]
    await photos.end("b")
    await photos.end("c")
    assert photos.inside == []


async def test_photo_larger_than_the_limit_goes_alone() -> None:
    photos = Photos(24)
    await photos.come("small", 1)
    await photos.come("huge", 100)
    assert photos.inside == ["small"]
    await photos.end("small")
    assert photos.inside == ["huge"]
    await photos.come("next", 1)
    assert photos.inside == ["huge"]
    await photos.end("huge")
    assert photos.inside == ["next"]
    await photos.end("next")


async def test_small_photos_do_not_pass_a_large_one_for_ever() -> None:
    photos = Photos(24)
    await photos.come("first", 12)
    await photos.come("large", 24)
    await photos.come("small", 1)
    assert photos.inside == ["first"], "the large one would never find room"
    await photos.end("first")
    assert photos.inside == ["large"]
    await photos.end("large")
    assert photos.inside == ["small"]
    await photos.end("small")


async def test_cancelled_photo_leaves_its_place_and_its_room() -> None:
    photos = Photos(24)
    for name, megapixels in (("first", 20), ("large", 24), ("small", 4)):
        await photos.come(name, megapixels)
    photos.tasks["large"].cancel()
    await asyncio.sleep(0.01)
    assert photos.inside == ["first", "small"]
    photos.tasks["first"].cancel()
    await asyncio.sleep(0.01)
    await photos.come("next", 20)
    assert photos.inside == ["small", "next"]
    for name in ("small", "next"):
        await photos.end(name)


class Slow(ThreadRunner):
    """The real runner, which notes how many photos it has at once and takes its time."""

    at_once = 0
    most = 0

    async def run(self, work, control, stage, keep):  # type: ignore[no-untyped-def]
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(0.5)
            return await super().run(work, control, stage, keep)
        finally:
            self.at_once -= 1


@pytest.mark.parametrize(("limit", "most"), [(0.3, 1), (0.5, 2), (10.0, 4)])
async def test_runner_takes_sizes_from_the_headers(
    limit: float, most: int, tmp_path: Path, photos: dict[str, Path]
) -> None:
    settings = Settings(data_dir=tmp_path, workers=4, offline=True)
    inner = Slow(settings, ModelStore(settings))
    runner = AdmittingRunner(inner, limit)
    work = Work(photos["coffee"], CONVERT, {}, 100)  # 0.24 MP

    async def one() -> ProcessedImage:
        # No photo has the time for four in turn: waiting does not count.
        control = Control("job", time.monotonic() + 1.9)
        return await runner.run(work, control, lambda _: None, lambda result: result)

    results = await asyncio.gather(*(one() for _ in range(4)))
    assert [result.width for result in results] == [600] * 4
    assert inner.most == most
    await runner.close()


async def test_broken_photo_fails_by_the_runner_s_own_word(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, workers=1, offline=True)
    runner = AdmittingRunner(ThreadRunner(settings, ModelStore(settings)), 24)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    control = Control("job", time.monotonic() + 60)
    with pytest.raises(errors.UnsupportedFormat):
        await runner.run(Work(broken, CONVERT, {}, 100), control, lambda _: None, lambda result: result)
    await runner.close()
