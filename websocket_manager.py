"""Live events over WebSockets: one topic a job, coalesced, and a bounded queue for each client."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from photo_processor.schemas import JobEvent

INTERVAL = 0.1  # seconds between two messages of one job
SECONDS_PER_CLIENT = 0.0002  # between two messages: sending takes 0.07 ms of processor time for each
HEARTBEAT = 15.0  # seconds of silence
BACKLOG = 32  # messages that a client may lag behind before it gets a snapshot instead
SEND_TIMEOUT = 30.0  # seconds for one message to a client that does not read
LONG = 100_000  # characters of a message that takes a millisecond to send
NORMAL, RESTARTING = 1000, 1012  # close codes, RFC 6455


@dataclass(frozen=True, slots=True)
class Message:
    """An event, encoded once for all clients of its job."""

    text: str
    seq: int
    final: bool

    @classmethod
    def of(cls, event: JobEvent) -> "Message":
        return cls(event.model_dump_json(), event.seq, event.final)


Snapshot = Callable[[], Awaitable[Message]]


@dataclass(eq=False, slots=True)
class _Client:
    """One subscriber. None in its queue: the server stops."""

    queue: asyncio.Queue[Message | None] = field(default_factory=lambda: asyncio.Queue(BACKLOG))
    behind: bool = False

    def offer(self, message: Message | None) -> None:
        """Never waits: a full queue is thrown away, for the client to get a snapshot when it reads again."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.behind = True
        self.queue.put_nowait(message)


@dataclass(slots=True)
class _Topic:
    clients: set[_Client] = field(default_factory=set)
    pending: JobEvent | None = None
    sent_at: float = float("-inf")
    timer: asyncio.TimerHandle | None = None


class WebSocketManager:
    """Passes events on to the subscribers of their job. Used on the event loop only."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}
        self._closed = False
        self._turnstile = asyncio.Lock()

    @property
    def clients(self) -> int:
        """Connected subscribers."""
        return sum(len(topic.clients) for topic in self._topics.values())

    def follows(self, job_id: str) -> bool:
        """Whether anybody listens to the job."""
        return job_id in self._topics

    def publish(self, event: JobEvent) -> None:
        """Send `event` to its job's subscribers, merged with what came less than `INTERVAL` ago. Never waits."""
        topic = self._topics.get(event.job_id)
        if topic is None:
            return
        topic.pending = topic.pending.merged(event) if topic.pending else event
        if topic.timer is None:
            loop = asyncio.get_running_loop()
            interval = max(INTERVAL, SECONDS_PER_CLIENT * len(topic.clients))
            delay = max(0.0, topic.sent_at + interval - loop.time())
            topic.timer = loop.call_later(delay, self._flush, topic)

    def _flush(self, topic: _Topic) -> None:
        topic.timer = None
        topic.sent_at = asyncio.get_running_loop().time()
        event, topic.pending = topic.pending, None
        if event is not None:
            message = Message.of(event)
            for client in topic.clients:
                client.offer(message)

    async def serve(self, socket: WebSocket, job_id: str, first: Snapshot, later: Snapshot) -> None:
        """Send a snapshot, then changes, until the job or the connection ends.

        `first` makes the opening snapshot, `later` one for a client that has fallen behind. The subscription stands
        before the snapshot is read, so that no change falls between the two.
        """
        topic = self._topics.setdefault(job_id, _Topic())
        client = _Client()
        topic.clients.add(client)
        reader = asyncio.create_task(_read_until_closed(socket))
        writer = asyncio.create_task(self._write(socket, client, first, later))
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reader.cancel()
            writer.cancel()
            outcomes = await asyncio.gather(reader, writer, return_exceptions=True)
            topic.clients.discard(client)
            if not topic.clients:
                self._topics.pop(job_id, None)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | TimeoutError):
                raise outcome

    async def _write(self, socket: WebSocket, client: _Client, first: Snapshot, later: Snapshot) -> None:
        message = await first()
        while True:
            await self._send(socket, message.text)
            if message.final:
                await socket.close(NORMAL)
                return
            following = await self._next(socket, client, message.seq)
            if following is None:
                await socket.close(RESTARTING)
                return
            if client.behind:
                client.behind = False
                following = await later()
            message = following

    async def _next(self, socket: WebSocket, client: _Client, seq: int) -> Message | None:
        """The next message that is not older than `seq`, with heartbeats while there is none."""
        while not self._closed:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    message = await client.queue.get()
            except TimeoutError:
                await self._send(socket, json.dumps({"type": "heartbeat", "seq": seq}))
                continue
            if message is None or message.seq >= seq:
                return message
        return None

    async def _send(self, socket: WebSocket, text: str) -> None:
        """Send within `SEND_TIMEOUT`; long texts one after the other, with a look at other work in between.

        Raises TimeoutError.
        """
        if len(text) > LONG:
            async with self._turnstile:
                await asyncio.sleep(0)
        async with asyncio.timeout(SEND_TIMEOUT):
            await socket.send_text(text)

    async def close(self) -> None:
        """Close every connection with 1012: the server restarts, come back."""
        self._closed = True
        for topic in self._topics.values():
            for client in topic.clients:
                client.offer(None)


async def _read_until_closed(socket: WebSocket) -> None:
    """Clients have nothing to say; reading is how a closed connection is noticed."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
