"""Makes the pictures of the documents: `make screenshots`. A real server, real photos, Chromium."""

import io
import sys
import tempfile
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


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    models = ROOT / "build" / "models"
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        server = Server(Path(folder) / "data", models, prefetch_model="true").start()
        try:
            with watched(browser, server.url) as page:
                process(page, photos(), 7)
                save(page, "page-light")
                page.emulate_media(color_scheme="dark")
                save(page, "page-dark")
                page.emulate_media(color_scheme="light")
                page.locator(".card", has_text="portraits-collins.jpg").locator(".thumb").click()
                expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
                expect(page.locator("#viewer-facts")).to_contain_text("Result")
                save(page, "viewer")
            with watched(browser, server.url, **PHONE) as page:
                process(page, photos()[::2], 4)
                save(page, "phone")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
