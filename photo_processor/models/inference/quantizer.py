"""Runs optimisations in child processes, one at a time, and says how far they are. Belongs to the event loop."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from photo_processor import errors
from photo_processor.models.inference.quantize_process import SAMPLES, Step
from photo_processor.models.inference.quantized import OptimisedFolder, Record, is_installed
from photo_processor.models.inference.types import Optimised
from photo_processor.models.weights.folders import Found, digest_of
from photo_processor.models.weights.rows import ModelRow

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[3]
LAST_WORDS = 2_000  # bytes of a failed child's messages that go to the log


class Optimiser:
    """Optimises networks of one server. `changed(name)` is called whenever there is something new to say of one."""

    def __init__(self, folder: OptimisedFolder, changed: Callable[[str], None], samples: int = SAMPLES) -> None:
        self._folder = folder
        self._changed = changed
        self._samples = samples
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._steps: dict[str, Step] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._paused = False

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """Those of the optimisations under way, paused or not."""
        return tuple(self._tasks.values())

    def state(self, row: ModelRow, original: Found | None) -> Optimised | None:
        """How far the optimisation of a network is, or what became of it."""
        if row.name in self._tasks:
            step = self._steps.get(row.name)
            percentage = round(100 * step.share, 1) if step and step.share is not None else None
            state = "paused" if self._paused else "running"
            return Optimised(state=state, step=step.step if step else None, percentage=percentage)
        record = self._folder.record(row, original) if original else None
        return _described(record) if record else None

    def start(self, row: ModelRow, original: Found) -> None:
        """Optimise `original` in the background, unless that is under way or done. Raises OptimizerMissing."""
        record = self._folder.record(row, original)
        if row.name in self._tasks or (record is not None and record.outcome == "ready"):
            return
        if not is_installed():
            raise errors.OptimizerMissing("The packages that optimise a network are not installed on this server.")
        task = asyncio.get_running_loop().create_task(self._run(row, original), name=f"optimise {row.name}")
        self._tasks[row.name] = task
        self._changed(row.name)

    def pause(self) -> None:
        """Hold what is under way, so that photos have the processor to themselves."""
        self._hold(True)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._hold(False)

    def _hold(self, hold: bool) -> None:
        if hold == self._paused or not hasattr(signal, "SIGSTOP"):
            return
        self._paused = hold
        self._signal()
        for name in self._tasks:
            self._changed(name)

    def _signal(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGSTOP if self._paused else signal.SIGCONT)

    async def close(self) -> None:
        """End what is under way; it begins anew next time."""
        tasks = self.tasks
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, row: ModelRow, original: Found) -> None:
        try:
            async with self._turn:
                said = await self._child(row, original)
            if said is not None:
                await asyncio.to_thread(self._failed, row, original, said)
        finally:
            del self._tasks[row.name]
            self._steps.pop(row.name, None)
            self._changed(row.name)

    async def _child(self, row: ModelRow, original: Found) -> str | None:
        """Run the child to its end; what it said last where it failed, else None."""
        folder = self._folder.files(row).graph.parent
        arguments = (
            "-m",
            "photo_processor.models.inference.quantize_process",
            row.name,
            str(original.path),
            str(folder),
        )
        pipe = asyncio.subprocess.PIPE
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            f"--samples={self._samples}",
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            # A group of its own: Ctrl+C is the server's to handle. When the server dies, the group is orphaned, and
            # the kernel ends a child that is stopped.
            process_group=0 if sys.platform != "win32" else None,
        )
        try:
            self._signal_if_paused()
            assert process.stderr is not None
            _, said = await asyncio.gather(self._follow(row.name, process), process.stderr.read())
            return None if await process.wait() == 0 else said.decode(errors="replace")[-LAST_WORDS:]
        finally:
            self._process = None
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _signal_if_paused(self) -> None:
        if self._paused:
            self._signal()

    async def _follow(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            try:
                self._steps[name] = Step.model_validate_json(line)
            except ValidationError:
                continue  # a library's own remark
            self._changed(name)

    def _failed(self, row: ModelRow, original: Found, said: str) -> None:
        log.error("optimising %s failed: %s", row.name, said)
        status = original.path.stat()
        record = Record(
            outcome="failed",
            reason="The optimisation failed; the server's log says why.",
            source=digest_of(original.path, "sha256"),
            source_bytes=status.st_size,
            source_mtime_ns=status.st_mtime_ns,
        )
        self._folder.files(row).write(record)


def _described(record: Record) -> Optimised:
    return Optimised(
        state=record.outcome,
        gain=record.gain,
        seconds=record.seconds,
        original_seconds=record.source_seconds,
        iou=record.iou,
        least_iou=record.least_iou,
        reason=record.reason,
    )
