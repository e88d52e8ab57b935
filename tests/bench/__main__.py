"""`make bench`: prints the figures of docs/performance.md and writes them to build/bench.json."""

import sys
import tempfile
from pathlib import Path

from tests import tiny_network
from tests.bench import again, edges, engine, faces, http, masks, memory, networks, operations, page
from tests.bench.rows import write
from tests.server import ROOT


def main() -> int:
    isnet = networks.isnet()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("edges", "masks"):
            (folder / part).mkdir()
        tiny = tiny_network.save(folder / "tiny.onnx")
        served = (
            http.run(folder, tiny, isnet),
            again.run(folder, isnet),
            memory.run(folder, isnet),
            page.run(folder, folder),
        )
        right = edges.run(isnet, folder / "edges"), masks.run(isnet, folder / "masks")
        for part in (engine.run(folder), operations.run(), faces.run(), *served, *right):
            for row in part:
                print(row, flush=True)
                rows.append(row)
            write(rows, ROOT / "build" / "bench.json")  # so that what was measured outlives what comes next
    return 0


if __name__ == "__main__":
    sys.exit(main())
