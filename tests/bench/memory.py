"""`python -m tests.bench.memory [photos]`: memory over many 12 MP photos, and while a ZIP of 1 GB goes up and down."""

import io
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from tests.bench import networks, photos
from tests.bench.http import processed, recipe_of, serving
from tests.bench.rows import Row
from tests.server import Server

PHOTOS = 200
PICTURES = 8  # different ones among them
BATCH = 50  # photos of one job; each is a file of its own to the server
ZIP_BYTES = 1_000_000_000
MEGA = 1e6
CONVERT = {"recipe": '{"operations": [], "outputs": [{"name": "full", "format": "png"}]}'}


class Watch:
    """The resident memory of a process, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._done = threading.Event()
        self.samples: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def now(self) -> float:
        """MB."""
        line = next(line for line in self._status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / MEGA

    def _run(self) -> None:
        while not self._done.wait(0.1):
            self.samples.append(self.now())

    @contextmanager
    def watching(self) -> Iterator[list[float]]:
        self._thread.start()
        try:
            yield self.samples
        finally:
            self._done.set()
            self._thread.join()


def batch(folder: Path, network: networks.Isnet, count: int, *, optimised: bool) -> Iterator[Row]:
    """Rows of many photos: the model's own memory, the peak, and how much higher it is in the second half."""
    pictures = [path.read_bytes() for path in photos.save(folder, photos.LARGE, PICTURES)]
    settings = {"workers": "2", "matte_cache_bytes": "0", "optimize": "auto" if optimised else "off"}
    title = "12 MP, ISNet optimised" if optimised else "12 MP, ISNet"
    with serving(folder / f"memory-{optimised}", network.folder, **settings) as server:
        small = photos.save(folder, (640, 480), 2)
        processed(server, small, recipe_of("isnet-general-use"))
        watch = Watch(server.process.pid)
        own = watch.now()
        with watch.watching() as samples:
            began = time.monotonic()
            for first in range(0, count, BATCH):
                _job(server, folder, pictures, range(first, min(count, first + BATCH)))
            seconds = time.monotonic() - began
    half = len(samples) // 2
    yield Row(f"{title}, memory before the batch", own, "MB")
    yield Row(f"{title}, {count} photos, peak memory", max(samples), "MB", own + 1000, (own + 1000) / max(samples))
    yield Row(f"{title}, second half's peak above the first's", max(samples[half:]) - max(samples[:half]), "MB")
    yield Row(f"{title}, {count} photos", count / seconds, "photos/s")


def _job(server: Server, folder: Path, pictures: list[bytes], numbers: range) -> None:
    """A job of photos that differ behind their last marker alone, so that none counts as another's twin."""
    paths = []
    for number in numbers:
        path = folder / f"batch-{number}.jpg"
        path.write_bytes(pictures[number % len(pictures)] + str(number).encode())
        paths.append(path)
    processed(server, paths, recipe_of("isnet-general-use"))
    for path in paths:
        path.unlink()


def archives(folder: Path) -> Iterator[Row]:
    """Rows of a ZIP of 1 GB, up and down."""
    path = _archive(folder / "large.zip")
    with serving(folder / "archives", folder, max_zip_bytes="4000000000", prefetch_model="false") as server:
        watch = Watch(server.process.pid)
        own = watch.now()
        with watch.watching() as samples:
            with path.open("rb") as file:
                sent = {"files": (path.name, file)}
                job = httpx.post(f"{server.url}/api/jobs?open=true", files=sent, data=CONVERT, timeout=600).json()
            up = max(samples) - own
            server.post(f"/api/jobs/{job['id']}/pause")
        yield Row("ZIP of 1 GB up, memory added", up, "MB", 64, 64 / max(up, 1))
    yield from _down(folder, path)


def _down(folder: Path, path: Path) -> Iterator[Row]:
    with serving(folder / "down", folder, prefetch_model="false") as server:
        with path.open("rb") as file:
            sent = {"files": (path.name, file)}
            response = httpx.post(f"{server.url}/api/jobs", files=sent, data=CONVERT, timeout=600)
        job = server.finished(response.json()["id"], timeout=1200)
        time.sleep(3)
        watch = Watch(server.process.pid)
        own = watch.now()
        received = 0
        with (
            watch.watching() as samples,
            httpx.stream("GET", f"{server.url}/api/jobs/{job['id']}/download", timeout=600) as answer,
        ):
            for chunk in answer.iter_raw(1 << 20):
                received += len(chunk)
        added = max(samples) - own
        yield Row(f"ZIP of {received / 1e9:.1f} GB down, memory added", added, "MB", 64, 64 / max(added, 1))


def _archive(path: Path) -> Path:
    """A ZIP of 1 GB of photos that no deflate makes smaller."""
    random = np.random.default_rng(3)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        written = 0
        while written < ZIP_BYTES:
            out = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (2000, 3000, 3), np.uint8)).save(out, "PNG", compress_level=0)
            archive.writestr(f"{written}.png", out.getvalue())
            written += len(out.getvalue())
    return path


def run(folder: Path, network: networks.Isnet | None, count: int = PHOTOS) -> Iterator[Row]:
    """Every row of this part; without ISNet's file, those of the archives alone."""
    if network is not None:
        networks.optimise(network, folder)
        yield from batch(folder, network, count, optimised=True)
        yield from batch(folder, network, count, optimised=False)
    yield from archives(folder)


def main(count: int = PHOTOS) -> None:
    with tempfile.TemporaryDirectory() as name:
        for row in run(Path(name), networks.isnet(), count):
            print(row, flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
