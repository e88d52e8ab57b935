"""What the server does while no photo waits: it gives memory back, and optimises the default network."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from photo_processor import errors, memory
from photo_processor.models.store import ModelStore
from photo_processor.settings import Settings

LOOK_S = 0.25  # between looks at the workers
QUIET_S = 30.0  # without a photo, before an optimisation is begun
PAUSE_S = 3.0  # without a photo, before memory is given back and an optimisation that was held up goes on
LEAST_MEMORY = 4_000_000_000  # bytes that must be free: the process takes 2.9 GB for ISNet

log = logging.getLogger("photo.idle")


class IdleWork:
    """Begins an optimisation when the server is idle, and holds any that is under way while photos are in process.

    What photos left free is given back to the system when no other has come for a while.
    """

    def __init__(
        self, settings: Settings, models: ModelStore, is_busy: Callable[[], bool], quiet_s: float = QUIET_S
    ) -> None:
        self._automatic = settings.optimize == "auto"
        self._models = models
        self._is_busy = is_busy
        self._quiet_s = quiet_s

    async def run(self) -> None:
        """Look at the workers for ever."""
        busy_at = looked_at = time.monotonic()
        worked = False
        while True:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if self._is_busy():
                busy_at, worked = now, True
                self._models.optimiser.pause()
            elif now - busy_at > PAUSE_S:
                self._models.optimiser.resume()
                if worked:
                    worked = False
                    await asyncio.to_thread(memory.give_back)
            if self._automatic and now - max(busy_at, looked_at) > self._quiet_s:
                looked_at = now
                await self._begin()

    async def _begin(self) -> None:
        """Optimise what `auto` stands for, unless that was tried before or is under way."""
        row = self._models.row(self._models.auto_name())
        if not row.optimisable or row.optimised is not None or self._models.optimiser.tasks:
            return
        if await asyncio.to_thread(free_memory) < LEAST_MEMORY:
            log.info("%s is not optimised: too little memory is free", row.name)
            return
        with contextlib.suppress(errors.PhotoError):  # it was deleted a moment ago
            self._models.optimise(row.name)
            log.info("%s is being optimised for this machine", row.name)


def free_memory() -> float:
    """Bytes that a new process can have; endless where the system does not say."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    return float("inf")
