"""Requests' bodies: how long they may take, and how much there may be of one that is no upload."""

import asyncio
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from photo_processor import errors

MAX_DOCUMENT = 1 << 20  # bytes of a JSON document or form
# The routes that read a body piece by piece, to limits of their own. All others have it in memory as a whole.
UPLOADS = re.compile(r"^POST /api/(jobs|jobs/[^/]+/files|assets)$|^PUT /api/jobs/[^/]+/files/[^/]+/mask$")


class Bodies:
    """ASGI middleware: a body that comes too slowly raises TooSlow where it is read, a document too long
    RequestTooLarge. Uploads have limits of their own; the time that the server takes does not count.

    A body has `seconds`, and one more for each `rate` bytes received.
    """

    def __init__(self, app: ASGIApp, seconds: float, rate: float) -> None:
        self._app = app
        self._seconds = seconds
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _Body(scope, receive, self._seconds, self._rate).receive
        await self._app(scope, receive, send)


class _Body:
    """One request's body as it is read."""

    def __init__(self, scope: Scope, receive: Receive, seconds: float, rate: float) -> None:
        self._limit = None if UPLOADS.match(f"{scope['method']} {scope['path']}") else MAX_DOCUMENT
        self._receive = receive
        self._left = seconds
        self._rate = rate
        self._received = 0
        self._ended = False

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()  # what comes now is the end of the connection, some time
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._left):
                message = await self._receive()
        except TimeoutError as error:
            raise errors.TooSlow() from error
        size = len(message.get("body", b""))
        self._left += size / self._rate - (loop.time() - began)
        self._received += size
        self._ended = not message.get("more_body", False)
        if self._limit is not None and self._received > self._limit:
            raise errors.RequestTooLarge(f"A document may have at most {self._limit // 1024} KiB.")
        return message
