"""1,000 subscribers of one job; then the same with ten that never read."""

import asyncio
import json
import statistics
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from tests.server import Server
from tests.soak.kills import photo

CLIENTS, DEAF = 1_000, 10
PHOTOS = 60
ROUNDS = 3
RECIPE = json.dumps({"operations": [{"op": "resize", "width": 400}], "outputs": [{"name": "full", "format": "webp"}]})


async def _listen(socket: ClientConnection) -> list[tuple[float, str | bytes]]:
    """Every message with the moment of its receipt; they are read later, since reading 1,000 takes its time."""
    return [(time.monotonic(), text) async for text in socket]


def _delays(received: list[list[tuple[float, str | bytes]]]) -> list[float]:
    """Seconds from the first subscriber's receipt of each message to every other's, in order."""
    seen: dict[int, list[float]] = {}
    for messages in received:
        for at, text in messages:
            message = json.loads(text)
            if message["type"] == "progress" and not message["snapshot"]:
                seen.setdefault(message["seq"], []).append(at)
    assert len(seen[max(seen)]) == CLIENTS, "somebody missed the last message"
    return sorted(at - min(times) for times in seen.values() for at in times)


async def _round(server: Server, deaf: int) -> float:
    """p99 of the seconds from the first subscriber's receipt of a message to the others'."""
    job = await asyncio.to_thread(server.submit, *[photo(n) for n in range(PHOTOS)], recipe=RECIPE, priority="batch")
    await asyncio.to_thread(server.post, f"/api/jobs/{job['id']}/pause")
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{job['id']}"
    sockets = [await connect(url, ping_interval=None, max_queue=None) for _ in range(CLIENTS)]
    silent = [await connect(url, ping_interval=None, max_queue=1) for _ in range(deaf)]
    tasks = [asyncio.create_task(_listen(socket)) for socket in sockets]
    await asyncio.sleep(1)
    await asyncio.to_thread(server.post, f"/api/jobs/{job['id']}/resume")
    delays = _delays(await asyncio.gather(*tasks))
    for socket in silent:
        socket.transport.abort()
    return delays[int(len(delays) * 0.99)]


def run(folder: Path) -> list[str]:
    """What was broken; prints the figures."""
    server = Server(folder / "data", folder / "models", offline="true").start()

    async def rounds() -> list[tuple[float, float]]:
        return [(await _round(server, 0), await _round(server, DEAF)) for _ in range(ROUNDS)]

    pairs = asyncio.run(rounds())
    plain, with_deaf = statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs)
    server.stop()
    print(f"{CLIENTS} subscribers: p99 {1000 * plain:.0f} ms; with {DEAF} that never read {1000 * with_deaf:.0f} ms")
    broken = []
    if plain > 0.25:
        broken.append(f"p99 {1000 * plain:.0f} ms, 250 promised")
    if with_deaf - plain > 0.05:
        broken.append(f"{DEAF} that never read add {1000 * (with_deaf - plain):.0f} ms, 50 promised")
    return broken
