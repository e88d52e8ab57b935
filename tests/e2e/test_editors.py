"""Crop and brush: what is framed is what comes out, and nothing drawn is lost."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser import violations, watched
from tests.e2e.test_review import jpeg, named
from tests.e2e.views import Opener
from tests.server import Server

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
MAGENTA = (255, 0, 255)
CROP = {"operations": [{"op": "crop_face", "aspect": "35:45"}], "outputs": [{"name": "full", "format": "png"}]}
ID_PHOTOS = {
    "operations": [{"op": "id_photo", "preset": "us_2x2in"}],
    "outputs": [{"name": "full", "format": "jpeg"}],
}
SIZES = {
    "operations": [],
    "outputs": [
        {"name": "small", "format": "webp", "width": 112},
        {"name": "whole", "format": "jpeg"},
        {"name": "half", "format": "png", "width": 256},
        {"name": "mask", "format": "png", "kind": "mask"},
    ],
}
READ_OFTEN = "willReadFrequently"  # the test itself reads canvases
GRABCUT: dict[str, object] = {"operations": [{"op": "remove_background", "model": "grabcut"}]}
ALPHA = """(canvas) => canvas.getContext('2d').getImageData(2, 2, 1, 1).data[3]"""


def made(server: Server, recipe: dict[str, object], *files: tuple[str, bytes]) -> str:
    job = str(server.submit(*files, recipe=json.dumps(recipe))["id"])
    server.finished(job)
    return job


def is_magenta(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(pixels[..., :3].astype(int) - MAGENTA).max(-1) < 60)


def dot_on_screen(surface: Locator) -> tuple[float, float]:
    """Where the landmark's middle is seen, whole or darkened."""
    box = surface.bounding_box()
    assert box is not None
    shot = np.asarray(Image.open(io.BytesIO(surface.screenshot())).convert("RGB")).astype(int)
    rows, columns = np.nonzero((shot[..., 0] - shot[..., 1] > 60) & (shot[..., 2] - shot[..., 1] > 60))
    scale = shot.shape[1] / box["width"]
    return box["x"] + columns.mean() / scale, box["y"] + rows.mean() / scale


def test_landmark_dragged_into_the_frame_is_found_in_the_result(opened: Opener) -> None:
    """Photos larger than the stage and smaller, on the page and a phone, in both embedded views in a hostile page."""
    for width, name, options in (
        (1548, "page", {}),
        (512, "page", PHONE),
        (300, "element hostile", {}),
        (1548, "component hostile", PHONE),
    ):
        height = width * 2 // 3
        photo = Image.new("RGB", (width, height), (90, 110, 130))
        x, y, radius = width * 0.72, height * 0.25, width / 40
        ImageDraw.Draw(photo).ellipse((x - radius, y - radius, x + radius, y + radius), fill=MAGENTA)
        with opened(name, **options) as view:
            job = made(view.server, CROP, ("photo.png", png(photo)))
            view.go(job)
            view.cards.first.locator('.thumb, [data-pp-part="thumb"]').click()
            view.page.get_by_role("button", name="Correct the crop").click()
            hole = view.page.locator(".crop-hole").bounding_box()
            assert hole is not None
            from_x, from_y = dot_on_screen(view.page.locator(".crop-surface"))
            view.page.mouse.move(from_x, from_y)
            view.page.mouse.down()
            view.page.mouse.move(hole["x"] + hole["width"] / 2, hole["y"] + hole["height"] / 2, steps=6)
            view.page.mouse.up()
            view.page.get_by_role("button", name="Save").click()
            expect(view.page.locator(".crop")).to_have_count(0)
            view.server.finished(job)
            (file,) = view.server.files(job)
            result = view.server.get(f"/api/jobs/{job}/files/{file['id']}/result").content
            pixels = np.asarray(Image.open(io.BytesIO(result)).convert("RGB"))
            rows, columns = np.nonzero(is_magenta(pixels))
            middle = [columns.mean() / pixels.shape[1], rows.mean() / pixels.shape[0]]
            assert middle == pytest.approx([0.5, 0.5], abs=0.012), (name, options)
            assert columns.size == pytest.approx(np.pi * radius**2, rel=0.15)


def png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def test_largest_result_is_shown_and_each_is_in_the_menu(opened: Opener, photos: dict[str, Path]) -> None:
    for name in ("page", "component hostile"):
        with opened(name) as view:
            job = made(view.server, SIZES, ("astronaut.jpg", photos["astronaut"].read_bytes()))
            view.go(job)
            with view.page.expect_download() as download:
                view.cards.get_by_role("link", name="Download astronaut.jpg").click()
            with Image.open(download.value.path()) as saved:
                assert (saved.format, saved.size) == ("JPEG", (512, 512))
            view.open_photo()
            assert view.of("#stage .after", '[data-pp-part="after"]').evaluate("(image) => image.naturalWidth") == 512
            dialog = view.page.get_by_role("dialog")
            dialog.locator("summary", has_text="Download").click()
            menu = dialog.locator("details", has_text="Download").locator("li")
            expect(menu).to_have_count(4)
            outputs = {one["name"]: one for one in view.server.files(job)[0]["outputs"]}
            expect(menu.first).to_contain_text("512 × 512 px")
            expect(menu.last).to_contain_text(f"112 × 112 px · {round(outputs['small']['bytes'] / 1000)} kB")
            assert violations(view.page) == [], "menu"
            with view.page.expect_download() as download:
                menu.last.get_by_role("link").click()
            with Image.open(download.value.path()) as saved:
                assert saved.size == (112, 112)


def test_crop_shows_the_document_and_the_cutout_and_goes_on(
    browser: Browser, server: Server, photos: dict[str, Path]
) -> None:
    leaning = jpeg(Image.open(photos["astronaut"]).rotate(20))
    job = made(server, ID_PHOTOS, ("one.jpg", photos["astronaut"].read_bytes()), ("two.jpg", leaning))
    with watched(browser, server.url, READ_OFTEN) as page:
        page.goto(f"/#/jobs/{job}")
        page.locator(".card", has_text="one.jpg").locator(".thumb").click()
        page.locator("#crop-open").click()
        surface, save = page.locator(".crop-surface"), page.get_by_role("button", name="Save")
        hole = page.locator(".crop-hole").bounding_box()
        assert hole is not None
        assert hole["width"] == pytest.approx(hole["height"], abs=1), "51 x 51 mm"
        for part in (".oval", ".eyes", ".band"):
            expect(page.locator(f".guides {part}").first).to_be_attached()
        canvas = page.locator("canvas.crop-photo")
        assert canvas.evaluate(ALPHA) == 0, "the cutout"
        assert violations(page) == [], "document"
        page.keyboard.press("1")
        assert canvas.evaluate(ALPHA) == 255, "the photo"
        page.keyboard.press("5")
        seen = page.locator(".crop-preview").evaluate("(one) => one.toDataURL()")
        for key in ("ArrowRight", "]"):
            surface.press(key)
        assert page.locator(".crop-preview").evaluate("(one) => one.toDataURL()") != seen
        undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo", exact=True)
        page.keyboard.press("z")
        expect(redo).to_be_enabled()
        expect(undo).to_be_enabled()
        page.keyboard.press("z")
        expect(undo).to_be_disabled()
        expect(save).to_be_disabled()
        page.keyboard.press("Shift+Z")
        expect(save).to_be_enabled()
        page.keyboard.press("Escape")
        expect(surface).to_have_count(0)
        page.locator("#crop-open").click()
        expect(save).to_be_enabled()  # what was framed is still there
        page.evaluate(MODES)
        with page.expect_response("**/crop"):
            save.click()
        expect(page.locator("#crop-undo")).to_be_visible()
        expect(page.locator("#crop-open")).to_be_focused()
        assert page.evaluate("() => window.modes") == [], "the former result stays until the new one is there"
        expect(page.locator("#next-look")).to_have_text("Next to look at (1)")
        page.locator("#crop-open").click()
        surface.press("ArrowLeft")
        page.get_by_role("button", name="Apply and next").click()
        expect(page.locator("#viewer-name")).to_have_text("two.jpg")
        expect(surface).to_be_focused()
        server.finished(job)
        assert named(server, job, "one.jpg")["crop"]["manual"] is True  # type: ignore[index]


MODES = """() => {
  window.modes = [];
  const stage = document.getElementById('stage');
  new MutationObserver(() => ['none', 'before'].includes(stage.dataset.mode) && window.modes.push(stage.dataset.mode))
    .observe(stage, { attributes: true, attributeFilter: ['data-mode'] });
}"""


@pytest.mark.parametrize("name", ["page", "component hostile"])
def test_strokes_are_undone_redone_zoomed_into_and_asked_about(
    opened: Opener, name: str, photos: dict[str, Path]
) -> None:
    with opened(name, READ_OFTEN) as view:
        view.go(made(view.server, GRABCUT, ("a.jpg", photos["astronaut"].read_bytes())))
        view.open_photo()
        page = view.page
        page.get_by_role("button", name="Correct by hand").click()
        canvas = page.locator(".brush canvas")
        expect(canvas).to_be_visible()
        before = area(canvas)
        page.keyboard.press("e")
        drag(page, canvas)
        wiped = opaque(canvas)
        page.keyboard.press("z")
        expect(page.get_by_role("button", name="Undo")).to_be_disabled()
        assert opaque(canvas) > wiped
        page.keyboard.press("Shift+Z")
        assert opaque(canvas) == wiped
        for _ in range(4):
            page.keyboard.press("+")
        assert area(canvas) > 4 * before
        place = canvas.bounding_box()
        page.keyboard.down(" ")
        drag(page, page.locator(".brush-surface"))
        page.keyboard.up(" ")
        assert canvas.bounding_box() != place
        assert opaque(canvas) == wiped, "Space moves the photo and paints nothing"
        page.keyboard.press("0")
        assert area(canvas) == before
        page.keyboard.press("3")
        expect(page.get_by_role("button", name="White")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
        asked = page.get_by_role("alertdialog", name="1 stroke is not saved.")
        expect(asked.get_by_role("button", name="Keep drawing")).to_be_focused()
        assert violations(page) == [], "asked"
        page.keyboard.press("Escape")
        expect(asked).to_have_count(0)
        expect(canvas).to_be_visible()
        page.keyboard.press("Escape")
        asked.get_by_role("button", name="Discard").click()
        expect(canvas).to_have_count(0)
        expect(page.get_by_role("button", name="Correct by hand")).to_be_focused()
        expect(page.get_by_role("dialog")).to_be_visible()


def area(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return round(box["width"] * box["height"])


def drag(page: Page, element: Locator) -> None:
    """Across its middle."""
    box = element.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 40, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 40, middle + 20, steps=6)
    page.mouse.up()


def opaque(canvas: Locator) -> int:
    """The sum of all opacities that the brush shows."""
    script = """(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
      .reduce((sum, value, index) => (index % 4 === 3 ? sum + value : sum), 0)"""
    return int(canvas.evaluate(script))
