"""1,000 subscribers of one job; then the same with ten that never read."""

import asyncio
import json
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from tests.server import Server
from tests.soak.kills import photo

CLIENTS, DEAF = 1_000, 10
PHOTOS = 60
RECIPE = json.dumps({"operations": [{"op": "resize", "width": 400}], "outputs": [{"name": "full", "format": "webp"}]})


async def _listen(socket: ClientConnection, seen: dict[int, list[float]]) -> None:
    async for text in socket:
        message = json.loads(text)
        if message["type"] == "progress" and not message["snapshot"]:
            seen.setdefault(message["seq"], []).append(time.monotonic())


async def _round(server: Server, deaf: int) -> float:
    """p99 of the seconds from the first subscriber's receipt of a message to the others'."""
    job = await asyncio.to_thread(server.submit, *[photo(n) for n in range(PHOTOS)], recipe=RECIPE, priority="batch")
    await asyncio.to_thread(server.post, f"/api/jobs/{job['id']}/pause")
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{job['id']}"
    seen: dict[int, list[float]] = {}
    sockets = [await connect(url, ping_interval=None, max_queue=None) for _ in range(CLIENTS)]
    silent = [await connect(url, ping_interval=None, max_queue=1) for _ in range(deaf)]
    tasks = [asyncio.create_task(_listen(socket, seen)) for socket in sockets]
    await asyncio.sleep(1)
    await asyncio.to_thread(server.post, f"/api/jobs/{job['id']}/resume")
    await asyncio.gather(*tasks)
    for socket in silent:
        socket.transport.abort()
    delays = sorted(at - min(times) for times in seen.values() for at in times)
    assert min(len(times) for times in list(seen.values())[-1:]) == CLIENTS, "somebody missed the last message"
    return delays[int(len(delays) * 0.99)]


def run(folder: Path) -> list[str]:
    """What was broken; prints the figures."""
    server = Server(folder / "data", folder / "models", offline="true").start()

    async def both() -> tuple[float, float]:
        return await _round(server, 0), await _round(server, DEAF)

    plain, with_deaf = asyncio.run(both())
    server.stop()
    print(f"{CLIENTS} subscribers: p99 {1000 * plain:.0f} ms; with {DEAF} that never read {1000 * with_deaf:.0f} ms")
    broken = []
    if plain > 0.25:
        broken.append(f"p99 {1000 * plain:.0f} ms, 250 promised")
    if with_deaf - plain > 0.05:
        broken.append(f"{DEAF} that never read add {1000 * (with_deaf - plain):.0f} ms, 50 promised")
    return broken
