"""The one thread in which networks are loaded and run, ahead of the threads that decode and encode photos."""

import os
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from typing import ParamSpec, TypeVar

LOWEST = 19
NICENESS = 5  # that the workers have more than the server: so they get a quarter of a core beside a network

P = ParamSpec("P")
T = TypeVar("T")


def give_way() -> None:
    """Let the threads of a network go before the calling one, for good.

    A network computes layer by layer on all cores, and each layer waits for its slowest thread: a core that is shared
    half and half with a decoder holds up all the others. Only Linux knows a niceness of threads.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            own = os.getpriority(os.PRIO_PROCESS, os.getpid())  # the server may have been started by `nice`
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + NICENESS, LOWEST))


class Lane:
    """A thread that does what it is given, one thing at a time.

    A runtime starts its threads with the niceness of the one that loads the network, so that must not have given way.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        # A daemon: a native call that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="networks", daemon=True)
        self._thread.start()

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns or raises in the lane's thread. Not to be called from there."""
        future: Future[T] = Future()

        def done() -> None:
            try:
                result = work(*args, **kwargs)
            except BaseException as error:  # handed to the caller
                future.set_exception(error)
            else:
                future.set_result(result)

        self._work.put(done)
        return future.result()

    def _run(self) -> None:
        while True:
            self._work.get()()


@cache
def networks() -> Lane:
    """The process's lane. To be called first from a thread that has not given way."""
    return Lane()
