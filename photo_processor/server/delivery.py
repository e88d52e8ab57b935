"""Headers for bytes that came from users: typed, never sniffed, never run."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from photo_processor import errors
from photo_processor.schemas import Blob
from photo_processor.server.middleware.head import IS_HEAD
from photo_processor.server.middleware.origins import NO_PAGE
from photo_processor.server.problems import problem
from photo_processor.server.services import Services

BYTES = "application/octet-stream"


def disposition(name: str, *, attachment: bool) -> str:
    """A Content-Disposition for any file name (RFC 6266); what is not plain ASCII goes percent-encoded."""
    base = name.rsplit("/", 1)[-1]
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%;' else "_" for char in base)
    kind = "attachment" if attachment else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(base, safe='')}"


class Hold:
    """Blobs that are being read: what replaces them, or deletes their photo, leaves them until `end`."""

    def __init__(self, rooms: Services, job_id: str, blobs: Sequence[Blob]) -> None:
        self._rooms, self._job_id, self._blobs = rooms, job_id, blobs
        self.passed_on = False
        rooms.storage.enter(job_id)
        rooms.storage.hold(job_id, blobs)

    def later(self) -> "Hold":
        """To be ended by whoever takes it, not by `held`."""
        self.passed_on = True
        return self

    async def end(self) -> None:
        unwanted = self._rooms.storage.release(self._job_id, self._blobs)
        self._rooms.storage.leave(self._job_id)
        if unwanted:
            await self._rooms.queue.sweep(self._job_id, unwanted)


@contextmanager
def readable() -> Iterator[None]:
    """What went from the disk since its row was read is not found: raises errors.ResultNotFound."""
    try:
        yield
    except FileNotFoundError as error:
        raise errors.ResultNotFound() from error


@asynccontextmanager
async def held(rooms: Services, job_id: str, blobs: Sequence[Blob]) -> AsyncIterator[Hold]:
    """Keep the blobs of a job on the disk meanwhile."""
    hold = Hold(rooms, job_id, blobs)
    try:
        yield hold
    except BaseException:
        hold.passed_on = False
        raise
    finally:
        if not hold.passed_on:
            await hold.end()


class HeldStream(StreamingResponse):
    """Bytes made of blobs that are held until the last is sent, or the client is gone."""

    def __init__(self, chunks: Iterator[bytes], media_type: str, headers: Mapping[str, str], hold: Hold) -> None:
        super().__init__(chunks, media_type=media_type, headers=headers)
        self._hold = hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope.get(IS_HEAD):
                await Response(headers=dict(self.headers), media_type=self.media_type)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            await self._hold.end()


class BlobResponse(FileResponse):
    """A stored blob; 304 for a client that has it already, by its ETag.

    One that went since its row was read is not found, as it would be by the next request.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get(IS_HEAD):
            scope = {**scope, "method": "HEAD"}  # for the file not to be read
        known = Headers(scope=scope).get("if-none-match", "")
        if _names(known, self.headers.get("etag")):
            kept = {name: self.headers[name] for name in ("etag", "cache-control") if name in self.headers}
            await Response(status_code=304, headers=kept, background=self.background)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        except RuntimeError:  # what its look at the size raises, before anything is sent
            if await asyncio.to_thread(Path(self.path).exists):
                raise
            await problem(errors.ResultNotFound())(scope, receive, send)


def _names(if_none_match: str, etag: str | None) -> bool:
    """Whether the header `If-None-Match` has this ETag (RFC 9110, 13.1.2)."""
    if etag is None:
        return False
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in known or "*" in known


def source(
    path: Path, media_type: str | None, name: str, background: BackgroundTask | None, etag: str | None
) -> FileResponse:
    """What a user uploaded, as it is: never shown by a browser, only saved."""
    headers = {
        **({"ETag": f'"{etag}"'} if etag else {}),
        "Content-Disposition": disposition(name, attachment=True),
        "Content-Security-Policy": NO_PAGE,
        "Cache-Control": "private, no-cache",
    }
    return BlobResponse(path, media_type=media_type or BYTES, headers=headers, background=background)


def blob(path: Path, media_type: str, name: str, *, attachment: bool, etag: str) -> FileResponse:
    """A stored blob. Clients may keep it, but ask each time whether it is still the one: a photo that is done again has
    another under the same address."""
    headers = {
        "Content-Disposition": disposition(name, attachment=attachment),
        "Content-Security-Policy": NO_PAGE,
        "Cache-Control": "private, no-cache",
        "ETag": f'"{etag}"',
    }
    return BlobResponse(path, media_type=media_type, headers=headers)
