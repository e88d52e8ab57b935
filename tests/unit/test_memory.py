"""How much there is, what follows from it, and that what is freed stays until it is given back."""

import subprocess
import sys

import pytest

from photo_processor import memory
from photo_processor.settings import Settings
from tests.server import ROOT

PHOTOS = """
import resource, numpy
from photo_processor import memory
kept = memory.keep_freed()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def photo():
    planes = [numpy.ones((3000, 4000, 3), numpy.uint8) for _ in range(3)]
for _ in range(2):
    photo()
before = faults()
for _ in range(5):
    photo()
during, held = faults() - before, resident()
memory.give_back()
print(kept, during, held - resident())
"""


def test_default_of_megapixels_at_once_follows_the_memory() -> None:
    total = memory.total_bytes()
    assert total is not None
    default = Settings().megapixels_at_once
    assert 24 <= default <= max(24, total / 4 / 45e6 + 1)


@pytest.mark.serial
@pytest.mark.parametrize("arenas", ["", "4"])
def test_freed_memory_serves_the_next_photo_until_it_is_given_back(arenas: str) -> None:
    environment = {"MALLOC_ARENA_MAX": arenas} if arenas else {}
    run = subprocess.run(
        [sys.executable, "-c", PHOTOS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    kept, faults, given = run.stdout.split()
    if kept == "False":  # set otherwise by whoever runs it, or no glibc
        assert arenas or not hasattr(memory.ctypes.CDLL(None), "mallopt")
        return
    assert not arenas
    assert int(faults) < 500  # 3 planes of 9,000 pages each time, otherwise
    assert int(given) > 90_000_000
