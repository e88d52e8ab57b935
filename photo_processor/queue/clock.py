"""The time of day as the queue goes by it: steady, whatever becomes of the system's clock meanwhile."""

import time
from collections.abc import Callable

LEAP = 60.0  # seconds by which the clock has to be off; less is its usual correction


def _steady() -> float:
    """Seconds that only ever grow, by one a second; on Linux while the machine sleeps as well."""
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if number is None else time.clock_gettime(number)


class Clock:
    """Seconds since 1970. A clock that is set, by hand or by the network, changes nothing before `adopt`."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = _steady) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()

    def now(self) -> float:
        return self._offset + self._steady()

    def leap(self) -> float:
        """By how many seconds the system's clock was set since the last `adopt`; 0.0 for less than `LEAP`."""
        leap = self._wall() - self.now()
        return leap if abs(leap) > LEAP else 0.0

    def adopt(self, leap: float) -> None:
        """Go by the system's clock again, which was set by `leap` and may be off by less than `LEAP`."""
        self._offset += leap
        drift = self._wall() - self.now()
        self._offset += drift if abs(drift) <= LEAP else 0.0
