"""Keys, scopes, tickets and rates, on a real server."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e.browser import launched
from tests.hostile.harness import is_refused, unharmed
from tests.hostile.photos import photo
from tests.server import ROOT, Json, Server, multipart

Start = Callable[..., Server]


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PHOTO_DATA_DIR": str(data)}
    program = [sys.executable, "-m", "photo_processor.cli", *arguments]
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def key_for(data: Path, scope: str) -> str:
    return command(data, "keys", "create", scope, "--scope", scope).stdout.strip()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class Guarded:
    """A server with a key of each scope, and a finished job."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.keys = {scope: key_for(server.data, scope) for scope in ("read", "submit", "admin")}
        time.sleep(1.1)  # the server looks at its keys once a second
        self.job = self._job()

    def _job(self) -> Json:
        admin = bearer(self.keys["submit"])
        form = {"remove_bg": "false"}
        sent = self.server.post("/api/jobs", files=multipart(("a.jpg", photo())), data=form, headers=admin)
        for _ in range(100):
            job: Json = self.server.get(f"/api/jobs/{sent.json()['id']}", headers=admin).json()
            if job["status"] == "completed":
                break
            time.sleep(0.05)
        return job


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, model_folder: Any) -> Iterator[Guarded]:
    server = Server(tmp_path_factory.mktemp("guarded") / "data", model_folder).start()
    yield Guarded(server)
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


NEEDS = [
    ("GET", "/api/jobs", "read"),
    ("GET", "/api/stats", "read"),
    ("GET", "/metrics", "read"),
    ("POST", "/api/tickets", "read"),
    ("POST", "/api/jobs", "submit"),
    ("PATCH", "/api/jobs/none", "submit"),
    ("DELETE", "/api/jobs/none", "submit"),
    ("POST", "/api/jobs/none/files", "submit"),
    ("POST", "/api/cleanup?dry_run=true", "admin"),
    ("POST", "/api/models/nope/download", "admin"),
]


@pytest.mark.parametrize(("method", "path", "needed"), NEEDS)
def test_each_call_needs_its_scope(guarded: Guarded, method: str, path: str, needed: str) -> None:
    server, order = guarded.server, ["read", "submit", "admin"]
    with unharmed(server):
        response = server.request(method, path)
        is_refused(response, 401, "key_required")
        assert response.headers["www-authenticate"] == "Bearer"
        is_refused(server.request(method, path, headers=bearer("pp_00000000_wrong")), 401, "key_invalid")
        for scope, key in guarded.keys.items():
            for headers in (bearer(key), {"X-Api-Key": key}, {"Cookie": f"photo_key={key}"}):
                response = server.request(method, path, headers=headers)
                if order.index(scope) < order.index(needed):
                    is_refused(response, 403, "scope_missing")
                else:
                    assert response.status_code not in (401, 403)


PATHS = [
    "//api/jobs",
    "/static/../api/jobs",
    "/api/jobs/",
    "/API/jobs",
    "/./api/jobs",
    "/%61pi/jobs",
    "/signin/../api/jobs",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_way_round_by_odd_paths(guarded: Guarded, path: str) -> None:
    with unharmed(guarded.server):
        response = guarded.server.get(path)
        assert response.status_code in (401, 404), response.text
        assert guarded.job["id"] not in response.text


def test_page_and_health_need_no_key_and_tell_nothing(guarded: Guarded) -> None:
    for path in ("/", "/signin", "/static/js/main.js", "/docs", "/openapi.json", "/health"):
        response = guarded.server.get(path)
        assert response.status_code == 200, path
        assert guarded.job["id"] not in response.text


def test_guessed_headers_are_refused_without_an_error_of_the_server(guarded: Guarded) -> None:
    for value in (b"Bearer \xff\xfe", b"Bearer", b"Basic YTpi", b"Bearer " + b"_" * 3000, b"bearer pp__"):
        headers = [(b"Authorization", value)]
        with unharmed(guarded.server):
            assert guarded.server.get("/api/jobs", headers=headers).status_code == 401


def socket_url(server: Server, job: str, query: str = "") -> str:
    return server.url.replace("http", "ws", 1) + f"/ws/job/{job}{query}"


def closed_with(url: str, **headers: str) -> int:
    with connect(url, additional_headers=headers) as socket:
        with contextlib.suppress(ConnectionClosed):
            while True:
                socket.recv()
        return socket.close_code or 0


def test_socket_needs_a_key_or_a_ticket_that_is_good_once(guarded: Guarded) -> None:
    server, job = guarded.server, guarded.job["id"]
    with unharmed(server):
        assert closed_with(socket_url(server, job)) == 4401
        assert closed_with(socket_url(server, job, "?ticket=guess")) == 4401
        assert closed_with(socket_url(server, job), **bearer(guarded.keys["read"])) == 1000
        ticket = server.post("/api/tickets", headers=bearer(guarded.keys["read"])).json()
        assert ticket["seconds"] == 60
        assert closed_with(socket_url(server, job, f"?ticket={ticket['ticket']}")) == 1000
        assert closed_with(socket_url(server, job, f"?ticket={ticket['ticket']}")) == 4401


def test_download_needs_a_key_or_a_ticket_that_is_good_once_and_for_nothing_else(guarded: Guarded) -> None:
    server, path = guarded.server, f"/api/jobs/{guarded.job['id']}"
    with unharmed(server):
        ticket = server.post("/api/tickets", headers=bearer(guarded.keys["submit"])).json()["ticket"]
        is_refused(server.request("DELETE", f"{path}?ticket={ticket}"), 401, "key_required")
        is_refused(server.get(f"{path}/download?ticket=guess"), 401, "key_required")
        archive = server.get(f"{path}/download?ticket={ticket}")
        assert (archive.status_code, archive.headers["content-type"]) == (200, "application/zip")
        is_refused(server.get(f"{path}/download?ticket={ticket}"), 401, "key_required")


def test_keys_are_made_listed_and_revoked_while_the_server_runs(guarded: Guarded) -> None:
    data, server = guarded.server.data, guarded.server
    key = key_for(data, "read")
    time.sleep(1.1)
    assert server.get("/api/jobs", headers=bearer(key)).status_code == 200
    key_id = key.split("_")[1]
    listed = command(data, "keys", "list").stdout
    assert re.search(rf"^{key_id}  read    \d{{4}}-\d\d-\d\d  read$", listed, re.MULTILINE)
    assert key not in listed
    assert command(data, "keys", "revoke", key_id).returncode == 0
    time.sleep(1.1)
    is_refused(server.get("/api/jobs", headers=bearer(key)), 401, "key_invalid")
    unknown = command(data, "keys", "revoke", key_id)
    assert (unknown.returncode, key_id in unknown.stderr) == (1, True)


def test_cleanup_command_reaches_a_server_with_keys(guarded: Guarded) -> None:
    done = command(guarded.server.data, "cleanup", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dry_run"] is True


def test_damaged_keys_let_nobody_in(start_server: Start) -> None:
    server = start_server()
    key_for(server.data, "admin")
    (server.data / "keys.json").write_text("[{]")
    time.sleep(1.1)
    is_refused(server.get("/api/jobs"), 500, "keys_unreadable")


def test_person_signs_in_once_with_the_key(guarded: Guarded) -> None:
    with launched() as browser:
        page = browser.new_page(base_url=guarded.server.url)
        page.goto("/")
        expect(page).to_have_url(re.compile("/signin$"))
        expect(page.get_by_role("alert")).to_be_hidden()
        page.get_by_label("Key").fill("pp_00000000_wrong")
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Key").fill(guarded.keys["submit"])
        page.get_by_role("button").click()
        expect(page.locator("#preset-cutout")).to_be_checked()
        page.goto(f"/#/jobs/{guarded.job['id']}")
        expect(page.locator('.card[data-status="completed"]')).to_have_count(1)
        assert page.evaluate("document.cookie") == ""
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.close()


def test_sign_in_of_a_foreign_form_is_refused(guarded: Guarded) -> None:
    response = guarded.server.post(
        "/api/session", data={"key": guarded.keys["read"]}, headers={"Origin": "https://evil.example"}
    )
    is_refused(response, 403, "foreign_origin")
    assert "set-cookie" not in response.headers


def test_rate_is_limited_by_key_and_by_address(start_server: Start) -> None:
    server = start_server(rate_limit="5/minute")
    for _ in range(5):
        assert server.get("/api/jobs").status_code == 200
    response = server.get("/api/jobs")
    is_refused(response, 429, "rate_exceeded")
    assert 1 <= int(response.headers["retry-after"]) <= 61
    assert server.get("/health").status_code == 200
    office, home = key_for(server.data, "read"), key_for(server.data, "read")
    time.sleep(1.1)
    is_refused(server.get("/api/jobs", headers=bearer("pp_guess_guess")), 429, "rate_exceeded")
    for key in (office, home):
        for _ in range(5):
            assert server.get("/api/jobs", headers=bearer(key)).status_code == 200
        is_refused(server.get("/api/jobs", headers=bearer(key)), 429, "rate_exceeded")


def started(data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PHOTO_DATA_DIR": str(data), "PHOTO_PORT": "0"}
    environment |= {f"PHOTO_{name.upper()}": value for name, value in settings.items()}
    program = [sys.executable, "app.py"]
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "photos.lan"])
def test_other_machines_are_not_let_in_without_a_key(tmp_path: Path, host: str) -> None:
    refused = started(tmp_path / "data", host=host)
    assert refused.returncode == 1
    assert "photo-processor keys create" in refused.stderr
    assert "PHOTO_ALLOW_OPEN=1" in refused.stderr


def test_other_machines_are_let_in_with_a_key_or_on_purpose(start_server: Start, tmp_path: Path) -> None:
    opened = start_server("open", host="0.0.0.0", allow_open="true")
    assert "whoever reaches this address may do everything" in opened.log.read_text()
    assert opened.get("/api/jobs").status_code == 200
    key = key_for(tmp_path / "closed", "read")
    closed = start_server("closed", host="0.0.0.0")
    is_refused(closed.get("/api/jobs"), 401, "key_required")
    assert closed.get("/api/jobs", headers=bearer(key)).status_code == 200
    command(closed.data, "keys", "revoke", key.split("_")[1])
    time.sleep(1.1)
    is_refused(closed.get("/api/jobs"), 401, "key_required")  # the last key's end does not open the door


def test_revoking_the_last_key_locks_and_ends_tickets_and_sockets(start_server: Start) -> None:
    server = start_server()
    job = server.post("/api/jobs?open=true").json()["id"]
    with connect(socket_url(server, job)) as unkeyed:  # let in while nobody was asked
        unkeyed.recv(timeout=10)
        admin, reader = key_for(server.data, "admin"), key_for(server.data, "read")
        unkeyed.close_timeout = 1
        with contextlib.suppress(ConnectionClosed):
            while unkeyed.recv(timeout=20):
                pass
        assert unkeyed.close_code == 4401
    ids = [line.split()[0] for line in command(server.data, "keys", "list").stdout.splitlines()]
    ticket = server.post("/api/tickets", headers=bearer(reader)).json()["ticket"]
    good = server.post("/api/tickets", headers=bearer(reader)).json()["ticket"]
    assert server.get(f"/api/jobs?ticket={good}").status_code == 200
    with connect(socket_url(server, job), additional_headers=bearer(reader)) as socket:
        socket.recv(timeout=10)
        for key_id in ids:
            assert command(server.data, "keys", "revoke", key_id).returncode == 0
        with contextlib.suppress(ConnectionClosed):
            while socket.recv(timeout=20):
                pass
        assert socket.close_code == 4401
    for _ in range(2):
        assert (server.data / "keys.json").read_text() == "[]"
        is_refused(server.get("/api/jobs"), 401, "key_required")
        is_refused(server.get(f"/api/jobs?ticket={ticket}"), 401, "key_required")
        is_refused(server.get("/api/jobs", headers=bearer(admin)), 401, "key_invalid")
        assert server.get("/health").status_code == 200
        server.stop()
        server.start()  # a restart opens nothing
    assert command(server.data, "keys", "disable").returncode == 0
    assert server.get("/api/jobs", headers=bearer(admin)).status_code in (200, 401)  # noticed within a second
    time.sleep(1.1)
    assert server.get("/api/jobs", headers=bearer("pp_whatever")).status_code == 200
