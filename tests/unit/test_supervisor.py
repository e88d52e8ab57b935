"""Tasks that end by an error are started again, and say so meanwhile."""

import asyncio
import logging

import pytest

from photo_processor.worker import supervisor as supervision
from photo_processor.worker.supervisor import Supervisor


async def test_task_that_fails_is_logged_counted_and_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.05)
    supervisor, runs, ready = Supervisor(), [], asyncio.Event()

    async def work() -> None:
        runs.append(supervisor.down)
        if len(runs) < 3:
            raise ZeroDivisionError("the cause")
        ready.set()

    with caplog.at_level(logging.ERROR):
        task = supervisor.start("chore", work)
        async with asyncio.timeout(5):
            while not supervisor.down:
                await asyncio.sleep(0.001)
            assert supervisor.down == ("chore",)
            await ready.wait()
            await task
    assert supervisor.failures == {"chore": 2}
    assert runs == [(), (), ()], "it is up while it runs"
    assert supervisor.down == ()
    assert "ZeroDivisionError: the cause" in caplog.text


async def test_stop_ends_what_runs_and_what_waits_for_its_next_start() -> None:
    supervisor = Supervisor()

    async def fails() -> None:
        raise ZeroDivisionError

    tasks = [supervisor.start("fails", fails), supervisor.start("waits", asyncio.Event().wait)]  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    await supervisor.stop()
    assert [task.cancelled() for task in tasks] == [True, True]
    assert supervisor.down == ()
