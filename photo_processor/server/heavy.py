"""Work that answers a request and takes long: previews, sheets, pictures that are uploaded to be checked.

It has a queue of its own, a deadline and an end when its client is gone, so that what is short never waits for it. With
`PHOTO_EXECUTOR=process` it runs in child processes: nothing that a stranger sent is decoded in the server.
"""

import asyncio
import multiprocessing
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, TypeVar, cast

from starlette.requests import ClientDisconnect, Request

from photo_processor import errors
from photo_processor.imaging.decode import quiet_decoders
from photo_processor.worker.runners import end_with_parent, limit_memory

LEAVE_TURN = "photo_leave_turn"  # in a scope: what gives the request's turn to the next one
IDLE_SECONDS = 60.0  # that a child process without work is kept
T = TypeVar("T")


class HeavyWork:
    """Does a few things at once, and lets `most_waiting` wait; each has `seconds` once it has begun.

    `memory`: most bytes of a child process; None: the work runs in threads of this process, and stops where it calls
    the `check` that it is given.
    """

    def __init__(self, at_once: int, most_waiting: int, seconds: float, memory: int | None) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._waiting = 0
        self._seconds = seconds
        self._memory = memory
        self._threads = self._new_threads()
        self._children: list[_Child] = []

    async def run(self, request: Request, function: Callable[..., T], *args: object, checks: bool = False) -> T:
        """What `function` makes of `args`, unless the client leaves before; `checks`: it takes `check=` as well.

        Both have to be importable and picklable.

        Raises:
            errors.Busy: too many wait already.
            errors.TimedOut, errors.OutOfMemory; ClientDisconnect; what `function` raises.
        """
        leave_turn = request.scope.get(LEAVE_TURN)
        if leave_turn is not None:
            leave_turn()
        if self._waiting >= self._most_waiting:
            raise errors.Busy()
        return await _while_connected(request, self._admitted(function, args, checks))

    async def _admitted(self, function: Callable[..., T], args: tuple[object, ...], checks: bool) -> T:
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        try:
            if self._memory is None:
                return await self._in_thread(function, args, checks)
            return await self._in_child(function, args, self._memory)
        finally:
            self._room.release()

    async def _in_thread(self, function: Callable[..., T], args: tuple[object, ...], checks: bool) -> T:
        stopped = threading.Event()

        def check() -> None:
            if stopped.is_set():
                raise errors.Cancelled()

        named = {"check": check} if checks else {}
        future = asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*args, **named))
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._seconds)
        except (TimeoutError, asyncio.CancelledError) as error:
            stopped.set()
            self._threads.shutdown(wait=False)  # the thread may not come back
            self._threads = self._new_threads()
            future.add_done_callback(_forget)
            if isinstance(error, TimeoutError):
                raise errors.TimedOut("This takes longer than the server allows.") from None
            raise

    async def _in_child(self, function: Callable[..., T], args: tuple[object, ...], memory: int) -> T:
        self._children = [child for child in self._children if child.is_free]  # one may have died idle
        child = self._children.pop() if self._children else _Child(memory)
        future = asyncio.get_running_loop().run_in_executor(self._threads, child.converse, function, args)
        try:
            result = await asyncio.wait_for(asyncio.shield(future), self._seconds)
        except (TimeoutError, asyncio.CancelledError) as error:
            child.kill()
            future.add_done_callback(_forget)
            if isinstance(error, TimeoutError):
                raise errors.TimedOut("This takes longer than the server allows.") from None
            raise
        finally:
            if child.is_free:
                self._children.append(child)
                asyncio.get_running_loop().call_later(IDLE_SECONDS, self._dismiss, child)
        return cast(T, result)

    def _dismiss(self, child: "_Child") -> None:
        if child in self._children:
            self._children.remove(child)
            child.kill()

    def _new_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._at_once, thread_name_prefix="heavy")

    def close(self) -> None:
        """End the child processes, and take nothing more."""
        for child in self._children:
            child.kill()
        self._children.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _while_connected(request: Request, work: Awaitable[T]) -> T:
    """What `work` returns; it is cancelled when the client has left. Raises ClientDisconnect then."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect()
    finally:
        for one in (task, watch):
            one.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _forget(future: "asyncio.Future[Any]") -> None:
    """Look at the outcome of what came too late, so that nobody reports it as unseen."""
    if not future.cancelled():
        future.exception()


class _Child:
    """A spawned process that calls one function after the other."""

    def __init__(self, memory: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, memory), daemon=True)
        self._process.start()
        theirs.close()
        self._busy = False

    def converse(self, function: Callable[..., object], args: tuple[object, ...]) -> object:
        """Have it done; blocks. Raises what the function raised, and OutOfMemory where the process died."""
        self._busy = True
        try:
            self._pipe.send((function, args))
            result = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise errors.OutOfMemory() from error
        self._busy = False
        if isinstance(result, Exception):
            raise result
        return result

    @property
    def is_free(self) -> bool:
        return not self._busy and self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()


def _serve(pipe: Connection, memory: int) -> None:
    """The process's life, no longer than the server's: take a function and its arguments, say what came of it."""
    end_with_parent()
    limit_memory(memory)
    quiet_decoders()
    while True:
        try:
            function, args = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(function(*args))
        except MemoryError:
            pipe.send(errors.OutOfMemory())
        except FileNotFoundError as error:
            pipe.send(error)
        except errors.PhotoError as error:
            error.__cause__ = None  # it may not survive the pipe
            pipe.send(error)
