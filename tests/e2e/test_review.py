"""Photos that a person should look at: the lane, the reasons, 'looks fine', and the crop corrected by hand."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.browser import violations, watched
from tests.server import Server

PORTRAITS = {
    "operations": [
        {"op": "remove_background", "background": "#ffffff"},
        {"op": "crop_face", "aspect": "35:45", "checks": True, "straighten": True},
    ],
    "outputs": [{"name": "full", "format": "jpeg"}],
}


@pytest.fixture
def job(server: Server, photos: dict[str, Path]) -> str:
    """A good portrait, one whose head leans, one without a face, and one that is dark and leans."""
    return portraits(server, photos)


def portraits(server: Server, photos: dict[str, Path]) -> str:
    """A finished job of them."""
    good = Image.open(photos["astronaut"])
    leaning, dark = good.rotate(20), good.rotate(20).point(lambda level: level * 0.3)
    pictures = {"good.jpg": good, "leaning.jpg": leaning, "cat.jpg": Image.open(photos["chelsea"]), "dark.jpg": dark}
    made = server.submit(*((name, jpeg(picture)) for name, picture in pictures.items()), recipe=json.dumps(PORTRAITS))
    server.finished(made["id"])
    return str(made["id"])


def jpeg(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.convert("RGB").save(data, "JPEG", quality=92)
    return data.getvalue()


def named(server: Server, job: str, name: str) -> dict[str, object]:
    return next(file for file in server.files(job) if file["name"] == name)


def test_lane_shows_what_to_look_at_with_reasons_until_it_looks_fine(page: Page, server: Server, job: str) -> None:
    page.goto(f"/#/jobs/{job}")
    lane = page.locator('#filters [data-filter="look"]')
    expect(lane.locator("b")).to_have_text("3")
    expect(page.locator("#job-count")).to_have_text("4 of 4 · 3 to look at")
    lane.click()
    cards = page.locator(".card:visible")
    expect(cards).to_have_count(3)
    most = max(server.files(job), key=lambda file: len(file["review"]))
    expect(cards.first.locator(".name")).to_have_text(most["name"])
    leaning = page.locator(".card", has_text="leaning.jpg")
    expect(leaning.locator(".reason-tag")).to_contain_text(["Crop"])
    expect(leaning.get_by_text("The head leans by")).to_be_hidden()
    leaning.locator(".why summary").click()
    expect(leaning.get_by_text("The head leans by")).to_be_visible()
    page.locator('#reasons [data-tag="light"]').click()
    expect(cards).to_have_count(1)
    page.locator("#fine-all").click()
    expect(page.locator("#job-count")).to_have_text("4 of 4 · 2 to look at")
    page.get_by_role("button", name="Undo").click()
    expect(lane.locator("b")).to_have_text("3")
    expect(cards).to_have_count(3)
    leaning.locator(".thumb").focus()
    page.keyboard.press("f")
    expect(cards).to_have_count(2)
    expect(page.locator(".card:visible .thumb:focus")).to_have_count(1)
    page.keyboard.press("z")
    expect(cards).to_have_count(3)
    assert violations(page) == [], "lane"
    leaning.locator(".fine").click()
    expect(cards).to_have_count(2)
    expect(lane.locator("b")).to_have_text("2")
    assert named(server, job, "leaning.jpg")["review"] == []
    cards.first.locator(".thumb").click()
    expect(page.locator("#viewer-notes .note").first).to_be_visible()
    assert violations(page) == [], "viewer"
    page.keyboard.press("f")
    expect(page.locator("#viewer-position")).to_have_text("1 of 1")
    page.keyboard.press("Escape")
    expect(cards).to_have_count(1)


def test_crop_is_moved_zoomed_and_turned_by_keyboard_and_given_back(page: Page, server: Server, job: str) -> None:
    before = named(server, job, "leaning.jpg")["crop"]
    assert isinstance(before, dict)
    page.goto(f"/#/jobs/{job}")
    page.locator(".card", has_text="leaning.jpg").locator(".thumb").click()
    page.locator("#crop-open").click()
    expect(page.locator(".crop-surface")).to_be_focused()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    assert violations(page) == [], "crop"
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowUp", "-", "]", "]"):
        page.keyboard.press(key)
    with page.expect_response("**/crop"):
        page.get_by_role("button", name="Save").click()
    expect(page.locator(".crop")).to_have_count(0)
    server.finished(job)
    expect(page.get_by_text("Back to the automatic crop")).to_be_visible()
    after = named(server, job, "leaning.jpg")["crop"]
    assert isinstance(after, dict)
    assert after["manual"] is True
    assert after["width"] == pytest.approx(1.05 * before["width"], abs=1)
    assert after["angle"] == pytest.approx(before["angle"] + 1, abs=0.1)
    assert after["centre"] != pytest.approx(before["centre"], abs=2)
    with page.expect_response("**/crop"):
        page.get_by_text("Back to the automatic crop").click()
    expect(page.get_by_text("Back to the automatic crop")).to_have_count(0)
    server.finished(job)
    assert named(server, job, "leaning.jpg")["crop"] == before


def test_what_is_seen_in_the_frame_is_what_comes_out(page: Page, server: Server, job: str) -> None:
    """The photo dragged by a known way on the screen moves the frame by as much in the photo, turned as it is shown."""
    before = named(server, job, "good.jpg")["crop"]
    assert isinstance(before, dict)
    page.goto(f"/#/jobs/{job}")
    page.locator(".card", has_text="good.jpg").locator(".thumb").click()
    page.locator("#crop-open").click()
    page.get_by_role("slider", name="Turn").fill("0")
    page.locator(".crop-surface").focus()
    hole = page.locator(".crop-hole").bounding_box()
    assert hole is not None
    x, y = hole["x"] + hole["width"] / 2, hole["y"] + hole["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y - 20, steps=5)
    page.mouse.up()
    page.mouse.wheel(0, -200)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".crop")).to_have_count(0)
    server.finished(job)
    after = named(server, job, "good.jpg")["crop"]
    assert isinstance(after, dict)
    px = before["width"] / hole["width"]
    assert after["centre"] == pytest.approx([before["centre"][0] - 40 * px, before["centre"][1] + 20 * px], abs=1.5)
    assert after["angle"] == pytest.approx(0, abs=0.1)
    assert after["width"] < 0.9 * before["width"]
    page.locator("#crop-open").click()
    expect(page.locator(".crop-hole")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".crop")).to_have_count(0)
    expect(page.locator("#viewer")).to_be_visible()


def test_photo_without_a_face_is_cropped_by_hand(page: Page, server: Server, job: str) -> None:
    page.goto(f"/#/jobs/{job}")
    page.locator(".card", has_text="cat.jpg").locator(".thumb").click()
    page.locator("#crop-open").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".crop")).to_have_count(0)
    server.finished(job)
    file = named(server, job, "cat.jpg")
    crop = file["crop"]
    assert isinstance(crop, dict)
    assert crop["width"] / crop["height"] == pytest.approx(35 / 45, abs=0.01)


def test_crop_on_a_phone(browser: object, server: Server, job: str) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with watched(browser, server.url, **phone) as page:  # type: ignore[arg-type]
        page.goto(f"/#/jobs/{job}")
        page.locator(".card", has_text="good.jpg").locator(".thumb").tap()
        page.locator("#crop-open").tap()
        expect(page.locator(".crop-hole")).to_be_visible()
        for name in ("Zoom", "Turn"):
            expect(page.get_by_role("slider", name=name)).to_be_in_viewport()
        expect(page.get_by_role("button", name="Save")).to_be_in_viewport()
        assert violations(page) == [], "crop"
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
