"""The page opened from disk, and a copy of it on another origin."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import watched
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
