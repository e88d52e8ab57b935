"""A server under a path of a shared host: `PHOTO_BASE_PATH=/photos`."""

from starlette.types import ASGIApp, Receive, Scope, Send


class BasePath:
    """ASGI middleware: takes `base` from the front of paths, where the proxy before the server has left it there."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            path = scope["path"]
            if path == self._base or path.startswith(f"{self._base}/"):
                raw = scope.get("raw_path", path.encode())
                cut = {"path": path[len(self._base) :] or "/", "raw_path": raw[len(self._base) :] or b"/"}
                scope = {**scope, **cut}
        await self._app(scope, receive, send)
