"""The broadcaster against sockets that read, lag, or go away."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from starlette.websockets import WebSocket

import websocket_manager
from photo_processor.schemas import FileBrief, JobEvent, JobMetadata, Progress
from websocket_manager import Message, WebSocketManager

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(seq: int, *, done: int = 0, final: bool = False, snapshot: bool = False, files: int = 1) -> JobEvent:
    return JobEvent(
        job_id="j",
        status="completed" if final else "processing",
        progress=Progress.of(100, done, 0),
        metadata=JobMetadata(created_at=NOW, updated_at=NOW, job_type="batch", file_count=100),
        error=None,
        seq=seq,
        snapshot=snapshot,
        final=final,
        files=tuple(FileBrief(id=f"{seq}-{n}", name="a", status="completed", stage="done") for n in range(files)),
    )


class Peer:
    """The far end of a Starlette WebSocket, speaking ASGI; `reading` is whether sends get through."""

    def __init__(self) -> None:
        self.reading = asyncio.Event()
        self.reading.set()
        self.gone: asyncio.Event = asyncio.Event()
        self.messages: list[dict[str, object]] = []
        self.code: int | None = None
        scope = {"type": "websocket", "headers": [], "path": "/", "query_string": b""}
        self.socket = WebSocket(scope, self._receive, self._send)
        self._connected = False

    async def _receive(self) -> dict[str, object]:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        await self.gone.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def _send(self, message: dict[str, object]) -> None:
        await self.reading.wait()
        if message["type"] == "websocket.send":
            self.messages.append(json.loads(str(message["text"])))
        elif message["type"] == "websocket.close":
            self.code = int(str(message["code"]))

    async def serve(self, manager: WebSocketManager, opening: Callable[[], Awaitable[JobEvent]]) -> None:
        async def snapshot() -> Message:
            return Message.of(await opening())

        await self.socket.accept()
        await manager.serve(self.socket, "j", snapshot, snapshot)


async def opening() -> JobEvent:
    return event(1, snapshot=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_serve_sends_snapshot_then_changes_then_closes_after_the_final_one() -> None:
    manager, peer = WebSocketManager(), Peer()
    serving = asyncio.create_task(peer.serve(manager, opening))
    await until(lambda: len(peer.messages) == 1)
    manager.publish(event(2))
    await until(lambda: len(peer.messages) == 2)
    manager.publish(event(3, final=True))
    await asyncio.wait_for(serving, 5)
    assert [message["snapshot"] for message in peer.messages] == [True, False, False]
    assert peer.messages[-1]["final"] is True
    assert peer.code == 1000
    assert manager.clients == 0


async def test_late_subscriber_of_a_finished_job_gets_one_final_message() -> None:
    async def finished() -> JobEvent:
        return event(9, final=True, snapshot=True)

    manager, peer = WebSocketManager(), Peer()
    await asyncio.wait_for(peer.serve(manager, finished), 5)
    assert [message["final"] for message in peer.messages] == [True]
    assert peer.code == 1000


async def test_publish_sends_at_most_ten_messages_a_second_and_keeps_every_file_and_the_last() -> None:
    manager, peer = WebSocketManager(), Peer()
    serving = asyncio.create_task(peer.serve(manager, opening))
    await until(lambda: len(peer.messages) == 1)
    began = asyncio.get_running_loop().time()
    for seq in range(2, 102):
        manager.publish(event(seq, done=seq - 1, final=seq == 101))
        await asyncio.sleep(0.005)
    await asyncio.wait_for(serving, 5)
    elapsed = asyncio.get_running_loop().time() - began
    assert len(peer.messages) - 1 <= elapsed / websocket_manager.INTERVAL + 2
    named = [file["id"] for message in peer.messages for file in message["files"]]
    assert named == [f"{seq}-0" for seq in range(1, 102)]
    assert peer.messages[-1]["final"] is True


async def test_client_that_does_not_read_holds_up_nobody_and_gets_a_snapshot_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket_manager, "INTERVAL", 0.001)
    manager, slow, quick = WebSocketManager(), Peer(), Peer()
    latest = event(1, snapshot=True)

    async def snapshot() -> JobEvent:
        return latest

    tasks = [asyncio.create_task(peer.serve(manager, snapshot)) for peer in (slow, quick)]
    await until(lambda: bool(slow.messages and quick.messages))
    slow.reading.clear()
    for seq in range(2, 102):
        latest = event(seq, snapshot=True)
        manager.publish(event(seq))
        await asyncio.sleep(0.003)
    await until(lambda: quick.messages[-1]["seq"] == 101)
    assert len(slow.messages) == 1
    slow.reading.set()
    await until(lambda: slow.messages[-1]["seq"] == 101)
    assert any(message["snapshot"] for message in slow.messages[1:])
    assert len(slow.messages) < 50
    await manager.close()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert (slow.code, quick.code) == (1012, 1012)


async def test_disconnected_client_is_forgotten() -> None:
    manager, peer = WebSocketManager(), Peer()
    serving = asyncio.create_task(peer.serve(manager, opening))
    await until(lambda: manager.clients == 1)
    peer.gone.set()
    await asyncio.wait_for(serving, 5)
    assert manager.clients == 0


async def test_silence_is_filled_with_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_manager, "HEARTBEAT", 0.02)
    manager, peer = WebSocketManager(), Peer()
    serving = asyncio.create_task(peer.serve(manager, opening))
    await until(lambda: len(peer.messages) >= 3)
    assert peer.messages[1] == {"type": "heartbeat", "seq": 1}
    await manager.close()
    await asyncio.wait_for(serving, 5)


async def test_failing_snapshot_is_not_swallowed() -> None:
    async def broken() -> JobEvent:
        raise LookupError

    manager, peer = WebSocketManager(), Peer()
    with pytest.raises(LookupError):
        await asyncio.wait_for(peer.serve(manager, broken), 5)
    assert manager.clients == 0
