"""Freed memory goes back to the system."""

import subprocess
import sys

import memory
from settings import Settings
from tests.server import ROOT

SCRIPT = """if True:
    import sys
    import threading
    import numpy as np
    import memory
    if sys.argv[1] == "tuned":
        assert memory.tune()

    def resident():
        pages = int(open("/proc/self/statm").read().split()[1])
        return pages * 4096 / 1e6

    kept = []

    def work():
        for _ in range(3):
            planes = [np.ones(12_000_000, np.uint8) for _ in range(8)]
            kept.append(bytearray(100_000))  # something small that outlives them, as a result's row does
            del planes

    work()
    before = resident()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(resident())
"""


def resident_after(how: str) -> float:
    run = subprocess.run([sys.executable, "-c", SCRIPT, how], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(run.stdout)


def test_planes_of_photos_do_not_stay_with_the_process() -> None:
    plain, tuned = resident_after("plain"), resident_after("tuned")
    assert tuned < 100
    assert tuned <= plain + 5


def test_default_of_megapixels_at_once_follows_the_memory() -> None:
    total = memory.total_bytes()
    assert total is not None
    default = Settings().megapixels_at_once
    assert 24 <= default <= max(24, total / 4 / 45e6 + 1)
