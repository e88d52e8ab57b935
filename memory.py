"""What keeps freed memory from staying with the process, where the C library is glibc."""

import ctypes
import os
import sys

# From malloc.h. glibc raises its threshold for mappings to 32 MB as large blocks are freed; planes of a 12 MP photo
# then lie in the heaps of each thread, which seldom shrink.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
MMAP_THRESHOLD = 1 << 20  # bytes from which a block is a mapping of its own, given back when it is freed
ARENAS = 2  # heaps for smaller blocks; glibc would have eight for each processor


def tune() -> bool:
    """Have large blocks given back to the system when they are freed; whether that could be had."""
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD) and mallopt(M_ARENA_MAX, ARENAS))


def total_bytes() -> int | None:
    """Bytes of memory of this machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
