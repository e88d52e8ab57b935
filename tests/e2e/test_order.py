"""Photos in the order in which they were chosen, and the names that a list gives them."""

import json
import re
import zipfile

from playwright.sync_api import Page, Route, expect

from tests.api.test_jobs import picture
from tests.api.test_names import zipped
from tests.e2e.browser import upload, violations
from tests.e2e.desk import choose
from tests.server import Server

PLAIN = {"operations": [], "outputs": [{"name": "full", "format": "png"}], "naming": "{index:02}-{name}"}


def plain(page: Page, **more: object) -> None:
    """The page, with a recipe that takes no time as its last choice."""
    chosen = json.dumps({"chosen": "cutout", "recipe": {**PLAIN, **more}})
    page.evaluate("(text) => localStorage.setItem('recipe', text)", chosen)
    page.reload()
    expect(page.locator("#preset-cutout")).to_be_checked()


def test_photos_keep_the_order_in_which_they_were_chosen(page: Page, server: Server) -> None:
    """The first is sent last, a ZIP lies in the middle: cards, places and names of results are as they were chosen."""
    plain(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if b'filename="z.jpg"' in (route.request.post_data_buffer or b"") and not held:
            held.append(route)
        else:
            route.continue_()

    page.route(re.compile(r"/files$"), hold)
    archive = {
        "name": "c.zip",
        "mimeType": "application/zip",
        "buffer": zipped(c1_jpg=picture("red"), c2_jpg=picture("blue")),
    }
    others = [upload(f"{name}.jpg", picture(size=(40, at))) for at, name in enumerate("zamk", 30)]
    job = choose(page, *others[:2], archive, *others[2:])
    expect(page.locator(".card")).to_have_count(6)
    expect(page.locator('.card[data-status="completed"]')).to_have_count(5)
    held[0].continue_()
    server.finished(job)
    wanted = ["z.jpg", "a.jpg", "c1.jpg", "c2.jpg", "m.jpg", "k.jpg"]
    assert [file["name"] for file in server.files(job)] == wanted
    expect(page.locator(".card .name")).to_have_text(wanted)
    with page.expect_download() as download:
        page.locator(".card").nth(4).locator(".get").click()
    assert download.value.suggested_filename == "05-m.png"
    other = page.context.new_page()
    other.goto(f"/#/jobs/{job}")
    expect(other.locator(".card .name")).to_have_text(wanted)


LIST = b"file;number;caption\na.jpg;1001;Anna\nnobody.jpg;1002;Berta B\n"


def test_list_of_names_is_seen_reported_and_corrected(page: Page, server: Server) -> None:
    """Numbers and captions stand on the cards; what does not fit is put right by hand, and results are called by it."""
    plain(page, naming="{folder}/{number}")
    names = {"name": "class.csv", "mimeType": "text/csv", "buffer": LIST}
    job = choose(page, upload("a.jpg", picture()), upload("b.jpg", picture("blue")), names)
    server.finished(job)
    expect(page.locator(".card .caption")).to_have_text(["1001 · Anna"])
    page.locator("#job-names").click()
    expect(page.locator("#job-names")).to_have_text("Names (2 to check)")
    dialog = page.locator("#names-dialog")
    expect(dialog).to_contain_text("1002 · Berta B · nobody.jpg")
    assert violations(page) == [], "names"
    dialog.get_by_label("Row of the list: b.jpg").select_option(index=1)
    dialog.get_by_role("button", name="Apply: b.jpg").click()
    expect(dialog.locator("[data-id]")).to_have_count(0)
    dialog.get_by_label("Name files by").select_option("Number and caption")
    page.keyboard.press("Escape")
    expect(page.locator(".card .caption")).to_have_text(["1001 · Anna", "1002 · Berta B"])
    expect(page.locator("#job-names")).to_have_text("Names")
    page.reload()
    expect(page.locator(".card .caption")).to_have_text(["1001 · Anna", "1002 · Berta B"])
    page.locator("#section-outputs").click()
    expect(page.locator("#naming")).to_have_value("Number and caption")
    with page.expect_download() as download:
        page.locator(".card").nth(1).locator(".get").click()
    assert download.value.suggested_filename == "1002 Berta B.png"
    page.locator(".card .thumb").nth(0).click(modifiers=["Control"])
    page.locator("#rename-selected").click()
    dialog.get_by_label("Caption").fill("Anna A")
    dialog.get_by_role("button", name="Apply: a.jpg").click()
    page.keyboard.press("Escape")
    expect(page.locator(".card .caption").first).to_have_text("1001 · Anna A")
    with page.expect_download() as download:
        page.locator("#download-selected").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert "1001 Anna A.png" in archive.namelist()
        assert "1002 Berta B.png" not in archive.namelist()
