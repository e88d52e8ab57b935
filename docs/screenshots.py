"""Makes the pictures of the documents: `make screenshots`. A real server, real photos, Chromium."""

import functools
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect
from skimage import data

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.browser import launched, upload, watched  # noqa: E402
from tests.server import Server  # noqa: E402

PICTURES = ROOT / "docs" / "img"
COLOURS = 256
MOST_BYTES = 250_000
SHOP_PORT = 8123  # of the page that embeds the element
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def photos() -> list[dict[str, object]]:
    """Three photos that come with scikit-image, all free of rights, mirrors and a crop of them, and a broken one."""
    astronaut, chelsea, coffee = (Image.fromarray(getattr(data, name)()) for name in ("astronaut", "chelsea", "coffee"))
    pictures = {
        "portraits/collins.jpg": astronaut,
        "portraits/collins-close.jpg": astronaut.crop((100, 0, 360, 300)),
        "portraits/collins-left.jpg": astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "shop/cup.jpg": coffee,
        "shop/cup-left.jpg": coffee.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "pets/chelsea.jpg": chelsea,
        "pets/chelsea-left.jpg": chelsea.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    }
    named = []
    for name, picture in pictures.items():
        coded = io.BytesIO()
        picture.save(coded, "JPEG", quality=92)
        named.append(upload(name.replace("/", "-"), coded.getvalue()))
    cut = named[0]["buffer"]
    assert isinstance(cut, bytes)
    return [*named, upload("shop-saucer.jpg", cut[: len(cut) // 2])]


def process(page: Page, some: list[dict[str, object]], done: int) -> None:
    page.goto("/")
    expect(page.locator("#preset-cutout")).to_be_checked()
    page.locator("#input-files").set_input_files(some)  # type: ignore[arg-type]
    expect(page.locator('.card[data-status="completed"]')).to_have_count(done)
    expect(page.locator("#job-stage")).to_have_text("Done")
    expect(page.locator(".card .thumb img.loaded")).to_have_count(done)


def save(page: Page, name: str) -> None:
    """Quantised: a third of the bytes."""
    page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = PICTURES / f"{name}.png"
    picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    size = path.stat().st_size
    assert size <= MOST_BYTES, f"{path.name}: {size} bytes"
    print(f"{path.relative_to(ROOT)}: {size / 1000:.0f} kB")


def portraits() -> list[dict[str, object]]:
    """A good portrait, one that leans and one that is dark."""
    astronaut = Image.fromarray(data.astronaut())
    pictures = {"good": astronaut, "leaning": astronaut.rotate(20, fillcolor=(168, 160, 158))}
    pictures["dark"] = astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT).point(lambda level: level * 0.35)
    named = []
    for name, picture in pictures.items():
        coded = io.BytesIO()
        picture.save(coded, "JPEG", quality=92)
        named.append(upload(f"portrait-{name}.jpg", coded.getvalue()))
    return named


def review(page: Page) -> None:
    """The lane of what to look at, and a crop corrected by hand."""
    page.goto("/")
    page.locator("#preset-id_photo").check()
    page.locator("#input-files").set_input_files(portraits())  # type: ignore[arg-type]
    expect(page.locator('.card[data-status="completed"]')).to_have_count(3)
    expect(page.locator(".why").first).not_to_be_empty()
    page.locator('#filters [data-filter="look"]').click()
    expect(page.locator(".card:visible .thumb img.loaded").first).to_be_visible()
    save(page, "review")
    page.locator(".card", has_text="portrait-leaning.jpg").locator(".thumb").click()
    page.locator("#crop-open").click()
    expect(page.locator(".crop-hole")).to_be_visible()
    save(page, "crop")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def shop(server: Server, folder: Path) -> Iterator[str]:
    """The plain HTML example with the element, at an address of its own."""
    frontend = ROOT / "frontend"
    npm = shutil.which("npm") or "npm"
    subprocess.run([npm, "run", "build", "--silent"], cwd=frontend, check=True, capture_output=True)  # noqa: S603
    folder.mkdir()
    html = (frontend / "examples" / "html" / "index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(html.replace("http://127.0.0.1:5000", server.url), encoding="utf-8")
    shutil.copytree(frontend / "dist", folder / "photo-processor")
    with ThreadingHTTPServer(("127.0.0.1", SHOP_PORT), functools.partial(Quiet, directory=str(folder))) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{SHOP_PORT}"
        served.shutdown()
        thread.join()


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    models = ROOT / "build" / "models"
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        origins = json.dumps([f"http://127.0.0.1:{SHOP_PORT}"])
        server = Server(Path(folder) / "data", models, prefetch_model="true", allowed_origins=origins).start()
        try:
            with watched(browser, server.url) as page:
                process(page, photos(), 7)
                save(page, "page-light")
                page.emulate_media(color_scheme="dark")
                save(page, "page-dark")
                page.emulate_media(color_scheme="light")
                for number in (0, 2):
                    page.locator(".card").nth(number).locator(".pick").check()
                save(page, "selected")
                page.keyboard.press("Escape")
                page.locator(".card", has_text="portraits-collins.jpg").locator(".thumb").click()
                expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
                expect(page.locator("#viewer-facts")).to_contain_text("Result")
                save(page, "viewer")
                page.locator("#brush-open").click()
                expect(page.locator(".brush canvas")).to_be_visible()
                save(page, "brush")
            with watched(browser, server.url) as page:
                review(page)
            with shop(server, Path(folder) / "shop") as origin, watched(browser, origin, api=server.url) as page:
                page.goto("/")
                page.locator('[data-pp-part="root"] > input[type=file]').set_input_files(photos()[:6])  # type: ignore[arg-type]
                expect(page.locator('[data-pp-part="stage"]')).to_have_text("Done")
                page.wait_for_timeout(1000)
                save(page, "element")
            with watched(browser, server.url, **PHONE) as page:
                process(page, photos()[::2], 4)
                save(page, "phone")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
