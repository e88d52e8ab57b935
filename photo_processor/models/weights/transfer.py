"""Downloading one file: with resume, time limits and an atomic end."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

FIRST_BYTE_S = 5.0
STALL_S = 15.0
CHUNK_BYTES = 1 << 20
MOST_BYTES = 4_000_000_000  # of a file whose size is not known

Report = Callable[[int, int | None], None]


class SourceFailed(Exception):
    """A source did not deliver; the message says why, for people."""


class _TooLong(SourceFailed):
    """There is more than there should be; what came of it is of no use."""


def new_client() -> httpx.AsyncClient:
    """A client with this module's timeouts; it honours the proxy and certificate variables of the environment."""
    timeout = httpx.Timeout(STALL_S)
    # Identity: a Range counts the bytes of the file, not those of a compressed answer.
    return httpx.AsyncClient(timeout=timeout, follow_redirects=True, headers={"Accept-Encoding": "identity"})


@dataclass(frozen=True)
class _Partial:
    """What an earlier try left: where it was downloaded from, what named that version, and how much is there."""

    url: str
    validator: str | None
    bytes: int

    def headers(self) -> dict[str, str]:
        """The headers that ask for the rest."""
        if not self.bytes:
            return {}
        return {"Range": f"bytes={self.bytes}-", **({"If-Range": self.validator} if self.validator else {})}


async def download(
    client: httpx.AsyncClient,
    url: str,
    part: Path,
    report: Report,
    patience_s: float = FIRST_BYTE_S,
    most: int = MOST_BYTES,
) -> None:
    """Stream `url` to `part`, going on where an earlier try stopped; the first byte must come within `patience_s`, and
    there may be `most` bytes.

    Raises SourceFailed, TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError.
    """
    partial = await asyncio.to_thread(_read_partial, part, url)
    async with AsyncExitStack() as stack:
        deadline = time.monotonic() + patience_s
        response = await _begin(client, url, partial.headers(), stack, patience_s)
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            response = await _begin(client, url, {}, stack, patience_s)
        response.raise_for_status()
        begin = _begin_of(response)
        if begin != partial.bytes:
            begin = 0
        if begin == 0:
            await asyncio.to_thread(discard, part)
        await asyncio.to_thread(_write_state, part, url, _validator(response))
        try:
            await _receive(response, part, begin, deadline, report, most)
        except _TooLong:
            await asyncio.to_thread(discard, part)
            raise


async def _begin(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str], stack: AsyncExitStack, patience_s: float
) -> httpx.Response:
    async with asyncio.timeout(patience_s):
        return await stack.enter_async_context(client.stream("GET", url, headers=dict(headers)))


def _begin_of(response: httpx.Response) -> int:
    """The offset of the answer's first byte in the whole file. Raises SourceFailed where it does not say."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    span = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    if not span.isdigit():
        raise SourceFailed("sent a part of the file without saying which")
    return int(span)


def _validator(response: httpx.Response) -> str | None:
    etag: str | None = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    modified: str | None = response.headers.get("Last-Modified")
    return modified


async def _receive(
    response: httpx.Response, part: Path, begin: int, deadline: float, report: Report, most: int
) -> None:
    length = response.headers.get("Content-Length", "")
    total = begin + int(length) if length.isdigit() else None
    if total is not None and total > most:
        raise _TooLong("the file is longer than it should be")
    received, buffer = begin, bytearray()
    report(received, total)
    pieces = response.aiter_raw()
    try:
        async for data in _within(pieces, deadline):
            buffer += data
            received += len(data)
            if received > most:
                raise _TooLong("the file is longer than it should be")
            if len(buffer) >= CHUNK_BYTES:
                whole, buffer = bytes(buffer), bytearray()
                await _to_its_end(_append, part, whole)
                report(received, total)
    finally:
        _append(part, bytes(buffer))
    report(received, total)
    if total is not None and received != total:
        raise SourceFailed("the connection ended early")


async def _within(pieces: AsyncIterator[bytes], deadline: float) -> AsyncIterator[bytes]:
    """`pieces`, of which the first must come before `deadline`; the client's timeout watches the others."""
    with suppress(StopAsyncIteration):
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            first = await anext(pieces)
        yield first
    async for data in pieces:
        yield data


async def _to_its_end(write: Callable[[Path, bytes], None], part: Path, data: bytes) -> None:
    """Run `write` in a thread; when cancelled, only once it has ended, so that nobody else writes meanwhile."""
    writing = asyncio.ensure_future(asyncio.to_thread(write, part, data))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await writing
        raise


def _append(part: Path, data: bytes) -> None:
    with part.open("ab") as file:
        file.write(data)


def _state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_partial(part: Path, url: str) -> _Partial:
    try:
        state = json.loads(_state_path(part).read_text())
        if state["url"] == url:
            return _Partial(url, state["validator"], part.stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _Partial(url, None, 0)


def _write_state(part: Path, url: str, validator: str | None) -> None:
    _state_path(part).write_text(json.dumps({"url": url, "validator": validator}))


def discard(part: Path) -> None:
    """Remove what a download left."""
    part.unlink(missing_ok=True)
    _state_path(part).unlink(missing_ok=True)


def replace_durably(source: Path, target: Path) -> None:
    """Move `source` to `target` so that a power cut leaves either the old file or the whole new one."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    source.replace(target)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
