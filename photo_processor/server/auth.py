"""Who may call what: API keys by header, cookie or ticket, and how often."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs, parse_qsl

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from photo_processor import errors
from photo_processor.schemas import Frozen
from photo_processor.server.keys import Key, KeyRing, includes
from photo_processor.server.keys import Scope as Grant
from photo_processor.server.middleware.origins import SAFE_METHODS
from photo_processor.server.problems import problem
from photo_processor.server.routes.system import STATIC

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import RateLimiter

COOKIE = "photo_key"
COOKIE_SECONDS = 30 * 86_400
TICKET_SECONDS = 60.0
MAX_TICKETS = 10_000
LOOK_SECONDS = 1.0  # between looks at whether the keys of open sockets are still good
UNAUTHORIZED, TRY_LATER = 4401, 1013  # close codes; 1013 is IANA's "try again later"
OPEN_PATHS = frozenset({"/", "/signin", "/health", "/docs", "/openapi.json", "/api/session", "/favicon.ico"})
OPEN_FOLDERS = ("/static/", "/docs/assets/")
ADMIN_FOLDERS = ("/api/cleanup", "/api/models/", "/api/presets/")

router = APIRouter(tags=["access"])


class Ticket(Frozen):
    """What a WebSocket or a download may show once, as `?ticket=`, within `seconds`."""

    ticket: str
    seconds: float


class Access:
    """The keys, tickets, sockets and rates of a server. `always`: keys are asked for even where none was ever made."""

    def __init__(self, keys: KeyRing, *, always: bool, rate: str, max_sockets: int) -> None:
        self.keys = keys
        self.max_sockets = max_sockets
        self._always = always
        self._tickets: dict[str, tuple[Key | None, float]] = {}  # by ticket: its key, its end in monotonic seconds
        self._sockets: dict[str, int] = {}  # by address
        self._open: dict[
            asyncio.Future[None], Key | None
        ] = {}  # sockets that are served, with the key that let them in
        self._timer: asyncio.TimerHandle | None = None
        self._rates: tuple[RateLimitItem, ...] = ()
        self._limiter: RateLimiter | None = None
        if rate:
            from limits import parse_many
            from limits.storage import MemoryStorage
            from limits.strategies import SlidingWindowCounterRateLimiter

            self._rates = tuple(parse_many(rate))
            self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def check(self, key: str | None, needed: Grant) -> Key | None:
        """The key's row; None where the server asks for none. Raises KeyRequired, KeyInvalid, ScopeMissing."""
        if not self._always and not self.keys.are_asked:
            return None
        if not key:
            raise errors.KeyRequired()
        row = self.keys.find(key)
        if row is None:
            raise errors.KeyInvalid()
        if not includes(row.scope, needed):
            raise errors.ScopeMissing(f"This needs a key of the scope '{needed}'.")
        return row

    def count(self, who: str) -> None:
        """Raises RateExceeded, with the seconds to wait, where `who` has called too often."""
        for rate in self._rates:
            if self._limiter is not None and not self._limiter.hit(rate, who):
                wait = self._limiter.get_window_stats(rate, who).reset_time - time.time()
                raise errors.RateExceeded(retry_after=max(1, round(wait)))

    def issue(self, key: Key | None) -> Ticket:
        now = time.monotonic()
        self._tickets = {name: row for name, row in self._tickets.items() if row[1] > now}
        if len(self._tickets) >= MAX_TICKETS:
            raise errors.RateExceeded(retry_after=round(TICKET_SECONDS))
        ticket = secrets.token_urlsafe(32)
        self._tickets[ticket] = (key, now + TICKET_SECONDS)
        return Ticket(ticket=ticket, seconds=TICKET_SECONDS)

    def redeem(self, ticket: str) -> tuple[bool, Key | None]:
        """Whether the ticket is good, which it is once and no longer than its key; and that key."""
        key, until = self._tickets.pop(ticket, (None, 0.0))
        return until > time.monotonic() and self.is_good(key), key

    def is_good(self, key: Key | None) -> bool:
        """Whether a key that let somebody in would still do so; None: that there was none to show."""
        try:
            return self.keys.has(key) if key else not (self._always or self.keys.are_asked)
        except errors.KeysUnreadable:
            return False

    async def serve(self, socket: Awaitable[None], key: Key | None) -> bool:
        """Serve a socket while its key is good; whether it was to its end."""
        served = asyncio.ensure_future(socket)
        self._open[served] = key
        if self._timer is None:
            self._look_later()
        try:
            await asyncio.wait((served,))
            if served.cancelled():
                return False
            served.result()
            return True
        finally:
            del self._open[served]
            served.cancel()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._end_sockets) if self._open else None

    def _end_sockets(self) -> None:
        ended = {key for key in set(self._open.values()) if not self.is_good(key)}
        for served, key in self._open.items():
            if key in ended:
                served.cancel()
        self._look_later()

    def enter(self, address: str) -> bool:
        """Count a socket of `address`; False where it has as many as it may. `leave` ends it."""
        held = self._sockets.get(address, 0)
        if held >= self.max_sockets:
            return False
        self._sockets[address] = held + 1
        return True

    def leave(self, address: str) -> None:
        self._sockets[address] -= 1
        if not self._sockets[address]:
            del self._sockets[address]


class Gate:
    """ASGI middleware: nothing but the page's own files, and /health, is reached without the scope that it needs."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] == "http" and not _is_open(scope["path"]):
            try:
                scope["photo_key"] = self._admitted(scope)
            except errors.PhotoError as error:
                await problem(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admitted(self, scope: Scope) -> Key | None:
        key, address = _shown_key(Headers(scope=scope)), _address(scope)
        ticket = _ticket(scope) if scope["method"] in SAFE_METHODS else ""
        try:
            if ticket:
                good, row = self._access.redeem(ticket)
                if good:
                    self._access.count(address)
                    return row
            row = self._access.check(key, _needed(scope["method"], scope["path"]))
        except errors.PhotoError:
            self._access.count(address)  # guessing is limited as well
            raise
        self._access.count(row.id if row else address)
        return row

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = _address(scope)
        ticket = _ticket(scope)
        try:
            good, row = self._access.redeem(ticket)
            if not good:
                row = self._access.check(_shown_key(Headers(scope=scope)), "read")
            self._access.count(address)
        except errors.PhotoError as error:
            await _close(receive, send, TRY_LATER if isinstance(error, errors.RateExceeded) else UNAUTHORIZED)
            return
        if not self._access.enter(address):
            await _close(receive, send, TRY_LATER)
            return
        try:
            if not await self._access.serve(self._app(scope, receive, send), row):
                with contextlib.suppress(RuntimeError, OSError):  # it may be closed already
                    await send({"type": "websocket.close", "code": UNAUTHORIZED})
        finally:
            self._access.leave(address)


async def _close(receive: Receive, send: Send, code: int) -> None:
    """Browsers tell a page the close code only of a socket that was accepted."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code})


def _ticket(scope: Scope) -> str:
    tickets = parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [""])
    return str(tickets[0])


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def _needed(method: str, path: str) -> Grant:
    if method in SAFE_METHODS or path == "/api/tickets":
        return "read"
    return "admin" if path.startswith(ADMIN_FOLDERS) else "submit"


def _shown_key(headers: Headers) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    return headers.get("x-api-key") or cookie_parser(headers.get("cookie", "")).get(COOKIE)


def _address(scope: Scope) -> str:
    """Whom to count: an address, or of IPv6 the network of one subscriber (/64)."""
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(IPv6Address(int(address) >> 64 << 64)) if isinstance(address, IPv6Address) else host


def _access(connection: HTTPConnection) -> Access:
    access: Access = connection.app.state.access
    return access


Door = Annotated[Access, Depends(_access)]


@router.post("/api/tickets", status_code=201)
async def create_ticket(request: Request, door: Door) -> Ticket:
    """A ticket for one WebSocket or one GET, for browsers, whose sockets and links send no headers: `?ticket=...`."""
    return door.issue(request.scope.get("photo_key"))


@router.get("/signin", include_in_schema=False)
async def signin_page() -> FileResponse:
    return FileResponse(STATIC / "signin.html", headers={"Cache-Control": "no-cache"})


@router.post("/api/session", include_in_schema=False)
async def sign_in(request: Request, door: Door) -> Response:
    """The form of /signin: a key that is good becomes a cookie that scripts cannot read and other sites cannot send."""
    door.count(_address(request.scope))
    fields = dict(parse_qsl((await request.body()).decode("latin-1")))
    key = fields.get("key", "").strip()
    try:
        door.check(key, "read")
    except errors.PhotoError:
        return RedirectResponse("../signin#wrong", 303)
    response = RedirectResponse("../", 303)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, key, COOKIE_SECONDS, httponly=True, samesite="strict", secure=secure)
    return response
