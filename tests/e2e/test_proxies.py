"""The proxies of docs/integration.md, run as they stand there: real nginx, real Caddy, on a port and under a path."""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.e2e.browser import launched, upload
from tests.e2e.desk import choose
from tests.hostile.photos import photo
from tests.server import ROOT, Server
from tests.support.programs import needed

BLOCK = re.compile(r"```(nginx|caddy)\n(.*?)```", re.DOTALL)
NGINX = """daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; {user}
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
{server} }}"""
CADDY = "{{\n  admin off\n  auto_https off\n  storage file_system {folder}\n}}\n{site}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def documented() -> dict[str, str]:
    """The four configurations of the docs."""
    found = BLOCK.findall((ROOT / "docs" / "integration.md").read_text(encoding="utf-8"))
    nginx = [text for kind, text in found if kind == "nginx"]
    (caddy,) = (text for kind, text in found if kind == "caddy")
    plain, below = caddy.split("\n\n")
    return {"nginx": nginx[0], "nginx below": nginx[1], "caddy": plain, "caddy below": below}


@dataclass
class Site:
    """A proxy before a server."""

    url: str
    server: Server


@pytest.fixture
def proxied(start_server: Callable[..., Server], tmp_path: Path) -> Iterator[Callable[..., Site]]:
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, edit: Callable[[str], str] = str, **settings: str) -> Site:
        program = needed(name.split()[0])
        base = "/photos" if "below" in name else ""
        if base:
            settings["base_path"] = base
        server, port, folder = start_server(**settings), free_port(), tmp_path / "proxy"
        folder.mkdir()
        text = edit(documented()[name]).replace("127.0.0.1:5000", server.url.removeprefix("http://"))
        if name.startswith("nginx"):
            text = re.sub(r"listen 80;", f"listen 127.0.0.1:{port};", text)
            path = folder / "nginx.conf"
            user = "user root;" if Path("/root").stat().st_uid == Path(folder).stat().st_uid else ""
            path.write_text(NGINX.format(folder=folder, server=text, user=user))
            command = [program, "-p", str(folder), "-c", str(path)]
        else:
            site = re.sub(r"^\S+ \{", f"http://127.0.0.1:{port} {{", text)
            path = folder / "Caddyfile"
            path.write_text(CADDY.format(folder=folder, site=site))
            command = [program, "run", "--config", str(path), "--adapter", "caddyfile"]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        url = f"http://127.0.0.1:{port}{base}"
        deadline = time.monotonic() + 20
        while True:
            try:
                httpx.get(f"{url}/health", timeout=5).raise_for_status()
                return Site(url, server)
            except httpx.HTTPError:
                assert time.monotonic() < deadline
                assert running[-1].poll() is None
                time.sleep(0.05)

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


def origin_of(site: Site) -> str:
    return "/".join(site.url.split("/")[:3])


def uses_the_interface(site: Site) -> None:
    """A photo, its links and its socket, as a page of this origin asks for them."""
    origin = origin_of(site)
    headers = {"Origin": origin}
    sent = httpx.post(
        f"{site.url}/api/jobs", files={"files": ("a.jpg", photo())}, data={"remove_bg": "false"}, headers=headers
    )
    assert sent.status_code == 202, sent.text
    job = sent.json()
    assert sent.headers["location"] == job["links"]["self"]
    assert httpx.get(origin + job["links"]["self"]).json()["id"] == job["id"]
    socket_url = site.url.replace("http", "ws", 1) + f"/ws/job/{job['id']}"
    with connect(socket_url, origin=origin) as live:  # type: ignore[arg-type]
        assert any('"final":true' in str(message) for message in live)
    (file,) = httpx.get(f"{site.url}/api/jobs/{job['id']}/files").json()["files"]
    assert httpx.get(origin + file["outputs"][0]["url"]).headers["content-type"] == "image/png"
    foreign = {"Origin": origin.replace("127.0.0.1", "evil.example")}
    assert httpx.post(f"{site.url}/api/jobs", files={"files": ("a.jpg", photo())}, headers=foreign).status_code == 403


@pytest.mark.parametrize("name", ["nginx", "nginx below", "caddy", "caddy below"])
def test_documented_proxy_works_on_any_port(proxied: Callable[..., Site], name: str) -> None:
    uses_the_interface(proxied(name))


def test_a_proxy_that_takes_the_port_from_host_works_too(proxied: Callable[..., Site]) -> None:
    uses_the_interface(proxied("nginx", lambda text: text.replace("$http_host", "$host")))


def test_a_proxy_that_takes_the_path_away_works_too(proxied: Callable[..., Site]) -> None:
    uses_the_interface(proxied("nginx below", lambda text: text.replace("127.0.0.1:5000;", "127.0.0.1:5000/;")))


@pytest.mark.parametrize("name", ["nginx", "nginx below", "caddy below"])
def test_page_sign_in_and_docs_work_behind_the_proxy(proxied: Callable[..., Site], name: str) -> None:
    site = proxied(name)
    key = subprocess.run(
        [
            ROOT / ".venv/bin/python" if (ROOT / ".venv/bin/python").exists() else "python3",
            "-m",
            "photo_processor.cli",
            "keys",
            "create",
            "a",
        ],
        cwd=ROOT,
        env={"PHOTO_DATA_DIR": str(site.server.data), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    ).stdout.strip()
    time.sleep(1.1)  # the server looks at its keys once a second
    with launched() as browser:
        page = browser.new_page()
        failed: list[str] = []
        page.on("response", lambda answer: failed.append(answer.url) if answer.status in (403, 404) else None)
        page.goto(f"{site.url}/")
        page.get_by_label("Key").fill(key)
        page.get_by_role("button").click()
        choose(page, upload("a.jpg", photo()))
        expect(page.locator('.card[data-status="completed"]')).to_have_count(1)
        assert page.url.startswith(f"{site.url}/#/jobs/")
        page.reload()
        expect(page.locator('.card[data-status="completed"]')).to_have_count(1)
        page.goto(f"{site.url}/docs")
        expect(page.locator(".opblock").first).to_be_visible()
        assert [url for url in failed if "favicon" not in url] == []
