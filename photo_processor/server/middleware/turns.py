"""Questions are answered a few at a time, first come first served, so that a flood of them does not delay /health."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from photo_processor.server.heavy import LEAVE_TURN

AT_ONCE = 4  # each takes about 1 ms of the one thread that answers; more at once finish no sooner


class Turns:
    """ASGI middleware: at most `AT_ONCE` GET requests of the API are between their arrival and their answer's start.

    What is long takes no turn: a body on its way in or out, and work that leaves it early (`LEAVE_TURN`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        await self._turns.acquire()
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                self._turns.release()

        async def answer(message: Message) -> None:
            leave()
            await send(message)

        try:
            await self._app({**scope, LEAVE_TURN: leave}, receive, answer)
        finally:
            leave()
