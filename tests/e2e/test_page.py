"""The page in a real browser, on a real server with the real network and real photos."""

import io
import json
import re
import shlex
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect
from skimage import data

from tests import tiny_network
from tests.e2e.browser import upload, violations, watched
from tests.e2e.desk import (
    JOB,
    NASTY,
    OPENED,
    choose,
    expect_done,
    job_id,
    opaque_in_the_middle,
    saved_zip,
    twelve,
    unseen,
)
from tests.server import Server

# --- the main job ---


def test_sample_photo_becomes_a_cutout(page: Page) -> None:
    page.locator("#try-sample").click()
    expect_done(page, 1)
    expect(page.locator(".card .name")).to_have_text("astronaut.png")
    expect(page.locator("#download-zip")).to_have_attribute("href", re.compile("/download$"))


def test_chosen_photo_shows_its_cutout_on_the_checkerboard(page: Page, photos: dict[str, Path]) -> None:
    choose(page, photos["astronaut"])
    expect_done(page, 1)
    expect(page.locator("#job-count")).to_have_text("1 of 1")
    picture = page.locator(".card .thumb img.loaded")
    expect(picture).to_be_visible()
    background = picture.evaluate("(image) => getComputedStyle(image).backgroundImage")
    assert background.startswith("repeating-conic-gradient")
    thumbnail = Image.open(io.BytesIO(page.request.get(str(picture.get_attribute("src"))).body()))
    assert thumbnail.convert("RGBA").getpixel((2, 2))[3] == 0
    with page.expect_download() as download:
        page.locator(".card .get").click()
    assert download.value.suggested_filename == "astronaut.png"
    with Image.open(download.value.path()) as cutout:
        assert (cutout.mode, cutout.size) == ("RGBA", (512, 512))


def test_opened_photo_is_compared_by_keyboard(page: Page, photos: dict[str, Path]) -> None:
    choose(page, photos["astronaut"], photos["coffee"])
    expect_done(page, 2)
    page.locator(".card .thumb").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(OPENED)
    expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
    slider = page.locator("#stage input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_value("0")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "1 % before")
    expect(page.locator("#stage .before")).to_have_css("clip-path", re.compile("99%"))
    page.keyboard.press(" ")
    expect(slider).to_have_value("100")
    page.keyboard.press("b")
    expect(page.locator("#backdrop-white")).to_be_checked()
    expect(page.locator("#stage")).to_have_attribute("data-backdrop", "white")
    expect(page.locator("#viewer-facts")).to_contain_text("512 × 512 px")
    page.keyboard.press("j")
    expect(page.locator("#viewer-name")).to_have_text("coffee.jpg")
    expect(page.locator("#viewer-position")).to_have_text("2 of 2")
    page.keyboard.press("k")
    expect(page.locator("#viewer-name")).to_have_text("astronaut.jpg")
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page).to_have_url(JOB)
    expect(page.locator(".card .thumb").first).to_be_focused()


def test_twelve_photos_come_back_in_one_zip(page: Page, photos: dict[str, Path], tmp_path: Path) -> None:
    page.locator("#preset-cutout_white").check()
    batch = twelve(photos)
    choose(page, *batch)
    expect(page.locator(".card")).to_have_count(12)
    expect(page.locator('.card[data-status="processing"] .stage-text').first).to_be_visible()
    expect(page.locator("#live")).to_have_text(re.compile(r"percent done"))
    expect_done(page, 12)
    expect(page.locator("#job-count")).to_have_text("12 of 12")
    expect(page.locator("#live")).to_have_text("Finished: 12 done, 0 failed, 0 to look at.")
    with saved_zip(page, tmp_path) as archive:
        names = {str(photo["name"]) for photo in batch}
        assert names < set(archive.namelist())
        corner = Image.open(io.BytesIO(archive.read("coffee-0.jpg"))).getpixel((2, 2))
        assert min(corner) >= 250


def test_zip_keeps_its_folders(page: Page, photos: dict[str, Path], tmp_path: Path) -> None:
    packed = tmp_path / "class.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(photos["astronaut"], "4b/anna.jpg")
        archive.write(photos["chelsea"], "pets/cat.jpg")
    choose(page, packed)
    expect_done(page, 2)
    expect(page.locator(".card .name")).to_have_text(["4b/anna.jpg", "pets/cat.jpg"])
    with saved_zip(page, tmp_path) as archive:
        assert {"4b/anna.png", "pets/cat.png", "manifest.json"} == set(archive.namelist())


def test_folder_keeps_its_names_and_leaves_out_what_is_no_photo(
    page: Page, photos: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "shoot"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "cat.jpg").write_bytes(photos["chelsea"].read_bytes())
    (folder / "deep" / "er" / "cup.jpg").write_bytes(photos["coffee"].read_bytes())
    (folder / "notes.txt").write_text("no photo")
    (folder / ".DS_Store").write_bytes(b"\0")
    choose(page, folder, button="#choose-folder")
    expect_done(page, 2)
    expect(page.locator(".card .name")).to_have_text(["shoot/cat.jpg", "shoot/deep/er/cup.jpg"])
    expect(page.locator('#notices [data-subject="intake"]')).to_contain_text("1 file is no photo and was left out.")
    expect(page.locator("#job-name")).to_have_text("shoot")


def test_drop_anywhere_is_taken(page: Page, photos: dict[str, Path]) -> None:
    data = list(photos["coffee"].read_bytes())
    transfer = page.evaluate_handle(
        """(data) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(data)], 'dropped.jpg', { type: 'image/jpeg' }));
          return transfer;
        }""",
        data,
    )
    page.dispatch_event(".brand", "dragover", {"dataTransfer": transfer})
    expect(page.locator("#drag-over")).to_be_visible()
    page.dispatch_event(".brand", "drop", {"dataTransfer": transfer})
    expect(page.locator("#drag-over")).to_be_hidden()
    expect_done(page, 1)
    expect(page.locator(".card .name")).to_have_text("dropped.jpg")


# --- what goes wrong ---


def test_bad_files_fail_alone_with_a_reason_and_retry(page: Page, photos: dict[str, Path], tmp_path: Path) -> None:
    whole = photos["chelsea"].read_bytes()
    job = choose(
        page,
        upload("coffee.jpg", photos["coffee"]),
        upload("cut.jpg", whole[: len(whole) // 2]),
        upload("empty.jpg", b""),
        upload("letter.jpg", b"Dear all, this is a letter.\n" * 20),
        upload("whole.jpg", whole),
    )
    expect(page.locator('.card[data-status="completed"]')).to_have_count(2)
    failed = page.locator('.card[data-group="failed"]')
    expect(failed).to_have_count(3)
    expect(page.locator("#job-stage")).to_have_text("Done")
    expect(page.locator("#job-count")).to_have_text("5 of 5 · 3 failed")
    for card in failed.all():
        expect(card.locator(".stage-text")).to_have_text("Failed")
        reason = card.locator(".why").inner_text()
        assert len(reason.split(". ")) >= 2, reason
        assert not re.search(r"_|Traceback|Error\b|0x", reason), reason

    cut = page.locator(".card", has_text="cut.jpg")
    page.locator('#filters [data-filter="failed"]').click()
    expect(page.locator(".card:visible")).to_have_count(3)
    expect(cut.locator(".retry")).to_have_accessible_name("Retry cut.jpg")
    with page.expect_response(lambda response: response.request.method == "POST") as answer:
        cut.locator(".retry").click()
    assert re.search(rf"/api/jobs/{job}/retry\?file=", answer.value.url)
    assert answer.value.status == 200
    expect(page.locator("#job-stage")).to_have_text("Done")
    expect(cut.locator(".stage-text")).to_have_text("Failed")
    page.locator('#filters [data-filter="done"]').click()
    expect(page.locator(".card:visible")).to_have_count(2)
    with saved_zip(page, tmp_path) as archive:
        assert {"coffee.png", "whole.png", "errors.csv", "manifest.json"} == set(archive.namelist())


def test_opened_photo_is_looked_at_closer_and_moved(page: Page, photos: dict[str, Path]) -> None:
    choose(page, photos["coffee"])
    expect_done(page, 1)
    page.locator(".card .thumb").click()
    expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
    before = box_of_frame(page)
    x, y = before["x"] + 100, before["y"] + 100
    page.mouse.move(x, y)
    page.mouse.wheel(0, -600)
    expect(page.locator("#stage")).to_have_attribute("data-zoomed", "")
    closer = box_of_frame(page)
    assert closer["width"] > 3 * before["width"]
    fixed = (x - closer["x"]) / closer["width"]
    assert abs(fixed - 100 / before["width"]) < 0.02, "what was under the pointer is there still"
    page.mouse.down()
    page.mouse.move(x - 40, y, steps=4)
    page.mouse.up()
    assert abs(box_of_frame(page)["x"] - closer["x"] + 40) < 2
    page.keyboard.press("0")
    expect(page.locator("#stage")).not_to_have_attribute("data-zoomed", "")
    assert box_of_frame(page) == before


def box_of_frame(page: Page) -> dict[str, float]:
    """Where the opened picture is in the window, once it has come to rest: input is taken in with the next frames."""
    script = """async () => {
      const box = () => JSON.stringify(document.querySelector('.frame').getBoundingClientRect());
      for (let last = '', still = 0; still < 5; last = box()) {
        await new Promise(requestAnimationFrame);
        still = box() === last ? still + 1 : 0;
      }
      return JSON.parse(box());
    }"""
    return dict(page.evaluate(script))


def test_own_preset_is_kept_in_this_browser_until_it_is_deleted(page: Page) -> None:
    page.locator("#section-crop_face").click()
    page.locator("#use-crop_face").check()
    page.locator("#keep-preset").click()
    page.locator("#preset-name").fill("Staff <b>cards</b>")
    page.keyboard.press("Enter")
    own = page.locator(".preset", has_text="Staff <b>cards</b>")
    expect(own.locator("input")).to_be_checked()
    page.locator("label", has_text="Web sizes").click()
    page.reload()
    own.click()
    expect(page.locator("#section-crop_face .section-value")).not_to_have_text("Off")
    own.get_by_role("button").click()
    expect(own).to_have_count(0)
    expect(page.locator("#preset-cutout")).to_be_checked()


def test_own_preset_becomes_everyone_s_and_is_changed_and_deleted(page: Page, server: Server) -> None:
    page.locator("#section-resize").click()
    page.locator("#use-resize").check()
    page.locator("#keep-preset").click()
    page.locator("#preset-name").fill("Café, small")
    page.keyboard.press("Enter")
    page.locator("#elsewhere").click()
    page.get_by_role("button", name="Keep for everyone here").click()
    expect(page.locator("#preset-cafe-small")).to_be_checked()
    expect(page.locator(".preset", has_text="Café, small")).to_have_count(1)
    kept = server.get("/api/presets/cafe-small").json()
    assert (kept["title"], kept["recipe"]["operations"][-1]["op"]) == ("Café, small", "resize")
    page.reload()
    page.locator("#preset-cafe-small").check()
    page.locator("#section-resize").click()
    page.locator("#use-resize").uncheck()
    page.locator("#elsewhere").click()
    page.get_by_role("button", name="Keep for everyone here").click()
    expect(page.locator(".reset").first).to_be_hidden()
    assert "resize" not in {step["op"] for step in server.get("/api/presets/cafe-small").json()["recipe"]["operations"]}
    page.locator(".preset", has_text="Café, small").get_by_role("button").click()
    expect(page.locator("#preset-cafe-small")).to_have_count(0)
    assert server.get("/api/presets/cafe-small").status_code == 404


def test_recipe_is_copied_saved_and_opened_again(page: Page, server: Server, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("label", has_text="Web sizes").click()
    page.locator("#elsewhere").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied.")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    words = shlex.split(command)
    assert words[:3] == ["curl", "-F", "files=@photo.jpg"]
    assert words[-1] == f"{server.url}/api/jobs"
    recipe = json.loads(words[4].removeprefix("recipe="))
    Image.fromarray(data.astronaut()[:40, :40]).save(tmp_path / "photo.jpg")
    answer = subprocess.run(["curl", "-sS", *words[1:]], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(answer.stdout)["recipe"]["outputs"][0]["name"] == recipe["outputs"][0]["name"]

    with page.expect_download() as saving:
        page.get_by_role("button", name="Save as a file").click()
    saved = tmp_path / saving.value.suggested_filename
    saving.value.save_as(saved)
    assert json.loads(saved.read_text())["recipe"] == recipe
    saved.write_text(saved.read_text().replace('"Web sizes"', '"For the shop"'))
    page.locator("#recipe-file").set_input_files(saved)
    expect(page.locator(".preset", has_text="For the shop").locator("input")).to_be_checked()
    page.locator("#elsewhere").click()
    (tmp_path / "other.json").write_text('{"operations": [{"op": "teleport"}]}')
    page.locator("#recipe-file").set_input_files(tmp_path / "other.json")
    expect(page.locator("#notices")).to_contain_text("no recipe that this server knows")


def test_portraits_are_printed(page: Page, server: Server, photos: dict[str, Path]) -> None:
    print_button = page.locator("#job-print")
    page.locator("label", has_text="Web sizes").click()
    choose(page, photos["astronaut"])
    expect_done(page, 1)
    expect(print_button).to_be_hidden()
    page.goto(server.url)
    page.locator("#preset-id_photo").check()
    choose(page, photos["astronaut"])
    expect_done(page, 1)
    print_button.click()
    page.locator("#print-paper").select_option("a4")
    page.locator("#print-copies").fill("4")
    assert violations(page) == []
    with page.expect_download() as saving:
        page.locator("#print-pdf").click()
    document = pypdfium2.PdfDocument(saving.value.path())
    assert len(document) == 1
    assert sorted(round(side * 25.4 / 72) for side in document[0].get_size()) == [210, 297]


def test_finished_job_is_done_again_with_other_options(page: Page, server: Server, photos: dict[str, Path]) -> None:
    job = choose(page, photos["chelsea"])
    expect_done(page, 1)
    expect(page.locator("#job-redo")).to_be_visible()
    page.locator("label", has_text="Cutout on white").click()
    with page.expect_response("**/reprocess"):  # until then the job is finished as it was
        page.locator("#job-redo").click()
    server.finished(job)
    expect(page.locator('.card[data-status="completed"]')).to_have_count(1)
    (file,) = server.files(job)
    assert server.job(job)["recipe"]["operations"][0]["background"] == "#ffffff"
    assert file["outputs"][0]["format"] == "jpeg"
    assert "network_s" not in file["timings"], "the matte was kept"


def test_cutout_is_corrected_by_hand_and_put_back(page: Page, server: Server, photos: dict[str, Path]) -> None:
    job = choose(page, photos["astronaut"])
    expect_done(page, 1)
    page.locator(".card .thumb").click()
    page.locator("#brush-open").click()
    canvas = page.locator(".brush canvas")
    expect(canvas).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Wipe out")).to_be_focused()
    page.keyboard.press("Escape")
    expect(canvas).to_have_count(0)
    page.locator("#brush-open").click()
    expect(canvas).to_be_visible()
    place = canvas.bounding_box()
    assert place is not None
    middle = place["y"] + place["height"] / 2
    page.get_by_role("button", name="Wipe out").click()
    for name in ("Undo", "Save"):
        page.mouse.move(place["x"] + 5, middle)
        page.mouse.down()
        page.mouse.move(place["x"] + place["width"] - 5, middle, steps=12)
        page.mouse.up()
        expect(page.get_by_role("button", name=name)).to_be_enabled()
        page.get_by_role("button", name=name).click()
    expect(canvas).to_have_count(0)
    expect(page.get_by_text("Back to the automatic cutout")).to_be_visible()
    assert opaque_in_the_middle(server, job) == 0
    page.get_by_text("Back to the automatic cutout").click()
    expect(page.get_by_text("Back to the automatic cutout")).to_have_count(0)
    server.finished(job)
    assert opaque_in_the_middle(server, job) > 100


def test_nothing_but_bad_files_says_failed_and_offers_no_zip(page: Page) -> None:
    choose(page, upload("letter.jpg", b"This is no picture. " * 9))
    expect(page.locator("#job-stage")).to_have_text("Failed")
    expect(page.locator("#job-retry")).to_be_hidden()
    expect(page.locator(".card .retry")).to_be_hidden()
    expect(page.locator("#download-zip")).not_to_have_attribute("href", re.compile("."))


def test_file_name_with_markup_is_text_everywhere(page: Page, photos: dict[str, Path]) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    choose(page, upload(NASTY, photos["coffee"]))
    expect_done(page, 1)
    expect(page.locator(".card .name")).to_have_text(NASTY)
    expect(page.locator("#job-name")).to_have_text(NASTY)
    page.locator(".card .thumb").click()
    expect(page.locator("#viewer-name")).to_have_text(NASTY)
    page.keyboard.press("Escape")
    page.locator("#open-jobs").click()
    expect(page.locator("#jobs-list .row-name").first).to_have_text(NASTY)
    page.locator("#jobs-list").get_by_role("button", name=f"Delete {NASTY}").first.click()
    expect(page.locator(".toast")).to_contain_text(NASTY)
    page.locator(".toast button").click()
    assert page.locator("img[onerror], img[src='x']").count() == 0


def test_server_that_goes_away_is_told_and_found_again(
    browser: Browser, server: Server, photos: dict[str, Path]
) -> None:
    with watched(browser, server.url, "ERR_") as page:
        page.goto("/")
        page.route("**/api/jobs?open=true", lambda route: route.abort("connectionrefused"))
        with page.expect_file_chooser() as chooser:
            page.locator("#choose-files").click()
        chooser.value.set_files(photos["coffee"])
        notice = page.locator('#notices [data-subject="link"]')
        expect(notice).to_contain_text("The server does not answer.")
        expect(notice.locator("use").first).to_have_attribute("href", "#icon-look")  # it is in the page
        page.unroute("**/api/jobs?open=true")
        expect_done(page, 1)
        expect(page.locator('#notices [data-subject="link"]')).to_have_count(0)


def test_blocked_socket_falls_back_to_asking(browser: Browser, server: Server, photos: dict[str, Path]) -> None:
    with watched(browser, server.url, "WebSocket") as page:
        page.route_web_socket("**/ws/job/**", lambda socket: socket.close(code=4403))
        page.goto("/")
        choose(page, *twelve(photos))
        expect(page.locator('#notices [data-subject="link"]')).to_contain_text("Live updates are blocked here")
        expect_done(page, 12)


# --- coming back, stopping, deleting ---


def test_reload_in_the_middle_returns_to_the_job(page: Page, photos: dict[str, Path]) -> None:
    job = choose(page, *twelve(photos))
    expect(page.locator('.card[data-status="completed"]').first).to_be_visible()
    expect(page.locator('.card[data-status="uploading"]')).to_have_count(0)
    expect(page.locator("#job-stage")).to_have_text("Working")
    page.reload()
    expect(page.locator(".card")).to_have_count(12)
    assert job_id(page) == job
    assert page.locator('.card[data-status="completed"]').count() < 12, "it had finished before the reload"
    expect_done(page, 12)


def test_earlier_jobs_are_listed_after_a_reload(page: Page, photos: dict[str, Path]) -> None:
    first = choose(page, upload("first.jpg", photos["coffee"]))
    expect_done(page, 1)
    choose(page, upload("second.jpg", photos["chelsea"]), button="#job-new")
    expect(page.locator(".card .name")).to_have_text(["second.jpg"])
    expect_done(page, 1)
    second = job_id(page)
    page.goto("/")
    page.reload()
    page.locator("#open-jobs").click()
    rows = page.locator("#jobs-list [data-job]")
    assert [rows.nth(0).get_attribute("data-job"), rows.nth(1).get_attribute("data-job")] == [second, first]
    expect(rows.nth(1)).to_contain_text("Done · 1 of 1")
    rows.nth(1).locator("a.row-text").click()
    expect(page.locator("#job-name")).to_have_text("first.jpg")
    page.go_back()
    expect(page.locator("#main")).to_have_attribute("data-view", "empty")


def test_leaving_asks_only_while_photos_are_being_sent(page: Page, photos: dict[str, Path]) -> None:
    held: list[Route] = []
    page.route("**/api/jobs/*/files", lambda route: held.append(route))
    choose(page, photos["coffee"])
    expect(page.locator(".card .stage-text")).to_contain_text("Sending")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("() => { setTimeout(() => location.assign('/docs')) }")
    page.wait_for_event("dialog")
    assert asked == ["beforeunload"]
    held[0].continue_()
    expect_done(page, 1)
    page.goto("/")
    expect(page.locator("#empty")).to_be_visible()


def test_cancel_stops_the_rest_and_keeps_what_is_done(
    page: Page, server: Server, photos: dict[str, Path], tmp_path: Path
) -> None:
    job = choose(page, *twelve(photos))
    expect(page.locator('.card[data-status="completed"]').first).to_be_visible()
    page.locator("#job-cancel").click()
    expect(page.locator("#job-stage")).to_have_text("Cancelled")
    expect(page.locator("#live")).to_have_text("The job was cancelled.")
    expect(page.locator('.card[data-status="processing"], .card[data-status="queued"]')).to_have_count(0)
    done = page.locator('.card[data-status="completed"]').count()
    assert 1 <= done < 12
    assert server.job(job)["status"] == "cancelled"
    with saved_zip(page, tmp_path) as archive:
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == done


def test_pause_holds_the_job_and_resume_goes_on(page: Page, photos: dict[str, Path]) -> None:
    choose(page, *twelve(photos)[:4])
    expect(page.locator("#job-stage")).to_have_text("Working")
    page.keyboard.press("p")
    expect(page.locator("#job-stage")).to_have_text("Paused")
    expect(page.locator("#job-pause")).to_have_text("Resume")
    page.locator("#job-pause").click()
    expect_done(page, 4)


def test_deleted_job_comes_back_by_undo_and_is_gone_without(
    page: Page, server: Server, photos: dict[str, Path]
) -> None:
    job = choose(page, upload("unwanted.jpg", photos["coffee"]))
    expect_done(page, 1)
    page.clock.install()
    page.locator("#job-delete").click()
    expect(page.locator("#empty")).to_be_visible()
    page.locator(".toast button").click()
    page.clock.run_for(11_000)
    page.locator("#open-jobs").click()
    row = page.locator(f'#jobs-list [data-job="{job}"]')
    expect(row).to_be_visible()
    assert server.job(job)["status"] == "completed"
    row.get_by_role("button", name="Delete unwanted.jpg").click()
    expect(row).to_have_count(0)
    with page.expect_response(lambda response: response.request.method == "DELETE") as answer:
        page.clock.run_for(11_000)
    assert answer.value.status == 204
    expect(page.locator(".toast")).to_have_count(0)
    assert server.get(f"/api/jobs/{job}").status_code == 404


# --- models ---


def test_first_photo_shows_the_download_that_it_waits_for(
    browser: Browser,
    start_server: Callable[..., Server],
    empty_models: Path,
    photos: dict[str, Path],
    has_network: bool,
) -> None:
    if not has_network:
        pytest.fail("the network could not be fetched from any source; see the warning above")
    server = start_server(models=empty_models, prefetch_model="true")
    with watched(browser, server.url) as page:
        page.goto("/")
        notice = page.locator('#notices [data-subject="model"]')
        expect(notice).to_contain_text("Downloading the model")
        choose(page, photos["astronaut"])
        expect(page.locator(".card .stage-text")).to_contain_text("Downloading the model")
        expect(notice.locator("progress")).to_have_attribute("value", re.compile(r"\d"))
        page.locator("#open-models").click()
        expect(page.locator('#models-list [data-model="isnet-general-use"]')).to_have_attribute(
            "data-state", "installed"
        )
        page.keyboard.press("Escape")
        expect_done(page, 1)
        expect(page.locator(".card")).to_have_attribute("data-group", "done")
        expect(notice).to_have_count(0)


def test_fallback_engine_is_told_before_and_after(
    browser: Browser, start_server: Callable[..., Server], empty_models: Path, photos: dict[str, Path]
) -> None:
    server = start_server(models=empty_models, offline="true")
    with watched(browser, server.url) as page:
        page.goto("/")
        notice = page.locator('#notices [data-subject="model"]')
        expect(notice).to_contain_text("A simpler engine is in use")
        choose(page, photos["astronaut"])
        expect(page.locator('.card[data-status="completed"]')).to_have_count(1)
        expect(page.locator(".card .stage-text")).to_have_text("Look at this")
        expect(page.locator(".card .why")).not_to_be_empty()
        expect(page.locator("#job-count")).to_have_text("1 of 1 · 1 to look at")
        notice.get_by_role("button", name="Models").click()
        expect(page.locator('#models-list [data-model="isnet-general-use"]')).to_be_visible()
        assert violations(page) == []


# --- how it is made ---


def test_axe_finds_nothing_in_any_state(page: Page, photos: dict[str, Path]) -> None:
    assert violations(page) == [], "empty"
    choose(page, *twelve(photos)[:4], upload("letter.jpg", b"This is no picture. " * 9))
    expect(page.locator('.card[data-status="processing"]').first).to_be_visible()
    assert violations(page) == [], "processing"
    expect(page.locator('.card[data-status="completed"]')).to_have_count(4)
    expect(page.locator("#job-stage")).to_have_text("Done")
    assert violations(page) == [], "done"
    page.locator('#filters [data-filter="failed"]').click()
    assert violations(page) == [], "failed"
    page.locator('#filters [data-filter="all"]').click()
    for section in page.locator("#steps summary").all():
        section.click()
    assert violations(page) == [], "options"
    page.locator(".card .thumb").first.click()
    expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
    expect(page.locator("#viewer-facts")).to_contain_text("Result")
    assert violations(page) == [], "viewer"
    page.keyboard.press("Escape")
    for button in ("#open-jobs", "#open-keys"):
        page.locator(button).click()
        assert violations(page) == [], button
        page.keyboard.press("Escape")


def test_phone_is_as_good(browser: Browser, server: Server, photos: dict[str, Path]) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with watched(browser, server.url, **phone) as page:
        page.goto("/")
        expect(page.locator("#take-photo")).to_be_visible()
        assert violations(page) == [], "empty"
        choose(page, photos["coffee"], photos["chelsea"])
        expect_done(page, 2)
        assert violations(page) == [], "done"
        page.locator("#menu-button").tap()
        page.locator("#open-jobs").tap()
        expect(page.locator("#jobs-list [data-job]").first).to_be_visible()
        page.locator("#jobs-dialog [data-close]").tap()
        page.locator(".card .pick").first.tap()
        expect(page.locator("#selection")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert violations(page) == [], "selection"
        page.locator("#selection .icon-button").tap()
        page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        last, button = (page.locator(place).bounding_box() for place in (".card >> nth=-1", "#download-zip"))
        assert last is not None
        assert button is not None
        assert last["y"] + last["height"] <= button["y"], "the button covers the last photo"
        page.locator(".card .thumb").first.tap()
        expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
        assert violations(page) == [], "viewer"
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_focus_starts_at_the_skip_link_and_reaches_the_photos(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()


def test_page_speaks_the_browser_s_language_or_the_chosen_one(browser: Browser, server: Server) -> None:
    with watched(browser, server.url, locale="de-DE") as page:
        page.goto("/")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator("#try-sample")).to_have_text("Beispielfoto probieren")
        expect(page.locator(".preset", has_text="Freisteller auf Weiß")).to_be_visible()
        assert violations(page) == [], "German"
        choose(page, upload("brief.jpg", b"This is no picture. " * 9))
        expect(page.locator(".card .why")).to_contain_text("kein Foto")
        page.locator("#language").select_option("es")
        expect(page.locator("html")).to_have_attribute("lang", "es")
        page.goto("/#/")
        page.reload()
        expect(page.locator("#try-sample")).to_have_text("Probar con una foto de muestra")


def test_theme_is_kept(page: Page) -> None:
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_page_is_small(page: Page, server: Server) -> None:
    """Each file by itself, compressed as it is sent; what is fetched later is not in a first visit."""
    fetched = page.evaluate("performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)")
    scripts = {path for path in fetched if path.endswith(".js")}
    styles = {path for path in fetched if path.endswith(".css")}
    assert {"/static/js/main.js", "/static/js/core/store.js"} <= scripts
    assert "/static/js/brush.js" not in scripts
    assert sent(server, scripts) <= 35 * 1024
    assert sent(server, styles) <= 10_000


def sent(server: Server, paths: set[str]) -> int:
    """Bytes of the compressed bodies."""
    with httpx.Client(base_url=server.url, headers={"Accept-Encoding": "gzip"}) as client:
        answers = [client.get(path) for path in paths]
        assert all(answer.headers.get("Content-Encoding") == "gzip" or len(answer.content) < 500 for answer in answers)
        return sum(int(answer.headers["Content-Length"]) for answer in answers)


def test_restored_queue_is_told(browser: Browser, start_server: Callable[..., Server], photos: dict[str, Path]) -> None:
    server = start_server()
    while not list((server.data / "backups").glob("*.db")):
        time.sleep(0.05)
    server.stop()
    (server.data / "queue.db").write_bytes(b"not a database")
    server.start()
    with watched(browser, server.url) as page:
        page.goto("/")
        expect(page.locator('#notices [data-subject="server"]')).to_contain_text("backup")


def test_model_is_optimised_at_the_press_of_a_button(
    browser: Browser, start_server: Callable[..., Server], empty_models: Path
) -> None:
    tiny_network.save_convolutional(empty_models / "u2netp.onnx")
    server = start_server(models=empty_models, optimize="auto", offline="true")
    with watched(browser, server.url) as page:
        page.goto("/")
        page.locator("#open-models").click()
        row = page.locator('#models-list [data-model="u2netp"]')
        row.get_by_role("button", name="Optimise for this machine").click()
        expect(row).to_contain_text("Optimising,")
        expect(row).to_contain_text("times as fast", timeout=240_000)
        expect(row.get_by_role("button")).to_have_count(0)


NOTIFIED = """() => {
  window.notified = [];
  window.Notification = class {
    static permission = 'default';
    static requestPermission = async () => (Notification.permission = 'granted');
    constructor(title, { body }) { window.notified.push([title, body]); }
  };
}"""


def test_end_is_told_to_whoever_looks_elsewhere_and_similar_photos_are_found(
    browser: Browser, server: Server, photos: dict[str, Path]
) -> None:
    """And at 200 % nothing lies over the first photo."""
    with watched(browser, server.url, viewport={"width": 640, "height": 400}) as page:
        page.add_init_script(f"({NOTIFIED})()")
        page.goto("/")
        again = Image.open(photos["coffee"]).resize((300, 200))
        smaller = io.BytesIO()
        again.save(smaller, "JPEG")
        page.locator("#input-files").set_input_files(
            [  # type: ignore[arg-type]
                upload("cup.jpg", unseen(photos["coffee"])),
                upload("small.jpg", smaller.getvalue()),
                upload("cat.jpg", unseen(photos["chelsea"])),
            ]
        )
        notify = page.locator("#job-notify")
        notify.click()
        expect(notify).to_have_attribute("aria-pressed", "true")
        page.evaluate("() => Object.defineProperty(document, 'hidden', { get: () => true })")
        page.wait_for_function("() => window.notified.length")
        assert page.evaluate("() => window.notified.length") == 1
        assert "Finished: 3 done" in page.evaluate("() => window.notified[0][1]")
        first = page.locator(".card .thumb").first
        first.scroll_into_view_if_needed()
        box = first.bounding_box()
        assert box is not None
        covers = "([x, y]) => document.elementFromPoint(x, y).closest('.thumb') !== null"
        for y in (box["y"] + 4, box["y"] + min(box["height"], 390 - box["y"]) - 4):
            assert page.evaluate(covers, [box["x"] + box["width"] / 2, max(y, 2)])
        page.locator(".card", has_text="cup.jpg").locator(".thumb").click()
        page.locator("#viewer-alike summary").click()
        expect(page.locator(".alike button")).to_have_count(1)
        page.locator(".alike button").click()
        expect(page.locator("#viewer-name")).to_have_text("small.jpg")
