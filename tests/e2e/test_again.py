"""Photos done again: those selected, one by another model; and results handed on."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import upload, violations, watched
from tests.e2e.desk import choose, expect_done, job_id
from tests.server import Server


def test_selected_photos_are_done_again_as_chosen(page: Page, server: Server, photos: dict[str, Path]) -> None:
    names = ("a", "b", "c", "d")
    files = [
        upload(f"{name}.jpg", path) for name, path in zip(names, [*photos.values(), photos["coffee"]], strict=True)
    ]
    job = choose(page, *files)
    expect_done(page, 4)
    cards = page.locator(".card")
    cards.nth(0).locator(".thumb").click(modifiers=["Control"])
    expect(page.locator("#viewer")).to_be_hidden()
    cards.nth(2).locator(".thumb").click(modifiers=["Shift"])
    expect(page.locator("#selection strong")).to_have_text("3 selected")
    cards.nth(1).locator(".pick").uncheck()
    expect(page.locator("#live")).to_have_text("2 selected")
    assert violations(page) == [], "selected"
    page.locator("label", has_text="Cutout on white").click()
    with page.expect_response("**/reprocess"):
        page.locator("#redo-selected").click()
    server.finished(job)
    expect(page.locator('.card[data-status="completed"]')).to_have_count(4)
    done = {file["name"]: file for file in server.files(job)}
    formats = [done[f"{name}.jpg"]["outputs"][0]["format"] for name in names]
    assert formats == ["jpeg", "png", "jpeg", "png"]
    assert "network_s" not in done["a.jpg"]["timings"], "the matte was kept"
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).to_be_hidden()


def test_photos_are_selected_by_keyboard(page: Page, photos: dict[str, Path]) -> None:
    choose(page, upload("a.jpg", photos["coffee"]), upload("b.jpg", photos["chelsea"]))
    expect_done(page, 2)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#selection strong")).to_have_text("1 selected")
    expect(page.locator(".pick").first).to_be_checked()
    page.keyboard.press("a")
    expect(page.locator("#selection strong")).to_have_text("2 selected")
    page.keyboard.press("a")
    expect(page.locator("#selection")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.locator(".pick").first).to_be_focused()
    page.keyboard.press(" ")
    expect(page.locator("#selection strong")).to_have_text("1 selected")


def test_photo_is_tried_again_by_another_model(page: Page, server: Server, photos: dict[str, Path]) -> None:
    job = choose(page, upload("a.jpg", photos["chelsea"]))
    expect_done(page, 1)
    page.locator(".card .thumb").click()
    page.locator("#viewer-model").select_option("grabcut")
    page.get_by_role("button", name="Do again with").click()
    expect(page.locator("#viewer-facts")).to_contain_text("GrabCut")
    assert violations(page) == [], "viewer"
    server.finished(job)
    (file,) = server.files(job)
    assert file["engine"]["model"] == "grabcut"
    page.keyboard.press("Escape")
    page.locator("#open-models").click()
    expect(page.locator('#models-list [data-model="grabcut"]')).to_contain_text("measured on")


def test_failed_photo_offers_another_model_where_that_can_help(
    browser: Browser, start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path]
) -> None:
    server = start_server(models=empty_models, offline="true")
    with watched(browser, server.url) as page:
        recipe = json.dumps({"operations": [{"op": "remove_background", "model": "isnet-general-use"}]})
        job = server.submit(photos["coffee"], recipe=recipe)["id"]
        server.finished(job)
        page.goto(f"/#/jobs/{job}")
        card = page.locator('.card[data-group="failed"]')
        expect(card.locator(".why")).not_to_be_empty()
        card.locator(".other").click()
        page.locator("#viewer-model").select_option("grabcut")
        page.get_by_role("button", name="Do again with").click()
        expect(page.locator("#viewer-facts")).to_contain_text("GrabCut")
        page.keyboard.press("Escape")
        expect_done(page, 1)


def test_redo_that_fails_costs_nothing_and_any_can_be_undone(
    browser: Browser, start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path]
) -> None:
    server = start_server(models=empty_models, offline="true")
    grabcut = {"operations": [{"op": "remove_background", "model": "grabcut"}, {"op": "resize", "width": 200}]}
    job = server.submit(photos["coffee"], photos["chelsea"], recipe=json.dumps(grabcut))["id"]
    server.finished(job)
    first = {file["name"]: file["outputs"][0]["sha256"] for file in server.files(job)}
    missing = {"operations": [{"op": "remove_background", "model": "isnet-general-use"}]}
    server.post(f"/api/jobs/{job}/reprocess", json=missing).raise_for_status()
    after = server.finished(job)
    assert (after["status"], after["progress"]["succeeded"], after["error"]) == ("completed", 2, None)
    assert after["recipe"]["operations"][1]["width"] == 200, "the job is again what it was made as"
    files = server.files(job)
    assert {file["name"]: file["outputs"][0]["sha256"] for file in files} == first
    assert all("redo_failed" in [warning["code"] for warning in file["warnings"]] for file in files)
    with watched(browser, server.url) as page:
        page.goto(f"/#/jobs/{job}")
        expect(page.locator('.card[data-status="completed"]')).to_have_count(2)
        expect(page.locator(".card .why").first).to_contain_text("former result")
        expect(page.locator("#job-undo")).to_be_hidden()
        again = {**grabcut, "operations": [grabcut["operations"][0], {"op": "resize", "width": 90}]}
        server.post(f"/api/jobs/{job}/reprocess", json=again).raise_for_status()
        server.finished(job)
        page.reload()
        expect(page.locator("#job-undo")).to_have_text("Back to the former results")
        expect(page.locator(".card .why")).to_have_count(0)
        page.locator(".card .thumb").first.click()
        expect(page.locator("#viewer-facts")).to_contain_text("90 ×")
        page.locator("#photo-undo").click()
        expect(page.locator("#viewer-facts")).to_contain_text("200 ×")
        page.keyboard.press("Escape")
        page.locator("#job-undo").click()
        expect(page.locator("#live")).to_contain_text("former results are back")
        widths = {file["name"]: file["outputs"][0]["width"] for file in server.files(job)}
        assert sorted(widths.values()) == [90, 200], "the one that was undone came back, the other went"
        assert violations(page) == []


def test_result_is_copied_where_the_browser_can(browser: Browser, server: Server, photos: dict[str, Path]) -> None:
    with watched(browser, server.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/")
        page.locator("label", has_text="Cutout on white").click()
        choose(page, photos["coffee"])
        expect_done(page, 1)
        page.locator(".card .thumb").click()
        page.get_by_role("button", name="Copy").click()
        expect(page.locator("#live")).to_have_text("Copied.")
        size = """async () => {
          const [item] = await navigator.clipboard.read();
          const picture = await createImageBitmap(await item.getType('image/png'));
          return [picture.width, picture.height];
        }"""
        assert page.evaluate(size) == [600, 400]


def test_buttons_that_cannot_work_are_not_shown(browser: Browser, server: Server, photos: dict[str, Path]) -> None:
    """As on plain http in a LAN, where browsers have neither clipboard nor share."""
    with watched(browser, server.url) as page:
        page.add_init_script(
            "Object.defineProperty(navigator, 'clipboard', {value: undefined}); delete Navigator.prototype.canShare"
        )
        page.goto("/")
        choose(page, photos["coffee"])
        expect_done(page, 1)
        page.locator(".card .thumb").click()
        expect(page.locator("#viewer-actions")).to_contain_text("Download")
        expect(page.locator("#viewer-actions .copy, #viewer-actions .share")).to_have_count(0)


def test_result_is_shared_where_the_browser_can(browser: Browser, server: Server, photos: dict[str, Path]) -> None:
    with watched(browser, server.url) as page:
        page.add_init_script(
            """Navigator.prototype.canShare = ({files}) => files[0].type === 'image/png';
            Navigator.prototype.share = async ({files}) => { window.shared = [files[0].name, files[0].size > 999]; };"""
        )
        page.goto("/")
        choose(page, photos["coffee"])
        expect_done(page, 1)
        page.locator(".card .thumb").click()
        page.get_by_role("button", name="Share").click()
        page.wait_for_function("() => window.shared")
        assert page.evaluate("window.shared") == ["coffee.png", True]


def test_backdrops_of_the_viewer_are_seen_behind_the_cutout(page: Page, photos: dict[str, Path]) -> None:
    choose(page, photos["astronaut"])
    expect_done(page, 1)
    page.locator(".card .thumb").click()
    expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
    page.locator("#stage input[type=range]").press("Home")
    behind, face = [], []
    for name in ("checker", "white", "black", "blur", "own"):
        page.locator(f"#backdrop-{name}").check(force=True)
        behind.append(spot(page, 0.03, 0.3))
        face.append(spot(page, 0.45, 0.3))
    assert len(set(behind)) >= 4, "the checkerboard may be white just there"
    assert np.ptp(face, axis=0).max() <= 25, "the cutout stands before all of them"
    expect(page.locator("#stage")).to_have_attribute("data-backdrop", "colour")


def spot(page: Page, x: float, y: float) -> tuple[int, ...]:
    """One px of the opened picture, at shares of its width and height."""
    box = page.locator("#stage .frame").bounding_box()
    assert box is not None
    place = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "width": 1.0, "height": 1.0}
    picture = Image.open(io.BytesIO(page.screenshot(clip=place)))  # type: ignore[arg-type]
    return tuple(np.asarray(picture.convert("RGB"))[0, 0].tolist())


def test_step_without_values_starts_with_some_and_says_what_it_lacks(
    page: Page, server: Server, photos: dict[str, Path]
) -> None:
    page.locator("#section-resize").click()
    page.locator("#use-resize").check()
    expect(page.locator("#resize-width")).to_have_value("1600")
    page.locator("#resize-width").fill("")
    expect(page.locator("#resize-width")).to_have_attribute("aria-invalid", "true")
    expect(page.locator('[data-section="resize"] .missing')).to_have_text("Fill in one of these: Width, Height.")
    page.locator("#resize-height").fill("120")
    expect(page.locator('[data-section="resize"] .missing')).to_be_empty()
    page.locator("#section-more").click()
    for op in ("crop", "watermark"):
        page.locator(f"#section-{op}").click()
        page.locator(f"#use-{op}").check()
    job = choose(page, photos["coffee"])
    server.finished(job)
    (file,) = server.files(job)
    assert (file["outputs"][0]["width"], file["outputs"][0]["height"]) == (120, 120)


def test_url_field_is_there_where_the_server_fetches(
    browser: Browser, start_server: Callable[..., Server], photos: dict[str, Path], site: tuple[Path, str]
) -> None:
    folder, origin = site
    (folder / "cup.jpg").write_bytes(photos["coffee"].read_bytes())
    server = start_server(url_ingest="true", url_networks='["127.0.0.0/8"]')
    with watched(browser, server.url) as page:
        page.goto("/")
        field = page.locator("#urls")
        field.fill("cup.jpg")
        field.press("Enter")
        expect(page.locator("#urls-fault")).to_have_text("An address begins with http:// or https://.")
        assert violations(page) == [], "URL field"
        field.fill(f"{origin}/cup.jpg")
        field.press("Enter")
        expect_done(page, 1)
        expect(page.locator(".card .name")).to_have_text("cup.jpg")
        first = job_id(page)
        page.evaluate(
            """(url) => {
              const clipboardData = new DataTransfer();
              clipboardData.setData('text/plain', url);
              document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true}));
            }""",
            f"{origin}/cup.jpg {origin}/none.jpg",
        )
        expect(page.locator("#job-count")).to_have_text("2 of 2 · 1 failed")
        assert job_id(page) != first


def test_url_field_is_not_there_where_the_server_does_not_fetch(page: Page) -> None:
    expect(page.locator("#urls")).to_have_count(0)
