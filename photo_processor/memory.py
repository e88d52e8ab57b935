"""How much memory there is, and when what is freed goes back to the system, where the C library is glibc."""

import ctypes
import os
import sys
from functools import cache

# From malloc.h. Left alone, glibc maps each plane of a 12 MP photo anew and unmaps it when it is freed: the kernel then
# clears 15,000 pages for each photo. Kept, the same memory serves the next photo, and a recipe without inference takes
# 8 % less time. One heap for all threads: each would keep its own otherwise.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT_BLOCK = 256 << 20  # bytes from which a block is given back when it is freed
_KEPT = 1 << 30  # bytes that may lie free at the heap's end


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:  # who sets that tunes it otherwise
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None  # musl has neither


def keep_freed() -> bool:
    """Have freed memory kept for the next photo; whether that could be had. To be called before threads begin."""
    library = _glibc()
    if library is None:
        return False
    options = ((_M_MMAP_THRESHOLD, _KEPT_BLOCK), (_M_TRIM_THRESHOLD, _KEPT), (_M_ARENA_MAX, 1))
    return all(library.mallopt(name, value) == 1 for name, value in options)


def give_back() -> None:
    """Give what is free back to the system."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def total_bytes() -> int | None:
    """Bytes of memory of this machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
