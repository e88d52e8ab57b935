"""Both kinds of runner keep the same promises."""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from image_processor import ProcessedImage
from photo_processor import errors
from photo_processor.models.inference.inference_thread import NICENESS, networks
from photo_processor.models.store import ModelStore
from photo_processor.settings import Settings
from photo_processor.worker import runners
from photo_processor.worker.runners import Control, ProcessRunner, Runner, ThreadRunner, Work, WorkerDied

CONVERT = '{"operations": [], "outputs": [{"name": "full", "format": "webp"}]}'
SLOW = '{"operations": [{"op": "remove_background", "model": "grabcut"}]}'


@pytest.fixture(params=["thread", "process"])
async def runner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Runner]:
    settings = Settings(data_dir=tmp_path, workers=2, offline=True)
    kind: Runner = (
        ThreadRunner(settings, ModelStore(settings)) if request.param == "thread" else ProcessRunner(settings)
    )
    yield kind
    await kind.close()


def same(processed: ProcessedImage) -> ProcessedImage:
    return processed


def control(seconds: float = 60) -> Control:
    return Control("job", time.monotonic() + seconds)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness on Linux alone")
async def test_workers_give_way_to_the_thread_of_the_networks(tmp_path: Path, photos: dict[str, Path]) -> None:
    settings = Settings(data_dir=tmp_path, workers=2, offline=True)
    runner = ThreadRunner(settings, ModelStore(settings))

    def niceness(_: object = None) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    of_worker = await runner.run(Work(photos["coffee"], CONVERT, {}, 100), control(), lambda _: None, niceness)
    await runner.close()
    assert of_worker == max(NICENESS, niceness())
    assert networks().call(niceness) == niceness()


async def test_run_gives_the_processed_photo_and_announces_its_stages(runner: Runner, photos: dict[str, Path]) -> None:
    stages: list[str] = []
    for _ in range(2):
        result = await runner.run(Work(photos["coffee"], CONVERT, {}, 100), control(), stages.append, same)
    assert (result.width, result.height, result.outputs[0].format) == (600, 400, "webp")
    assert stages == ["reading the photo", "saving"] * 2


async def test_run_raises_the_photo_s_own_error(runner: Runner, photos: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photos["coffee"].read_bytes()[:5000])
    with pytest.raises(errors.TruncatedImage):
        await runner.run(Work(broken, CONVERT, {}, 100), control(), lambda _: None, same)
    with pytest.raises(errors.TooManyPixels):
        await runner.run(Work(photos["coffee"], CONVERT, {}, 0.1), control(), lambda _: None, same)


async def test_run_past_its_deadline_times_out_and_leaves_the_place_free(
    runner: Runner, photos: dict[str, Path]
) -> None:
    with pytest.raises(errors.TimedOut):
        await runner.run(Work(photos["astronaut"], SLOW, {}, 100), control(0.01), lambda _: None, same)
    result = await runner.run(Work(photos["coffee"], CONVERT, {}, 100), control(), lambda _: None, same)
    assert result.width == 600


async def test_stopped_work_raises_cancelled(runner: Runner, photos: dict[str, Path]) -> None:
    stopped = control()
    stopped.stop()
    with pytest.raises(errors.Cancelled):
        await runner.run(Work(photos["coffee"], CONVERT, {}, 100), stopped, lambda _: None, same)


async def test_stop_ends_running_work(runner: Runner, photos: dict[str, Path]) -> None:
    running = control()

    def stop(stage: str) -> None:
        if stage == "removing background":
            running.stop()

    with pytest.raises(errors.Cancelled):
        await runner.run(Work(photos["astronaut"], SLOW, {}, 100), running, stop, same)


@pytest.mark.serial
async def test_thread_stuck_in_a_native_call_loses_its_place_to_a_new_one(
    tmp_path: Path, photos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path, workers=1, offline=True)
    runner = ThreadRunner(settings, ModelStore(settings))
    process = runners.process_image
    monkeypatch.setattr(runners, "process_image", lambda *_: time.sleep(2))
    work = Work(photos["coffee"], CONVERT, {}, 100)
    with pytest.raises(errors.TimedOut):
        await runner.run(work, control(0.1), lambda _: None, same)
    monkeypatch.setattr(runners, "process_image", process)
    began = time.monotonic()
    assert (await runner.run(work, control(), lambda _: None, same)).width == 600
    assert time.monotonic() - began < 1.5, "it waited for the thread that is stuck"
    assert await runner.close() is False, "the stuck thread has not come back"
    await asyncio.sleep(2)  # it must not outlive the test


@pytest.mark.slow
async def test_process_that_dies_is_reported_and_replaced(tmp_path: Path, photos: dict[str, Path]) -> None:
    runner = ProcessRunner(Settings(data_dir=tmp_path, workers=1, offline=True))

    def die(stage: str) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(WorkerDied):
        await runner.run(Work(photos["astronaut"], SLOW, {}, 100), control(), die, same)
    result = await runner.run(Work(photos["coffee"], CONVERT, {}, 100), control(), lambda _: None, same)
    assert result.width == 600
    await runner.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_death_of_an_idle_process_counts_for_no_photo(
    tmp_path: Path, photos: dict[str, Path], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(runners, "TAKEN_WITHIN", 0.5)
    runner = ProcessRunner(Settings(data_dir=tmp_path, workers=1, offline=True))
    work = Work(photos["coffee"], CONVERT, {}, 100)
    await runner.run(work, control(), lambda _: None, same)
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, number)
    monkeypatch.setattr(runners, "TAKEN_WITHIN", 3.0)
    assert (await runner.run(work, control(2.5), lambda _: None, same)).width == 600, "it is not the photo's time"
    await runner.close()


@pytest.mark.slow
async def test_photo_beyond_its_process_s_memory_is_out_of_memory_not_broken(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    Image.new("RGB", (9_990, 9_990), (40, 90, 160)).save(large)
    settings = Settings(data_dir=tmp_path, workers=1, offline=True, process_memory_bytes=500_000_000)
    runner = ProcessRunner(settings)
    with pytest.raises(errors.OutOfMemory):
        await runner.run(Work(large, CONVERT, {}, 100), control(), lambda _: None, same)
    await runner.close()
