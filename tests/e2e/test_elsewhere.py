"""The page opened from disk, and a copy of it on another origin."""

import json
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from photo_processor.server.keys import KeyRing
from tests.e2e.browser import violations, watched
from tests.e2e.desk import choose, expect_done, opaque_in_the_middle
from tests.server import ROOT, Server

STATIC = ROOT / "static"
ICONS = "Unsafe attempt to load URL file:"  # they are laid into the page instead


def test_page_opened_from_disk_uses_the_server_that_allows_it(
    browser: Browser, start_server: Callable[..., Server], photos: dict[str, Path]
) -> None:
    server = start_server(allowed_origins='["null"]')
    with watched(browser, server.url, ICONS, api=server.url, locale="de-DE") as page:
        page.goto(f"{(STATIC / 'index.html').as_uri()}?endpoint={server.url}")
        expect(page.locator("#preset-cutout")).to_be_checked()
        expect(page.locator("#choose-files")).to_have_text("Dateien wählen")
        assert page.locator("#home use").get_attribute("href") == "#icon-logo"
        page.locator("#language").select_option("en")
        expect(page.locator("#choose-files")).to_have_text("Choose files")
        heard: list[str | bytes] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))
        job = choose(page, photos["astronaut"])
        expect_done(page, 1)
        assert any('"final":true' in str(frame) for frame in heard), "the socket was refused"
        page.locator(".card .thumb").click()
        expect(page.locator('#stage[data-mode="slider"]')).to_be_visible()
        page.locator("#brush-open").click()
        canvas = page.locator(".brush canvas").bounding_box()
        assert canvas is not None
        page.get_by_role("button", name="Wipe out").click()
        page.mouse.move(canvas["x"] + 5, canvas["y"] + canvas["height"] / 2)
        page.mouse.down()
        page.mouse.move(canvas["x"] + canvas["width"] - 5, canvas["y"] + canvas["height"] / 2, steps=12)
        page.mouse.up()
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".brush")).to_have_count(0)
        server.finished(job)
        assert opaque_in_the_middle(server, job) == 0
        page.reload()
        expect(page.locator(".card")).to_have_count(1)


def test_page_opened_from_disk_says_what_to_do_where_it_is_not_allowed(browser: Browser, server: Server) -> None:
    with watched(browser, server.url, ICONS, "CORS", "ERR_FAILED", api=server.url) as page:
        page.goto(f"{(STATIC / 'index.html').as_uri()}?endpoint={server.url}")
        expect(page.get_by_text("PHOTO_ALLOWED_ORIGINS='[\"null\"]'")).to_be_visible()


@pytest.mark.parametrize("lure", ["", "?endpoint=http://127.0.0.1:9"])
def test_copy_of_the_page_on_an_allowed_origin_uses_the_server_that_it_names(
    browser: Browser, start_server: Callable[..., Server], site: tuple[Path, str], photos: dict[str, Path], lure: str
) -> None:
    """What a link to the copy says makes no difference: it might be anybody's."""
    folder, origin = site
    server = start_server(allowed_origins=json.dumps([origin]))
    shutil.copytree(STATIC, folder / "photos")
    html = (folder / "photos" / "index.html").read_text(encoding="utf-8")
    named = html.replace('<html lang="en">', f'<html lang="en" data-endpoint="{server.url}">')
    (folder / "photos" / "index.html").write_text(named, encoding="utf-8")
    heard: list[str | bytes] = []
    with watched(browser, origin, api=server.url) as page:
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))
        page.goto(f"/photos/index.html{lure}")
        choose(page, photos["coffee"])
        expect_done(page, 1)
        assert any('"final":true' in str(frame) for frame in heard), "the socket was refused"


def keyed(server: Server) -> str:
    """A key for the server, which from now on asks for one."""
    return KeyRing(server.data / "keys.json").create("page", "submit")


def test_page_opened_from_disk_asks_for_a_key_and_does_everything_with_it(
    browser: Browser, start_server: Callable[..., Server], photos: dict[str, Path], tmp_path: Path
) -> None:
    server = start_server(allowed_origins='["null"]')
    key = keyed(server)
    time.sleep(1.1)  # a running server notices a key within a second
    address = f"{(STATIC / 'index.html').as_uri()}?endpoint={server.url}"
    with watched(browser, server.url, ICONS, "401", api=server.url, accept_downloads=True) as page:
        page.goto(address)
        dialog = page.locator("#key-dialog")
        expect(dialog).to_contain_text(server.url)
        expect(page.locator("#key")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_visible()
        page.locator("#key").fill("pp_wrong")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("This key is not known there.")
        page.locator("#key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#preset-cutout")).to_be_checked()
        expect(dialog).to_have_count(0)
        refused: list[str] = []
        page.on("response", lambda answer: refused.append(answer.url) if answer.status == 401 else None)
        heard: list[str | bytes] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))
        page.locator("label", has_text="ID photo").click()
        job = choose(page, photos["astronaut"])
        expect_done(page, 1)
        assert any('"final":true' in str(frame) for frame in heard), "the socket was refused"
        expect(page.locator(".thumb img.loaded")).to_be_visible()
        assert page.locator(".thumb img").evaluate("image => image.naturalWidth") > 100
        _downloads_work(page)
        page.locator(".card .thumb").click()
        expect(page.locator("#stage img.after")).to_be_visible()
        page.wait_for_function("() => document.querySelector('#stage img.after').naturalWidth > 100")
        for opened, closed in (("#brush-open", ".brush"), ("#crop-open", ".crop")):
            page.locator(opened).click()
            expect(page.locator(closed)).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator(closed)).to_have_count(0)
        with page.expect_download() as download:
            page.locator("#viewer-actions a[data-output]").first.click()
        assert Path(download.value.path()).stat().st_size > 1000
        page.reload()
        expect(page.locator(".thumb img.loaded")).to_be_visible()
        expect(page.locator("#key-dialog")).to_have_count(0)
        assert refused == []
        assert server.request("GET", f"/api/jobs/{job}").status_code == 401, "the server did ask"


def _downloads_work(page: Page) -> None:
    """The list's link, the ZIP, the history's ZIP and the sheet to print."""
    with page.expect_download() as one:
        page.locator(".card .get").click()
    assert one.value.suggested_filename.startswith("astronaut")
    assert Path(one.value.path()).stat().st_size > 1000
    with page.expect_download() as zipped:
        page.locator("#download-zip").click()
    assert zipfile.ZipFile(zipped.value.path()).testzip() is None
    page.locator("#job-print").click()
    with page.expect_download() as sheet:
        page.locator("#print-pdf").click()
    assert Path(sheet.value.path()).read_bytes().startswith(b"%PDF")
    page.keyboard.press("Escape")


def test_key_that_is_not_to_be_kept_is_asked_for_in_the_next_tab(
    browser: Browser, start_server: Callable[..., Server], site: tuple[Path, str]
) -> None:
    """On another origin as from disk; what one server is told, no other gets."""
    folder, origin = site
    server, other = (start_server(name, allowed_origins=json.dumps([origin])) for name in ("one", "two"))
    key = keyed(server)
    keyed(other)
    time.sleep(1.1)
    shutil.copytree(STATIC, folder / "photos")
    html = (folder / "photos" / "index.html").read_text(encoding="utf-8")
    with watched(browser, origin, "401", api=server.url) as page:

        def named(address: str) -> None:
            text = html.replace('<html lang="en">', f'<html lang="en" data-endpoint="{address}">')
            (folder / "photos" / "index.html").write_text(text, encoding="utf-8")

        named(server.url)
        page.goto("/photos/index.html")
        expect(page.locator("#key-dialog")).to_be_visible()
        assert violations(page) == []
        page.locator("#key-keep").uncheck()
        page.locator("#key").fill(key)
        page.keyboard.press("Enter")
        expect(page.locator("#preset-cutout")).to_be_checked()
        page.reload()
        expect(page.locator("#preset-cutout")).to_be_checked()
        assert page.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('key'))") == []
        following = page.context.new_page()
        following.goto("/photos/index.html")
        expect(following.locator("#key-dialog")).to_be_visible()
    with watched(browser, origin, "401", api=other.url) as page:
        named(server.url)
        page.context.add_init_script(f'localStorage.setItem(\'key {server.url}\', \'{{"key":"x","until":9e15}}\')')
        named(other.url)
        shown: list[str | None] = []
        page.on("request", lambda request: shown.append(request.headers.get("authorization")))
        page.goto("/photos/index.html")
        expect(page.locator("#key-dialog")).to_contain_text(other.url)
        assert set(shown) == {None}
