"""The list of 500 photos in a browser: how long the main thread is held when they come and while they are made."""

import io
import json
import statistics
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.bench.rows import Row
from tests.e2e.browser import launched, watched
from tests.server import Server

PHOTOS = 500
ROUNDS = 5
CONVERT = json.dumps({"operations": [{"op": "resize", "width": 32}]})
WATCH = """
  window.tasks = [];
  window.frames = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask', buffered: true });
  const ask = window.requestAnimationFrame.bind(window);
  const cards = () => document.getElementsByClassName('card').length;
  window.requestAnimationFrame = (task) => ask((time) => {
    const [before, began] = [cards(), performance.now()];
    task(time);
    const took = performance.now() - began;
    if (cards() > before) window.frames.push(took);
  });
"""


def photos() -> bytes:
    """A ZIP of small photos, all different."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(PHOTOS):
            photo = io.BytesIO()
            colour = (number * 7 % 255, number * 3 % 255, number % 255)
            Image.new("RGB", (64, 48), colour).save(photo, "JPEG")
            archive.writestr(f"class/{number:04}.jpg", photo.getvalue())
    return data.getvalue()


def held(server: Server, archive: bytes) -> str:
    """A paused job of the photos."""
    job = str(server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()["id"])
    server.post(f"/api/jobs/{job}/pause").raise_for_status()
    server.post(f"/api/jobs/{job}/files", files=[("files", ("class.zip", archive))]).raise_for_status()
    server.post(f"/api/jobs/{job}/seal").raise_for_status()
    return job


def measured(page: Page, server: Server, job: str) -> tuple[float, float]:
    """Milliseconds of the frames in which the cards came, and of the longest task while all were processed."""
    page.goto("/")
    expect(page.locator("#preset-cutout")).to_be_checked()
    page.wait_for_timeout(1000)
    page.evaluate("(job) => { window.frames = []; location.hash = `#/jobs/${job}`; }", job)
    page.wait_for_function(f"() => document.getElementsByClassName('card').length === {PHOTOS}")
    inserted = float(page.evaluate("() => window.frames.reduce((sum, one) => sum + one, 0)"))
    page.evaluate("() => { window.tasks = []; }")
    server.post(f"/api/jobs/{job}/resume").raise_for_status()
    expect(page.locator("#job-stage")).to_have_text("Done")
    return inserted, float(page.evaluate("() => Math.max(0, ...window.tasks)"))


def run(folder: Path, models: Path) -> Iterator[Row]:
    """500 photos, by the median, without a model. Browsers tell of no task below 50 ms: that counts as 0."""
    server = Server(folder / "page", models, rate_limit="none", offline="true").start()
    try:
        with launched() as browser:
            archive = photos()
            rounds = [_round(browser, server, archive) for _ in range(ROUNDS)]
    finally:
        server.stop()
    yield Row("page, 500 photos come", statistics.median(inserted for inserted, _ in rounds), "ms", rounds=ROUNDS)
    yield Row("page, longest task at work", statistics.median(longest for _, longest in rounds), "ms", rounds=ROUNDS)


def _round(browser: Browser, server: Server, archive: bytes) -> tuple[float, float]:
    job = held(server, archive)
    with watched(browser, server.url) as page:
        page.add_init_script(WATCH)
        return measured(page, server, job)
