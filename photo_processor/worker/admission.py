"""A limit on the megapixels in process at once: memory goes by those, not by the number of photos."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from image_processor import ProcessedImage
from photo_processor import errors
from photo_processor.imaging.decode import probe
from photo_processor.operations.sizes import largest_px
from photo_processor.worker.runners import Control, Runner, Stage, Work, parsed_recipe

MEGA = 1e6
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    weight: float
    turn: "asyncio.Future[None]"


class Admission:
    """Lets photos in while their megapixels together stay within `limit`, first come, first served.

    One that is larger than the limit goes alone; small ones that come after a large one do not pass it, so that it is
    never kept waiting by them.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._free = limit
        self._queue: deque[_Waiting] = deque()

    @asynccontextmanager
    async def admitted(self, megapixels: float) -> AsyncIterator[None]:
        """Wait until there is room for a photo of this size; it is taken until the block ends."""
        waiting = _Waiting(min(megapixels, self._limit), asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._let_in()
        try:
            await waiting.turn
            yield
        finally:
            if waiting in self._queue:  # cancelled before its turn
                self._queue.remove(waiting)
            else:
                self._free += waiting.weight
            self._let_in()

    def _let_in(self) -> None:
        while self._queue and self._queue[0].weight <= self._free:
            first = self._queue.popleft()
            self._free -= first.weight
            if not first.turn.done():
                first.turn.set_result(None)


class AdmittingRunner:
    """A runner whose photos wait until there is room for their megapixels. The wait does not count as work."""

    def __init__(self, runner: Runner, limit: float) -> None:
        self._runner = runner
        self._admission = Admission(limit)

    async def run(self, work: Work, control: Control, stage: Stage, keep: Callable[[ProcessedImage], T]) -> T:
        megapixels = await asyncio.to_thread(_megapixels, work)
        began = time.monotonic()
        async with self._admission.admitted(megapixels):
            control.deadline += time.monotonic() - began
            return await self._runner.run(work, control, stage, keep)

    async def close(self) -> bool:
        return await self._runner.close()


def _megapixels(work: Work) -> float:
    """Those of the largest picture that will be made, from the photo's header and the recipe.

    0 of what will not be decoded and the photo's own of what grows too large, since those are the runner's to tell.
    """
    try:
        width, height = probe(work.source, work.max_megapixels)
    except (errors.PhotoError, OSError):
        return 0.0
    own = width * height / MEGA
    largest = largest_px(parsed_recipe(work.recipe), width, height) / MEGA
    return max(own, min(largest, work.max_megapixels))
