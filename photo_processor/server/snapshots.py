"""The first message of a job's WebSockets, made once for all who ask at the same time."""

import asyncio
import time
from collections import OrderedDict

from photo_processor.worker.progress import LiveState
from queue_manager import QueueManager
from websocket_manager import Message

KEPT = 4  # snapshots; one of a job of 10,000 photos has 1.5 MB
KEPT_SECONDS = 2.0  # stages and the time left move on without an event


class Snapshots:
    """Snapshots of jobs as messages. Rows become a message in a thread: 10,000 of them take a second."""

    def __init__(self, queue: QueueManager, live: LiveState) -> None:
        self._queue = queue
        self._live = live
        self._making: dict[tuple[str, int | None], asyncio.Task[Message]] = {}
        self._kept: OrderedDict[tuple[str, int | None], tuple[Message, float]] = OrderedDict()

    async def get(self, job_id: str, since: int | None) -> Message:
        """The job as it is now or was a moment later; with `since`, the files that changed after that event.

        One that is being made already serves as well, unless an event came between its look at the rows and this call.

        Raises:
            errors.JobNotFound
        """
        needed, key = await self._queue.seq(job_id), (job_id, since)
        while True:
            message, made_at = self._kept.get(key, (None, 0.0))
            if message is not None and message.seq >= needed and time.monotonic() - made_at < KEPT_SECONDS:
                return message
            message = await asyncio.shield(self._making.get(key) or self._begin(key))
            if message.seq >= needed:
                return message

    def _begin(self, key: tuple[str, int | None]) -> asyncio.Task[Message]:
        task = self._making[key] = asyncio.create_task(self._make(key))
        task.add_done_callback(lambda _: self._making.pop(key, None))
        return task

    async def _make(self, key: tuple[str, int | None]) -> Message:
        event = self._live.annotate(await self._queue.snapshot(*key))
        message = await asyncio.to_thread(Message.of, event)
        self._kept[key] = message, time.monotonic()
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return message
