"""Workers stay below the network's thread, however the server was started."""

import subprocess
import sys

import pytest

from tests.server import ROOT

SCRIPT = """
import os, threading
from photo_processor.models.inference.inference_thread import give_way

def work():
    give_way()
    print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

thread = threading.Thread(target=work)
thread.start()
thread.join()
print(os.getpriority(os.PRIO_PROCESS, os.getpid()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows a niceness of threads")
@pytest.mark.parametrize(("nice", "workers"), [(0, 5), (10, 15), (17, 19)])
def test_workers_are_lowered_from_where_the_server_is(nice: int, workers: int) -> None:
    command = ["nice", "-n", str(nice), sys.executable, "-c", SCRIPT]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *_, of_thread, of_server = run.stdout.split()
    assert (int(of_thread), int(of_server)) == (workers, nice)
