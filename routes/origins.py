"""Which web pages may use the server: its own, and those of the setting `allowed_origins`."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

import errors
from routes.problems import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'"
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
)


def is_foreign(headers: Headers, allowed: tuple[str, ...]) -> bool:
    """Whether a browser sent this from a page of another origin. Programs send no Origin, and are not asked."""
    origin = headers.get("origin")
    return origin is not None and origin not in allowed and urlsplit(origin).netloc != headers.get("host")


def is_known_host(headers: Headers, allowed: tuple[str, ...]) -> bool:
    """Whether the server may be called by this name. A page that rebinds its own name to this address sends that name
    as Host, never an address."""
    try:
        name = (urlsplit(f"//{headers.get('host', '')}").hostname or "").rstrip(".")
        return name == "localhost" or name.endswith(".localhost") or name in allowed or bool(ip_address(name))
    except ValueError:
        return False


class Guard:
    """ASGI middleware: refuses unknown names and changes asked for by foreign pages, adds the security headers."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], origins: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]  # type: ignore[misc]
            await send(message)

        headers = Headers(scope=scope)
        if not is_known_host(headers, self._hosts):
            await problem(errors.HostNotAllowed())(scope, receive, with_headers)  # type: ignore[arg-type]
        elif scope["method"] not in SAFE_METHODS and is_foreign(headers, self._origins):
            await problem(errors.ForeignOrigin())(scope, receive, with_headers)  # type: ignore[arg-type]
        else:
            await self._app(scope, receive, with_headers)  # type: ignore[arg-type]
