"""What is changed before and after: options, crop and model, in the page, in the element and in the component."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.browser import violations
from tests.e2e.test_review import named, portraits
from tests.e2e.views import IN_HOSTILE_PAGE, Opener, View
from tests.server import Server

each_view = pytest.mark.parametrize("name", IN_HOSTILE_PAGE)
embedded = pytest.mark.parametrize("name", IN_HOSTILE_PAGE[1:])
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
FULL = {"code": "storage_full", "detail": "The disk is full.", "hint": "Delete old jobs."}
ANY = {"Access-Control-Allow-Origin": "*"}
SMALL = """() => [...document.querySelectorAll('[data-pp-part="root"] *')]
  .flatMap((one) => [one, ...(one.shadowRoot?.querySelectorAll('*') ?? [])])
  .filter((one) => one.matches('button, summary, a, select, input, label:has(input)'))
  .filter((one) => !one.matches('label input, [type="file"]'))
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().height < 43.5)
  .map((one) => one.outerHTML.slice(0, 120))"""
"""What a finger has to hit and is less than 44 px high."""


def sized(server: Server, job: str) -> list[tuple[str, int]]:
    """Format and width of each result."""
    return [(output["format"], output["width"]) for file in server.files(job) for output in file["outputs"]]


@each_view
def test_options_change_what_is_made_and_go_back_to_the_preset(
    opened: Opener, name: str, photos: dict[str, Path]
) -> None:
    with opened(name) as view:
        view.go()
        view.unfold()
        resize, outputs = view.section("resize"), view.section("outputs")
        resize.locator("summary").first.click()
        resize.get_by_label("Use this step").check()
        resize.get_by_label("Width").fill("")
        expect(resize.get_by_text("Fill in one of these: Width, Height.")).to_be_visible()
        assert violations(view.page) == [], "incomplete"
        resize.get_by_label("Width").fill("77")
        outputs.locator("summary").first.click()
        outputs.get_by_label("Format", exact=True).select_option(label="WebP")
        expect(outputs.locator("summary").first).to_contain_text("WebP")
        background = view.section("remove_background")
        background.locator("summary").first.click()
        background.get_by_role("radio", name="White").check(force=True)
        assert violations(view.page) == [], "options"
        if not view.is_page:
            summary = view.page.locator('[data-pp-part="options-summary"]')
            expect(summary).to_have_text("Background: White, Resize, Format: WebP")
        job = view.choose(photos["coffee"])
        view.expect_done(1)
        assert sized(view.server, job) == [("webp", 77)]
        view.page.get_by_role("button", name="Back to the preset").click()
        expect(view.page.get_by_role("button", name="Back to the preset")).to_be_hidden()
        expect(resize.locator("summary").first).to_contain_text("Off")
        with view.page.expect_response("**/reprocess"):
            view.page.get_by_role("button", name="Do again as chosen").click()
        view.server.finished(job)
        view.expect_done(1)
        assert sized(view.server, job) == [("png", 600)]


@embedded
def test_options_of_another_preset_are_its_own(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        view.go()
        view.unfold()
        expect(view.section("remove_background").locator("summary").first).to_contain_text("Transparent")
        view.section("resize").locator("summary").first.click()
        view.section("resize").get_by_label("Use this step").check()
        expect(view.page.locator('[data-pp-part="options-summary"]')).to_have_text("Resize")
        view.page.get_by_role("radio", name="Cutout on white").check()
        expect(view.page.locator('[data-pp-part="options-summary"]')).to_be_empty()
        expect(view.section("remove_background").locator("summary").first).to_contain_text("White")
        expect(view.page.get_by_role("button", name="Do again as chosen")).to_have_count(0)
        job = view.choose(photos["coffee"])
        view.expect_done(1)
        assert sized(view.server, job) == [("jpeg", 600)]
        expect(view.page.get_by_role("button", name="Do again as chosen")).to_have_count(0)
        view.page.get_by_role("radio", name="Cutout", exact=True).check()
        expect(view.page.get_by_role("button", name="Do again as chosen")).to_be_visible()


@embedded
def test_options_are_asked_for_again_where_the_server_was_away(opened: Opener, name: str) -> None:
    with opened(name, "ERR_FAILED") as view:
        view.go()
        view.page.route("**/api/operations", lambda route: route.abort())
        view.page.locator('[data-pp-part="options-title"]').click()
        expect(view.page.get_by_role("alert")).to_have_text("The server does not answer.")
        expect(view.page.locator('[data-pp-part="options"]:not([open])')).to_be_visible()
        view.page.unroute_all()
        view.unfold()


@embedded
def test_options_can_be_left_out(opened: Opener, name: str) -> None:
    with opened(name, given={"options": "off"}) as view:
        view.go()
        expect(view.page.locator('[data-pp-part="options"]')).to_have_count(0)


@each_view
def test_options_on_a_phone_in_german(opened: Opener, name: str) -> None:
    with opened(name, given={"locale": "de"}, locale="de-DE", **PHONE) as view:
        view.go()
        if view.is_page:
            view.page.locator("#options-toggle").tap()
        view.unfold()
        for section in ("remove_background", "crop_face", "outputs", "more"):
            view.section(section).locator("summary").first.tap()
        view.section("crop_face").get_by_label("Diesen Schritt verwenden").check()
        expect(view.section("crop_face").get_by_label("Diesen Schritt verwenden")).to_be_checked()
        assert violations(view.page) == [], "options"
        assert view.page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert view.page.evaluate(SMALL) == []


@each_view
def test_lane_begins_with_what_has_the_most_to_say(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        job = portraits(view.server, photos)
        view.go(job)
        view.page.get_by_role("button", name="To look at").click()
        shown = view.cards.locator("visible=true")
        expect(shown).to_have_count(3)
        most = max(view.server.files(job), key=lambda file: len(file["review"]))
        expect(shown.first).to_contain_text(most["name"])
        view.page.get_by_role("button", name=re.compile(r"^All \d")).click()
        expect(view.cards.first).to_contain_text("good.jpg")


@each_view
def test_crop_is_moved_zoomed_and_turned_by_keyboard_and_given_back(
    opened: Opener, name: str, photos: dict[str, Path]
) -> None:
    with opened(name) as view:
        job = portraits(view.server, photos)
        before = crop_of(view, job, "leaning.jpg")
        view.go(job)
        dialog = view.open_named("leaning.jpg")
        dialog.get_by_role("button", name="Correct the crop").press("Enter")
        expect(view.page.locator(".crop-surface")).to_be_focused()
        expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
        expect(dialog.get_by_role("button", name="White")).to_have_attribute("aria-pressed", "true")
        assert violations(view.page) == [], "crop"
        for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowUp", "-", "+", "-", "]", "]", "["):
            view.page.keyboard.press(key)
        with view.page.expect_response("**/crop"):
            dialog.get_by_role("button", name="Save").press("Enter")
        expect(view.page.locator(".crop")).to_have_count(0)
        view.server.finished(job)
        undo = dialog.get_by_role("button", name="Back to the automatic crop")
        expect(undo).to_be_visible()
        after = crop_of(view, job, "leaning.jpg")
        assert after["manual"] is True
        assert after["width"] == pytest.approx(1.05 * before["width"], abs=1)
        assert after["angle"] == pytest.approx(before["angle"] + 0.5, abs=0.1)
        assert after["centre"] != pytest.approx(before["centre"], abs=2)
        timings = named(view.server, job, "leaning.jpg")["timings"]
        assert isinstance(timings, dict)
        assert "network_s" not in timings, "the matte was kept"
        with view.page.expect_response("**/crop"):
            undo.click()
        expect(undo).to_have_count(0)
        view.server.finished(job)
        assert crop_of(view, job, "leaning.jpg") == before


def crop_of(view: View, job: str, name: str) -> dict[str, object]:
    crop = named(view.server, job, name)["crop"]
    assert isinstance(crop, dict)
    return crop


@each_view
def test_crop_is_dragged_on_a_phone(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name, **PHONE) as view:
        job = portraits(view.server, photos)
        before = crop_of(view, job, "good.jpg")
        view.go(job)
        dialog = view.open_named("good.jpg")
        dialog.get_by_role("button", name="Correct the crop").tap()
        for control in ("Zoom", "Turn"):
            expect(dialog.get_by_role("slider", name=control)).to_be_in_viewport()
        expect(dialog.get_by_role("button", name="Save")).to_be_in_viewport()
        assert violations(view.page) == [], "crop"
        assert view.page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert view.page.evaluate(SMALL) == []
        dialog.get_by_role("slider", name="Turn").fill("0")
        view.page.mouse.move(0, 0)
        hole = view.page.locator(".crop-hole").bounding_box()
        assert hole is not None
        x, y = hole["x"] + hole["width"] / 2, hole["y"] + hole["height"] / 2
        view.page.mouse.move(x, y)
        view.page.mouse.down()
        view.page.mouse.move(x + 40, y - 20, steps=5)
        view.page.mouse.up()
        dialog.get_by_role("button", name="Save").tap()
        expect(view.page.locator(".crop")).to_have_count(0)
        view.server.finished(job)
        after = crop_of(view, job, "good.jpg")
        px = before["width"] / hole["width"]  # type: ignore[operator]
        x, y = before["centre"]  # type: ignore[misc]
        assert after["centre"] == pytest.approx([x - 40 * px, y + 20 * px], abs=1.5)


@embedded
def test_crop_that_is_refused_stays_and_says_why(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=507, json=FULL, headers=ANY) if route.request.method == "PUT" else route.continue_()

    with opened(name, "status of 507") as view:
        view.go(portraits(view.server, photos))
        dialog = view.open_named("cat.jpg")
        dialog.get_by_role("button", name="Correct the crop").click()
        view.page.route("**/crop", refuse)
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_have_text("The disk is full. Delete old jobs.")
        expect(view.page.locator(".crop")).to_be_visible()
        assert violations(view.page) == [], "refused"
        view.page.unroute_all()
        dialog.get_by_role("button", name="Save").click()
        expect(view.page.locator(".crop")).to_have_count(0)
        expect(dialog.get_by_role("button", name="Back to the automatic crop")).to_be_visible()


@each_view
def test_crop_is_given_up_by_escape_and_the_photo_stays(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        job = portraits(view.server, photos)
        view.go(job)
        dialog = view.open_named("good.jpg")
        dialog.get_by_role("button", name="Correct the crop").click()
        view.page.locator(".crop-surface").press("ArrowLeft")
        view.page.keyboard.press("Escape")
        expect(view.page.locator(".crop")).to_have_count(0)
        expect(dialog.get_by_role("button", name="Correct the crop")).to_be_focused()
        view.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(view.cards.filter(has_text="good.jpg").get_by_role("button", name="Open good.jpg")).to_be_focused()
        assert crop_of(view, job, "good.jpg")["manual"] is False


@each_view
def test_photo_is_done_again_by_another_model(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        view.go()
        job = view.choose(photos["chelsea"])
        view.expect_done(1)
        view.open_photo()
        dialog = view.page.get_by_role("dialog")
        dialog.get_by_label("Another model").select_option("grabcut")
        assert violations(view.page) == [], "models"
        with view.page.expect_response("**/reprocess"):
            dialog.get_by_role("button", name="Do again with").click()
        view.server.finished(job)
        (file,) = view.server.files(job)
        assert file["engine"]["model"] == "grabcut"
        expect(dialog.get_by_label("Another model").locator('option[value="grabcut"]')).to_have_count(0)
        expect(dialog.get_by_role("button", name="Do again with")).to_be_visible()


@each_view
def test_failed_photo_is_done_by_another_model(
    opened: Opener, name: str, empty_models: Path, photos: dict[str, Path]
) -> None:
    with opened(name, settings={"models": empty_models, "offline": "true"}) as view:
        recipe = json.dumps({"operations": [{"op": "remove_background", "model": "isnet-general-use"}]})
        job = view.server.submit(photos["coffee"], ("letter.jpg", b"This is no picture. " * 9), recipe=recipe)["id"]
        view.server.finished(job)
        view.go(job)
        expect(view.with_status("failed")).to_have_count(2)
        assert violations(view.page) == [], "failed"
        other = view.page.get_by_role("button", name="Another model: ")
        expect(other).to_have_count(1)
        other.click()
        choice = view.page.get_by_role("dialog").get_by_label("Another model")
        if not view.is_page:
            expect(choice).to_be_focused()
        choice.select_option("grabcut")
        view.page.get_by_role("dialog").get_by_role("button", name="Do again with").click()
        view.server.finished(job)
        view.page.keyboard.press("Escape")
        expect(view.with_status("completed")).to_have_count(1)
        engines = [(file["engine"] or {}).get("model") for file in view.server.files(job)]
        assert engines == ["grabcut", None]
