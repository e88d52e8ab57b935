"""The same things done in the page, in the element and in the component."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.e2e.browser import upload, violations, watched
from tests.e2e.desk import NASTY, opaque_in_the_middle, twelve
from tests.e2e.views import NAMES, Opener, View
from tests.hostile.test_access import key_for
from tests.server import Server

each_view = pytest.mark.parametrize("name", NAMES)
embedded = pytest.mark.parametrize("name", NAMES[1:])
FULL = {"code": "storage_full", "detail": "The disk is full.", "hint": "Delete old jobs."}
ANY = {"Access-Control-Allow-Origin": "*"}
LETTER = b"This is no picture. " * 9


@each_view
def test_photo_becomes_a_cutout_that_is_compared_and_saved(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        view.go()
        assert violations(view.page) == [], "empty"
        view.choose(photos["astronaut"])
        view.expect_done(1)
        slider = view.open_photo()
        slider.focus()
        view.page.keyboard.press("Home")
        view.page.keyboard.press("ArrowRight")
        expect(slider).to_have_attribute("aria-valuetext", "1 % before")
        for backdrop in ("Black", "Blurred", "White"):
            view.page.get_by_role("radio", name=backdrop, exact=True).check(force=True)
        assert violations(view.page) == [], "viewer"
        with view.page.expect_download() as download:
            view.page.get_by_role("dialog").get_by_role("link", name="Download", exact=True).click()
        with Image.open(download.value.path()) as cutout:
            assert (cutout.mode, cutout.size) == ("RGBA", (512, 512))
        view.page.keyboard.press("Escape")
        expect(view.page.get_by_role("dialog")).to_have_count(0)
        assert violations(view.page) == [], "done"


@each_view
def test_batch_with_failures_is_filtered_retried_and_saved_as_a_zip(
    opened: Opener, name: str, photos: dict[str, Path], tmp_path: Path
) -> None:
    with opened(name) as view:
        view.go()
        whole = photos["chelsea"].read_bytes()
        files = [*twelve(photos)[:3], upload("letter.jpg", LETTER), upload("cut.jpg", whole[: len(whole) // 2])]
        view.choose(*files, upload(NASTY, photos["coffee"]))
        expect(view.with_status("processing").first).to_be_visible()
        assert violations(view.page) == [], "processing"
        view.expect_done(4)
        expect(view.with_status("failed")).to_have_count(2)
        failed = view.page.get_by_role("button", name=re.compile(r"^Failed"))
        failed.click()
        expect(view.cards.locator("visible=true")).to_have_count(2)
        assert violations(view.page) == [], "failed"
        cut = view.cards.filter(has_text="cut.jpg")
        assert "Copy it again" in cut.inner_text()
        with view.page.expect_response(lambda response: "/retry" in response.url) as answer:
            cut.get_by_role("button", name="Retry cut.jpg").click()
        assert answer.value.status == 200
        expect(view.stage).to_have_text("Done")
        expect(view.with_status("failed")).to_have_count(2)
        assert view.page.locator("img[onerror], img[src='x']").count() == 0
        with view.page.expect_download() as download:
            view.zip.click()
        names = set(zipfile.ZipFile(download.value.path()).namelist())
        assert {"errors.csv", "manifest.json"} < names
        assert len(names) == 6


@each_view
def test_dragging_shows_where_to_let_go_and_the_drop_is_taken(
    opened: Opener, name: str, photos: dict[str, Path]
) -> None:
    with opened(name) as view:
        view.go()
        data = list(photos["coffee"].read_bytes())
        transfer = view.page.evaluate_handle(
            """(data) => {
              const transfer = new DataTransfer();
              transfer.items.add(new File([new Uint8Array(data)], 'dropped.jpg', { type: 'image/jpeg' }));
              return transfer;
            }""",
            data,
        )
        target = "#main" if view.is_page else '[data-pp-part="drop"]'
        view.page.dispatch_event(target, "dragover", {"dataTransfer": transfer})
        expect(view.of("#drag-over", "[data-pp-dragging]")).to_be_visible()
        assert violations(view.page) == [], "dragging"
        view.page.dispatch_event(target, "drop", {"dataTransfer": transfer})
        expect(view.of("#drag-over:not([hidden])", "[data-pp-dragging]")).to_have_count(0)
        view.expect_done(1)


@each_view
def test_dropped_folder_comes_with_its_folders_and_without_what_is_no_photo(
    opened: Opener, name: str, photos: dict[str, Path], tmp_path: Path
) -> None:
    """Dropped by the browser itself, as from a file manager: no script can make the folder of a drop."""
    folder = tmp_path / "shoot"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "cat.jpg").write_bytes(photos["chelsea"].read_bytes())
    (folder / "deep" / "er" / "cup.jpg").write_bytes(photos["coffee"].read_bytes())
    (folder / "notes.txt").write_text("no photo")
    (folder / ".DS_Store").write_bytes(b"\0")
    with opened(name) as view:
        view.go()
        box = view.page.locator("#empty" if view.is_page else '[data-pp-part="drop"]').bounding_box()
        assert box is not None
        session = view.page.context.new_cdp_session(view.page)
        data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + min(60, box["height"] / 2), "data": data}
        for kind in ("dragEnter", "dragOver", "drop"):
            session.send("Input.dispatchDragEvent", {"type": kind, **where})
        view.expect_done(2)
        names = sorted(file["name"] for file in view.server.files(view.job))
        assert names == ["shoot/cat.jpg", "shoot/deep/er/cup.jpg"]


@each_view
def test_reload_in_the_middle_goes_on(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        view.go()
        job = view.choose(*twelve(photos)[:6])
        expect(view.with_status("completed").first).to_be_visible()
        expect(view.with_status("uploading")).to_have_count(0)
        view.page.reload()
        expect(view.cards).to_have_count(6)
        assert view.job == job
        view.expect_done(6)


@each_view
def test_server_that_is_killed_and_comes_back_loses_nothing(
    browser: Browser, opened: Opener, name: str, photos: dict[str, Path]
) -> None:
    with opened(name, "ERR_", "WebSocket") as view:
        view.go()
        view.choose(*twelve(photos)[:6])
        expect(view.with_status("uploading")).to_have_count(0)
        expect(view.with_status("completed").first).to_be_visible()
        view.server.environment["PHOTO_PORT"] = view.server.url.rpartition(":")[2]
        view.server.kill()
        view.server.start()
        view.expect_done(6)


@each_view
def test_blocked_socket_is_replaced_by_asking(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name, "WebSocket") as view:
        view.page.route_web_socket("**/ws/job/**", lambda blocked: blocked.close(code=4403))
        view.go()
        view.choose(photos["coffee"], photos["chelsea"])
        view.expect_done(2)


@each_view
def test_two_tabs_show_the_same_job(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        view.go()
        job = view.choose(*twelve(photos)[:6])
        other = View(name, view.page.context.new_page(), view.server, view.url)
        other.go(job)
        expect(other.cards).to_have_count(6)
        expect(view.with_status("uploading")).to_have_count(0)
        other.page.get_by_role("button", name="Pause").click()
        expect(view.stage).to_have_text("Paused")
        view.page.get_by_role("button", name="Resume").click()
        for tab in (view, other):
            tab.page.bring_to_front()
            tab.expect_done(6)


@each_view
def test_mask_is_corrected_with_the_brush(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name) as view:
        view.go()
        job = view.choose(photos["astronaut"])
        view.expect_done(1)
        view.open_photo()
        view.page.get_by_role("button", name="Correct by hand").click()
        canvas = view.page.locator(".brush canvas")
        expect(canvas).to_be_visible()
        view.page.keyboard.press("e")
        expect(view.page.get_by_role("button", name="Wipe out")).to_have_attribute("aria-pressed", "true")
        place = canvas.bounding_box()
        assert place is not None
        middle = place["y"] + place["height"] / 2
        view.page.mouse.move(place["x"] + 5, middle)
        view.page.mouse.down()
        view.page.mouse.move(place["x"] + place["width"] - 5, middle, steps=12)
        view.page.mouse.up()
        assert violations(view.page) == [], "brush"
        view.page.get_by_role("button", name="Save").click()
        expect(canvas).to_have_count(0)
        view.server.finished(job)
        assert opaque_in_the_middle(view.server, job) == 0


@each_view
def test_it_speaks_german(opened: Opener, name: str) -> None:
    with opened(name, given={"locale": "de"}, locale="de-DE") as view:
        view.go()
        expect(view.page.get_by_role("button", name="Dateien wählen")).to_be_visible()
        expect(view.page.get_by_text("Freisteller auf Weiß")).to_be_visible()
        view.choose(upload("brief.jpg", LETTER))
        expect(view.with_status("failed")).to_contain_text("kein Foto")
        expect(view.stage).to_have_text("Fehlgeschlagen")
        assert violations(view.page) == [], "German"


@each_view
def test_phone_is_as_good(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with opened(name, **phone) as view:
        view.go()
        view.choose(photos["coffee"], photos["chelsea"])
        view.expect_done(2)
        assert violations(view.page) == [], "done"
        assert view.page.evaluate("() => document.documentElement.scrollWidth") <= 390
        view.open_photo()
        assert violations(view.page) == [], "viewer"
        assert view.page.evaluate("() => document.documentElement.scrollWidth") <= 390


@embedded
def test_embedded_view_shows_its_key(
    browser: Browser,
    start_server: Callable[..., Server],
    site: tuple[Path, str],
    embedding: Path,
    photos: dict[str, Path],
    name: str,
) -> None:
    folder, origin = site
    server = start_server(allowed_origins=json.dumps([origin]))
    key = key_for(server.data, "submit")
    for path in embedding.iterdir():
        target = folder / path.name
        target.symlink_to(path)
    with watched(browser, origin, "status of 401", api=server.url) as page:
        page.goto(f"{origin}/?view={name}&endpoint={server.url}")
        expect(page.get_by_role("alert")).to_contain_text("key")
        view = View(name, page, server, f"{origin}/?view={name}&endpoint={server.url}&apiKey={key}")
        view.go()
        view.choose(photos["astronaut"])
        view.expect_done(1)
        expect(view.cards.locator("img")).to_have_attribute("src", re.compile("^blob:"))
        with page.expect_download() as archive:
            view.zip.click()
        assert "astronaut.png" in zipfile.ZipFile(archive.value.path()).namelist()
        view.open_photo()
        page.get_by_role("dialog").get_by_label("Another model").select_option("grabcut")
        page.get_by_role("button", name="Correct by hand").click()
        expect(page.locator(".brush canvas")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        view.unfold()


@embedded
def test_embedded_view_tells_its_page(opened: Opener, name: str, photos: dict[str, Path]) -> None:
    with opened(name, "status of 507") as view:
        view.go()
        view.choose(upload("cup.jpg", photos["coffee"]), upload("letter.jpg", LETTER))
        view.expect_done(1)
        told = view.page.evaluate("() => window.told.map(([name, detail]) => [name, detail.status ?? detail.code])")
        assert sorted(told) == [["complete", "completed"], ["file-complete", "completed"], ["file-complete", "failed"]]
        view.page.get_by_role("button", name="New photos").click()
        expect(view.cards).to_have_count(0)
        view.page.route("**/api/jobs?open=true", lambda route: route.fulfill(status=507, json=FULL, headers=ANY))
        view.of("", '[data-pp-part="root"] > input[type=file]').set_input_files(photos["coffee"])
        expect(view.page.get_by_role("alert")).to_have_text("The disk is full. Delete old jobs.")
        assert violations(view.page) == [], "error"


OWN_RECIPE = {
    "operations": [{"op": "resize", "width": 90}, {"op": "grayscale"}],
    "outputs": [{"name": "full", "format": "webp", "quality": 70}],
}


@each_view
def test_job_opens_with_its_own_recipe_and_says_what_differs(
    opened: Opener, name: str, photos: dict[str, Path]
) -> None:
    """Not with what this browser chose last: doing it again as it stands would make something else of every photo."""
    with opened(name) as view:
        page, server = view.page, view.server
        view.go()
        page.get_by_text("Cutout on white", exact=True).click()
        job = server.finished(server.submit(photos["coffee"], recipe=json.dumps(OWN_RECIPE))["id"])
        view.go(job["id"])
        page.reload()
        view.expect_done(1)
        made = view.of("#made-as", '[data-pp-part="made-as"]')
        expect(made).to_contain_text("Made as: Resize")
        view.unfold()
        expect(page.locator("input[type=radio][name=preset]:checked, [data-pp-part=preset] :checked")).to_have_count(0)
        differs = view.of("#differs", '[data-pp-part="options-summary"]')
        expect(view.of("#differs:visible", '[data-pp-part="options-summary"]:not(:empty)')).to_have_count(0)
        outputs = view.section("outputs")
        outputs.locator("summary").first.click()
        outputs.get_by_label("Format").first.select_option("PNG")
        expect(differs).to_contain_text("Format: PNG")
        expect(outputs.locator(".section-value, [data-pp-part=form-section-value]").first).to_contain_text("changed")
        assert violations(page) == [], "differs"
        with page.expect_response("**/reprocess"):
            page.get_by_role("button", name="Do again as chosen").click()
        assert [step["op"] for step in server.finished(job["id"])["recipe"]["operations"]] == ["resize", "grayscale"]
        assert server.files(job["id"])[0]["outputs"][0]["format"] == "png"
        expect(view.of("#differs:visible", '[data-pp-part="options-summary"]:not(:empty)')).to_have_count(0)
        if view.is_page:
            page.locator("#home").click()
            expect(page.locator("#preset-cutout_white")).to_be_checked()
            expect(made).to_be_empty()


@embedded
def test_origin_that_is_not_allowed_is_told_from_a_server_that_is_away(
    browser: Browser, start_server: Callable[..., Server], site: tuple[Path, str], embedding: Path, name: str
) -> None:
    """And names that mean nothing are said in the console."""
    folder, origin = site
    server = start_server()
    for path in embedding.iterdir():
        (folder / path.name).symlink_to(path)
    with watched(browser, origin, "ERR_FAILED", "CORS", "unknown", "no preset", "4403", api=server.url) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{origin}/?view={name}&endpoint={server.url}&colour=red")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(f"does not allow pages of {origin}.")
        expect(alert).to_contain_text("PHOTO_ALLOWED_ORIGINS")
        assert page.evaluate("() => window.told.at(-1)[1].code") == "origin_not_allowed"
        assert violations(page) == [], "told"
        page.route("**/api/presets", lambda route: route.abort())
        page.route_web_socket("**/ws/job/*", lambda socket: socket.close(code=1001))
        page.get_by_role("button", name="Retry").click()
        expect(alert).to_contain_text("The server does not answer.")
        assert page.evaluate("() => window.told.at(-1)[1].code") == "offline"
        recipe = {"operations": [], "outputs": []}
        only = {"presets": [{"name": "cutout", "title": "Cutout", "description": "", "recipe": recipe}]}
        page.unroute_all()
        page.route("**/api/presets", lambda route: route.fulfill(json=only, headers=ANY))
        page.get_by_role("button", name="Retry").click()
        expect(alert).to_have_count(0)
        page.wait_for_function("() => true")
    assert [text for text in said if "unknown" in text and "colour" in text]
    assert [text for text in said if 'no preset "cutout_white". It has: cutout.' in text]
