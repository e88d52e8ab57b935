"""Photos deleted on the page: selected ones, the one that is opened, by another tab, by another program."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import upload, violations, watched
from tests.e2e.desk import OPENED, choose, expect_done
from tests.server import Server

NAMES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
PLAIN = '{"operations": [{"op": "resize", "width": 60}]}'


def four(photos: dict[str, Path]) -> list[dict[str, object]]:
    paths = [*photos.values(), photos["coffee"]]
    return [upload(name, path) for name, path in zip(NAMES, paths, strict=True)]


def names(page: Page) -> list[str]:
    return page.locator(".card .name").all_text_contents()


def pick(page: Page, at: int) -> None:
    """Select a photo, once that can be done: what does it comes with the first photos."""
    expect(page.locator("#selection")).to_be_attached()
    page.locator(".card .thumb").nth(at).click(modifiers=["Control"])


def finished(server: Server, photos: dict[str, Path]) -> str:
    sent = [(name, path.read_bytes()) for name, path in zip(NAMES, [*photos.values(), photos["coffee"]], strict=True)]
    return str(server.finished(server.submit(*sent, recipe=PLAIN)["id"])["id"])


def test_selected_photos_are_deleted_and_come_back_by_undo(page: Page, server: Server, photos: dict[str, Path]) -> None:
    job = choose(page, *four(photos))
    expect_done(page, 4)
    for at in (1, 2):
        pick(page, at)
    expect(page.locator("#delete-selected")).to_be_visible()
    page.keyboard.press("Delete")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".toast")).to_contain_text("Deleted 2 photos.")
    expect(page.locator("#live")).to_have_text("Deleted 2 photos.")
    expect(page.locator("#job-count")).to_have_text("2 of 2")
    expect(page.locator("#selection")).to_be_hidden()
    expect(page.locator(".card .thumb").nth(1)).to_be_focused()
    assert violations(page) == []
    assert len(server.files(job)) == 4, "not before the undo's time is up"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".card")).to_have_count(4)
    assert names(page) == list(NAMES)
    expect(page.locator("#job-count")).to_have_text("4 of 4")
    pick(page, 0)
    with page.expect_response("**/files/delete"):
        page.locator("#delete-selected").click()
    expect(page.locator(".toast")).to_have_count(0)
    assert sorted(file["name"] for file in server.files(job)) == list(NAMES[1:])
    assert names(page) == list(NAMES[1:])


def test_opened_photo_is_deleted_and_the_next_one_shown(page: Page, server: Server, photos: dict[str, Path]) -> None:
    job = finished(server, photos)
    page.goto(f"/#/jobs/{job}")
    page.locator(".card .thumb").nth(2).click()
    expect(page.locator("#viewer-name")).to_have_text("c.jpg")
    page.keyboard.press("Delete")
    expect(page.locator("#viewer-name")).to_have_text("d.jpg")
    expect(page.locator("#viewer-position")).to_have_text("3 of 3")
    page.locator("#photo-delete").click()
    expect(page.locator("#viewer-name")).to_have_text("b.jpg")
    page.keyboard.press("Delete")
    expect(page.locator("#viewer-name")).to_have_text("a.jpg")
    page.keyboard.press("Delete")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator(".card")).to_have_count(0)
    page.get_by_role("button", name="Undo").first.click()
    expect(page.locator(".card")).to_have_count(1)
    page.goto("about:blank")  # who leaves means it
    page.wait_for_timeout(500)
    assert [file["name"] for file in server.files(job)] == ["c.jpg"]


def test_delete_needs_a_selection_or_the_jobs_own_button(page: Page, server: Server, photos: dict[str, Path]) -> None:
    """And the undo comes back to the job, to what was shown of it, and to the photo that had been opened."""
    job = finished(server, photos)
    page.goto(f"/#/jobs/{job}")
    expect(page.locator(".card")).to_have_count(4)
    page.keyboard.press("?")
    expect(page.locator("#keys-list")).to_contain_text("Delete the photo opened, or those selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Delete")
    page.locator(".card .thumb").nth(1).focus()
    page.keyboard.press("Delete")
    expect(page.locator(".toast")).to_have_count(0)
    page.keyboard.press("2")
    page.locator("#job-delete").click()
    expect(page.locator("#empty")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".card:visible")).to_have_count(4)
    expect(page.locator('#filters [data-filter="done"]')).to_have_attribute("aria-pressed", "true")
    assert server.job(job)["status"] == "completed"
    page.locator(".card .thumb").nth(3).click()
    expect(page.locator("#viewer-position")).to_have_text("4 of 4")
    page.keyboard.press("Delete")
    expect(page.locator("#viewer-name")).to_have_text("c.jpg")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#viewer-name")).to_have_text("d.jpg")
    expect(page).to_have_url(OPENED)
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    pick(page, 2)
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".card .thumb").nth(2)).to_be_focused()


def test_other_tab_of_a_finished_job_follows(page: Page, server: Server, photos: dict[str, Path]) -> None:
    job = finished(server, photos)
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(f"/#/jobs/{job}")
        expect(tab.locator(".card")).to_have_count(4)
    other.locator(".card .thumb").nth(1).click()
    expect(other.locator("#viewer-name")).to_have_text("b.jpg")
    pick(page, 1)
    with page.expect_response("**/files/delete"):
        page.locator("#delete-selected").click()
    expect(other.locator(".card")).to_have_count(3)
    expect(other.locator("#viewer-name")).to_have_text("c.jpg")
    expect(other.locator("#job-count")).to_have_text("3 of 3")


def test_deletion_elsewhere_is_seen_by_socket_and_by_polling(
    browser: Browser, server: Server, photos: dict[str, Path]
) -> None:
    for blocked in (False, True):
        job = str(server.post("/api/jobs?open=true", data={"recipe": PLAIN}).json()["id"])
        server.post(f"/api/jobs/{job}/pause").raise_for_status()
        sent = [("files", (name, photos["coffee"].read_bytes())) for name in NAMES]
        ids = [file["id"] for file in server.post(f"/api/jobs/{job}/files", files=sent).json()["files"]]
        with watched(browser, server.url, "WebSocket") as page:
            if blocked:
                page.route_web_socket("**/ws/job/**", lambda socket: socket.close(code=4403))
            page.goto(f"/#/jobs/{job}")
            expect(page.locator(".card")).to_have_count(4)
            server.request("DELETE", f"/api/jobs/{job}/files/{ids[0]}").raise_for_status()
            expect(page.locator(".card")).to_have_count(3)
            assert names(page) == list(NAMES[1:])
            if blocked:
                expect(page.locator('[data-subject="link"]')).to_be_visible()


def test_refused_deletion_brings_the_photos_back(browser: Browser, server: Server, photos: dict[str, Path]) -> None:
    job = finished(server, photos)
    refusal = '{"title": "No", "detail": "This needs a key.", "status": 403, "code": "scope_missing"}'
    with watched(browser, server.url, "403") as page:
        page.goto(f"/#/jobs/{job}")
        page.route("**/files/delete", lambda route: route.fulfill(status=403, body=refusal))
        pick(page, 3)
        page.locator("#delete-selected").click()
        expect(page.locator(".card")).to_have_count(3)
        expect(page.locator(".card")).to_have_count(4)
        expect(page.locator("#notices")).to_contain_text("This needs a key.")
