"""HEAD on every address that answers GET (RFC 9110, 9.3.2): the same answer without its body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

IS_HEAD = "photo_head"  # in a scope: the client sent HEAD


class HeadRequests:
    """ASGI middleware: a HEAD is answered as the GET of the same address, without its body.

    Routes see a GET. Answers that are long look at the scope's `IS_HEAD`, to send their headers alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def headers_alone(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET", IS_HEAD: True}, receive, headers_alone)
