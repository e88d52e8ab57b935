"""uvicorn's HTTP connections, with limits that it lacks: the connections of one address, the time for a request's head,
and the time for what comes after an answer.

What cannot be read as HTTP is answered by a problem document too.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

from photo_processor import errors
from photo_processor.server.problems import problem


def _too_many() -> bytes:
    response = problem(errors.TooManyConnections())
    head = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return b"HTTP/1.1 503 Service Unavailable\r\n" + head + b"connection: close\r\n\r\n" + bytes(response.body)


_TOO_MANY = _too_many()
TINY, MOST_TINY = 256, 1_000  # bytes of a piece of a body; such pieces of one
SAID_AT_ONCE, SAID = 8_192, 1_024.0  # bytes of a WebSocket's client; bytes a second
TURNED_AWAY_AT_ONCE = 256  # connections
LINGER = 3.0  # seconds in which a client may take notice of an answer that came before its upload had ended


class GuardedListener(socket.socket):
    """A listening socket that turns away an address with `most` connections, WebSockets aside.

    It does so before asyncio makes anything of the connection, in a tenth of the time: who is in the queue behind a
    thousand of them hardly notices.
    """

    def __init__(self, listener: socket.socket, most: int) -> None:
        super().__init__(fileno=listener.detach())
        self._most = most
        self._held: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, Any]:
        """As `socket.accept`, of those that are let in; counts the connection."""
        for _ in range(TURNED_AWAY_AT_ONCE):
            connection, address = super().accept()
            if self._held[address[0]] < self._most:
                self._held[address[0]] += 1
                return connection, address
            _turn_away(connection)
        raise BlockingIOError  # asyncio comes back

    def leave(self, address: str) -> None:
        """The connection has ended, or is a WebSocket now."""
        self._held[address] -= 1
        if self._held[address] <= 0:
            del self._held[address]


def _turn_away(connection: socket.socket) -> None:
    """Answer, and take what was sent already: what is closed unread looks like a broken connection from outside."""
    with connection, contextlib.suppress(OSError):
        connection.setblocking(False)
        connection.send(_TOO_MANY)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65_536)


def guarded_protocol(head_seconds: float, leave: Callable[[str], None]) -> type[H11Protocol]:
    """The class of connections for `uvicorn.Config(http=...)`: requests' heads arrive within `head_seconds`; `leave` is
    told the address of a connection that has ended."""
    return type("GuardedProtocol", (_GuardedProtocol,), {"head_seconds": head_seconds, "leave": staticmethod(leave)})


class _Connection(h11.Connection):
    """Refuses a body in tiny pieces: each takes h11 as long as a large one, and as many as a connection can carry made
    /health wait for 13 s."""

    _tiny = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._tiny = 0
            names = {name for name, _ in event.headers}
            if {b"transfer-encoding", b"content-length"} <= names:  # RFC 9112, 6.1: two lengths are an attack
                raise h11.RemoteProtocolError("two lengths of one body")
        elif isinstance(event, h11.Data) and len(event.data) < TINY:
            self._tiny += 1
            if self._tiny > MOST_TINY:
                raise h11.RemoteProtocolError("too many tiny chunks")
        return event


class _GuardedProtocol(H11Protocol):
    head_seconds: ClassVar[float]
    leave: Callable[[str], None]
    _timer: asyncio.TimerHandle | None = None
    _address: str | None = None  # while this connection is counted

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(h11.SERVER)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        super().connection_made(transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        self._uncount()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._uncount()
        super().handle_websocket_upgrade(event)

    def _uncount(self) -> None:
        if self._address is not None:
            self.leave(self._address)
            self._address = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._watch_head()
        else:
            self._forget_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self.loop.call_later(LINGER, self._leave, self.cycle)

    def send_400_response(self, msg: str) -> None:
        self._refuse(errors.BadRequest("This is not HTTP as it can be read here."))

    def _watch_head(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._refuse, errors.TooSlow())

    def _forget_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, error: errors.PhotoError) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            response = problem(error)
            headers = [*response.raw_headers, (b"connection", b"close")]
            events = (
                h11.Response(status_code=error.status, headers=headers),
                h11.Data(data=bytes(response.body)),
                h11.EndOfMessage(),
            )
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()

    def _leave(self, cycle: object) -> None:
        if self.cycle is cycle and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()


class QuietSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose client has next to nothing to say: who sends more than `SAID_AT_ONCE` bytes, and `SAID` more
    each second, is cut off before it is parsed. A stream of frames of one byte made /health wait for 4 s."""

    _credit: float | None = None  # bytes; None before the handshake
    _heard = 0.0  # seconds of the loop's time

    def data_received(self, data: bytes) -> None:
        now = self.loop.time()
        if self._credit is None:
            self._credit = SAID_AT_ONCE
        else:
            self._credit = min(SAID_AT_ONCE, self._credit + SAID * (now - self._heard)) - len(data)
        self._heard = now
        if self._credit >= 0:
            super().data_received(data)
        elif not self.transport.is_closing():
            self.conn.fail(CloseCode.POLICY_VIOLATION)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
