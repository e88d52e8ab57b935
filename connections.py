"""uvicorn's HTTP connections, with time limits that it lacks: for a request's head, and for what comes after an answer.

What cannot be read as HTTP is answered by a problem document too.
"""

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

import errors
from routes.problems import problem

LINGER = 3.0  # seconds in which a client may take notice of an answer that came before its upload had ended


def timed_protocol(head_seconds: float) -> type[H11Protocol]:
    """The class of connections whose requests' heads arrive within `head_seconds`, for `uvicorn.Config(http=...)`."""
    return type("TimedProtocol", (_TimedProtocol,), {"head_seconds": head_seconds})


class _TimedProtocol(H11Protocol):
    head_seconds: ClassVar[float]
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

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
