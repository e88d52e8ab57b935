"""`make soak`: the long promises of docs/reliability.md, with their figures. Ends with 1 where one is broken."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.soak import kills, mixed, scale, sockets

SOAKS: dict[str, Callable[[Path], list[str]]] = {
    "mixed": mixed.run,
    "kills": kills.run,
    "scale": scale.run,
    "sockets": sockets.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("which", nargs="*", help="all where none is named")
    chosen = parser.parse_args().which or list(SOAKS)
    broken: list[str] = []
    for name in chosen:
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            broken += SOAKS[name](Path(folder))
    for line in broken:
        print(f"BROKEN: {line}")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
