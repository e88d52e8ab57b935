"""Other people's pages: what a browser would send from there, and what it may do with what comes back."""

import base64
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e.browser import launched
from tests.hostile.harness import is_refused, unharmed
from tests.hostile.photos import photo
from tests.server import Json, Server, multipart

FOREIGN = ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example", "file://", ""]
CHANGES = [
    ("POST", "/api/jobs"),
    ("POST", "/api/jobs/none/cancel"),
    ("PATCH", "/api/jobs/none"),
    ("DELETE", "/api/jobs/none"),
    ("POST", "/api/cleanup"),
    ("POST", "/api/models/auto/download"),
]


@pytest.fixture(scope="module")
def done(server: Server) -> Json:
    """A finished job of one photo."""
    return server.finished(server.submit(("a.jpg", photo()), remove_bg="false")["id"])


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_foreign_page_changes_nothing(server: Server, method: str, path: str, origin: str) -> None:
    with unharmed(server):
        is_refused(server.request(method, path, headers={"Origin": origin}), 403, "foreign_origin")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_form_on_a_foreign_page_submits_nothing(server: Server, kind: str) -> None:
    """What a form can send without asking first: these three types, and the Origin of its page."""
    before = server.get("/api/jobs").json()["jobs"]
    with unharmed(server):
        headers = {"Origin": "https://evil.example", "Content-Type": kind, "Sec-Fetch-Site": "cross-site"}
        is_refused(server.post("/api/jobs", content=b"a=b", headers=headers), 403, "foreign_origin")
    assert server.get("/api/jobs").json()["jobs"] == before


@pytest.mark.parametrize("name", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", "localhost@x.y"])
def test_name_bound_to_this_address_by_a_stranger_is_refused(server: Server, name: str) -> None:
    with unharmed(server):
        for path in ("/", "/api/jobs", "/health", "/static/index.html"):
            is_refused(server.get(path, headers={"Host": name}), 421, "host_not_allowed")


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_page_gets_no_progress(server: Server, done: Json, origin: str) -> None:
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{done['id']}"
    with unharmed(server), connect(url, additional_headers={"Origin": origin}) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403


def test_own_page_and_programs_get_progress(server: Server, done: Json) -> None:
    url = server.url.replace("http", "ws", 1) + f"/ws/job/{done['id']}"
    for headers in ({"Origin": server.url}, {}):
        with connect(url, additional_headers=headers) as socket:
            assert json.loads(socket.recv())["final"] is True


def test_page_of_an_allowed_origin_may_call(tmp_path: Path, model_folder: Path) -> None:
    server = Server(tmp_path / "data", model_folder, allowed_origins='["https://shop.example"]').start()
    try:
        headers = {"Origin": "https://shop.example"}
        response = server.post("/api/jobs", files=multipart(("a.jpg", photo())), headers=headers)
        assert response.status_code == 202
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        is_refused(server.post("/api/jobs", headers={"Origin": "https://shop.example.evil"}), 403, "foreign_origin")
    finally:
        server.stop()


def test_every_answer_forbids_sniffing_framing_and_foreign_scripts(server: Server, done: Json) -> None:
    (file,) = server.files(done["id"])
    at = f"/api/jobs/{done['id']}"
    for path in (
        "/",
        "/docs",
        "/openapi.json",
        "/health",
        "/static/js/main.js",
        "/nothing",
        at,
        f"{at}/download",
        f"{at}/files/{file['id']}/source",
        f"{at}/files/{file['id']}/result",
        f"{at}/files/{file['id']}/thumbnail",
    ):
        headers = server.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy or "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert server.request("HEAD", "/").headers["x-content-type-options"] == "nosniff"


def test_uploads_are_never_a_page_and_sources_only_saved(server: Server, done: Json) -> None:
    (file,) = server.files(done["id"])
    at = f"/api/jobs/{done['id']}/files/{file['id']}"
    source = server.get(f"{at}/source").headers
    assert source["content-disposition"].startswith("attachment")
    for kind in ("source", "result", "thumbnail"):
        headers = server.get(f"{at}/{kind}").headers
        assert headers["content-type"].startswith("image/")
        assert "svg" not in headers["content-type"]
        assert headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_header_of_the_policy_cannot_be_written_by_the_caller(server: Server) -> None:
    headers = server.get("/", headers={"Host": "localhost:5000;script-src *"}).headers
    assert "script-src" not in headers["content-security-policy"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def foreign_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another web server with an empty page."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "index.html").write_text("<!doctype html><title>Foreign</title>")
    web = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_port}/"
    web.shutdown()
    web.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


TRY = """async ([url, job]) => {
    const form = new FormData();
    form.append('remove_bg', 'false');
    form.append('files', new Blob([Uint8Array.from(atob(PHOTO), (c) => c.charCodeAt(0))]), 'a.jpg');
    const tried = (path, options) => fetch(url + path, options).then((r) => r.type, () => 'blocked');
    const picture = new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve('shown');
        image.onerror = () => resolve('blocked');
        image.src = `${url}/api/jobs/${job[0]}/files/${job[1]}/thumbnail`;
    });
    const socket = new Promise((resolve) => {
        const link = new WebSocket(url.replace('http', 'ws') + `/ws/job/${job[0]}`);
        link.onmessage = () => resolve('heard');
        link.onclose = (event) => resolve(event.code);
    });
    return {
        read: await tried(`/api/jobs/${job[0]}`),
        post: await tried('/api/jobs', {method: 'POST', body: form}),
        blind: await tried('/api/jobs', {method: 'POST', body: form, mode: 'no-cors'}),
        remove: await tried(`/api/jobs/${job[0]}`, {method: 'DELETE'}),
        picture: await picture,
        socket: await socket,
    };
}"""


def test_real_browser_on_a_foreign_page_gets_and_changes_nothing(
    browser: Browser, server: Server, done: Json, foreign_page: str
) -> None:
    before = server.get("/api/jobs").json()["jobs"]
    (file,) = server.files(done["id"])
    page = browser.new_page()
    page.goto(foreign_page)
    script = TRY.replace("PHOTO", json.dumps(base64.b64encode(photo()).decode()))
    assert page.evaluate(script, [server.url, [done["id"], file["id"]]]) == {
        "read": "blocked",
        "post": "blocked",
        "blind": "blocked",
        "remove": "blocked",
        "picture": "blocked",
        "socket": 4403,
    }
    page.close()
    assert server.get("/api/jobs").json()["jobs"] == before
