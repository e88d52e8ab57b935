"""Which web pages may use the server: its own, and those of the setting `allowed_origins`."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from photo_processor import errors
from photo_processor.server.problems import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; connect-src {connect}; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
NO_PAGE = "default-src 'none'; sandbox"  # for what came from users, should a browser ever show it as a page
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_WITH_PORT = re.compile(r":\d+$")
_PLAIN_HOST = re.compile(r"^[A-Za-z0-9.:\[\]-]+$")
_FEW_RANGES = re.compile(r"^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})(?:, ?(?:\d{1,15}-\d{0,15}|-\d{1,15})){0,9}$")


def is_foreign(headers: Headers, allowed: tuple[str, ...], scope: Scope) -> bool:
    """Whether a browser sent this from a page of another origin. Programs send no Origin, and are not asked.

    Browsers leave the port out of Host where it is the scheme's own. A Host without port at a server that listens on
    another comes from a proxy that took the port away; then the names have to be the same.
    """
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is None or origin in allowed:
        return False
    sent = urlsplit(origin)
    return sent.netloc != host and not (_lost_its_port(host, scope) and sent.netloc.rpartition(":")[0] == host)


def _lost_its_port(host: str, scope: Scope) -> bool:
    port = (scope.get("server") or ("", None))[1]
    return port not in (None, 80, 443) and not _WITH_PORT.search(host)


def is_known_host(headers: Headers, allowed: tuple[str, ...]) -> bool:
    """Whether the server may be called by this name. A page that rebinds its own name to this address sends that name
    as Host, never an address."""
    try:
        name = (urlsplit(f"//{headers.get('host', '')}").hostname or "").rstrip(".")
        return name == "localhost" or name.endswith(".localhost") or name in allowed or bool(ip_address(name))
    except ValueError:
        return False


class Guard:
    """ASGI middleware: refuses unknown names and changes asked for by foreign pages, adds the security headers.

    A Range that is malformed or asks for more than ten pieces is passed over, as RFC 9110 (14.2) has it: the whole
    file is sent.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], origins: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _Answer(send, self._headers(headers.get("host", ""), scope)).send
        if not is_known_host(headers, self._hosts):
            await problem(errors.HostNotAllowed())(scope, receive, send)
        elif scope["method"] not in SAFE_METHODS and is_foreign(headers, self._origins, scope):
            await problem(errors.ForeignOrigin())(scope, receive, send)
        else:
            if not _FEW_RANGES.match(headers.get("range", "")):
                scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]
            await self._app(scope, receive, send)

    def _headers(self, host: str, scope: Scope) -> dict[str, str]:
        """`connect-src 'self'` does not cover WebSockets in every browser."""
        if _PLAIN_HOST.match(host) and _lost_its_port(host, scope):
            host += ":*"
        connect = f"'self' ws://{host} wss://{host}" if _PLAIN_HOST.match(host.removesuffix(":*")) else "'self'"
        return HEADERS | {
            "content-security-policy": POLICY.format(connect=connect),
            "cross-origin-resource-policy": "cross-origin" if self._origins else "same-origin",
        }


class _Answer:
    """One response on its way out: headers that it lacks are added, a 416 becomes a problem document."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self._send = send
        self._headers = headers
        self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(raw=list(message.get("headers", ())))
            for name, value in self._headers.items():
                found.setdefault(name, value)
            message = {**message, "headers": found.raw}
            if message["status"] == 416:
                self._replaced = True
                body = problem(errors.RangeNotSatisfiable())
                found.update({"content-type": str(body.media_type), "content-length": str(len(body.body))})
                await self._send({**message, "headers": found.raw})
                message = {"type": "http.response.body", "body": body.body}
        elif self._replaced:
            return
        await self._send(message)
