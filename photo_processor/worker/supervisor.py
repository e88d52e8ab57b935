"""Long-lived tasks: one that ends by an error is logged, counted and started again, with growing pauses."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds before a task is started again, doubled each time
SOUND = 60.0  # seconds a task has run after which its pauses begin anew

log = logging.getLogger("photo.supervisor")


class Supervisor:
    """The tasks of a server that shall never end by an error. Used on the event loop only."""

    def __init__(self) -> None:
        self._down: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: Counter[str] = Counter()  # since the start, by the task's name

    @property
    def down(self) -> tuple[str, ...]:
        """Names of the tasks that have ended by an error and wait for their next start."""
        return tuple(sorted(+self._down))

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run `work` until it returns, or the task is cancelled; several may share a name."""
        task = asyncio.create_task(self._kept_running(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel what still runs."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def failed(self, name: str, error: BaseException) -> None:
        """Log and count an error of the task `name`, which goes on."""
        self.failures[name] += 1
        log.error("task=%s failed, for the %d. time", name, self.failures[name], exc_info=error)

    async def _kept_running(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                await work()
                return
            except Exception as error:
                self.failed(name, error)
            if time.monotonic() - began > SOUND:
                pause = FIRST_PAUSE
            self._down[name] += 1
            try:
                await asyncio.sleep(pause)
            finally:
                self._down[name] -= 1
            pause = min(2 * pause, LONGEST_PAUSE)
