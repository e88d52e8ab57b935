"""Photos from URLs: a real server that fetches from a real, badly behaved one."""

import gzip
import io
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any, ClassVar

import pytest

from tests.hostile.harness import is_refused, unharmed
from tests.hostile.photos import photo
from tests.server import Server

PHOTO = photo()


class Handler(BaseHTTPRequestHandler):
    """What `path` says, done badly."""

    protocol_version = "HTTP/1.1"
    counts: ClassVar[Counter[str]] = Counter()
    times: ClassVar[defaultdict[str, list[float]]] = defaultdict(list)

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.counts[self.path] += 1
        self.times[self.path].append(time.monotonic())
        name = self.path.split("/")[1].split("?")[0]
        getattr(self, f"do_{name}", self.do_missing)()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def do_photo(self) -> None:
        self.answer(200, PHOTO, **{"Content-Type": "text/html"})

    def do_missing(self) -> None:
        self.answer(404, b"<h1>no</h1>")

    def do_page(self) -> None:
        self.answer(200, b"<!doctype html><script>alert(1)</script>" * 10, **{"Content-Type": "image/jpeg"})

    def do_large(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "99999999999")
        self.end_headers()
        self.wfile.write(PHOTO)
        self.close_connection = True

    def do_endless(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(PHOTO), PHOTO))
            for _ in range(1000):
                self.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")
        except OSError:
            self.close_connection = True

    def do_slow(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            for byte in PHOTO:
                self.wfile.write(bytes([byte]))
                time.sleep(0.2)
        except OSError:
            self.close_connection = True

    def do_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PHOTO)))
        self.end_headers()
        self.wfile.write(PHOTO[:1000])
        self.close_connection = True

    def do_flaky(self) -> None:
        self.answer(*((200, PHOTO) if self.counts[self.path] > 2 else (503, b"")))

    def do_later(self) -> None:
        if self.counts[self.path] > 1:
            self.answer(200, PHOTO)
        else:
            self.answer(429, **{"Retry-After": self.path.split("?", 1)[1]})

    def do_never(self) -> None:
        self.answer(500)

    def do_circle(self) -> None:
        self.answer(302, Location="/circle")

    def do_to(self) -> None:
        self.answer(302, Location=self.path.split("?", 1)[1])

    def do_gzip(self) -> None:
        self.answer(200, gzip.compress(bytes(30_000_000)), **{"Content-Encoding": "gzip"})


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def fetching(tmp_path_factory: pytest.TempPathFactory, model_folder: Any) -> Iterator[Server]:
    server = Server(
        tmp_path_factory.mktemp("fetching") / "data",
        model_folder,
        url_ingest="true",
        url_networks='["127.0.0.0/8"]',
        url_seconds="2",
        url_delay_seconds="0.2",
        max_file_bytes="5000000",
    ).start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory, model_folder: Any) -> Iterator[Server]:
    """A server that fetches URLs, of no local network."""
    server = Server(tmp_path_factory.mktemp("careful") / "data", model_folder, url_ingest="true").start()
    yield server
    assert server.stop() == 0


def fetched(server: Server, *urls: str) -> dict[str, str]:
    """What became of each URL, by the name that it got."""
    response = server.post("/api/jobs", data={"urls": list(urls), "remove_bg": "false"})
    assert response.status_code == 202, response.text
    job = server.finished(response.json()["id"], timeout=60)
    assert job["file_count"] == len(urls)
    files = server.files(job["id"])
    return {file["name"]: file["error"]["code"] if file["error"] else file["status"] for file in files}


def test_urls_are_not_fetched_where_nobody_asked_for_it(server: Server, web: str) -> None:
    Handler.counts.clear()
    with unharmed(server):
        is_refused(server.post("/api/jobs", data={"urls": f"{web}/photo/a.jpg"}), 403, "url_ingest_disabled")
    assert not Handler.counts


def test_photos_are_fetched_and_each_url_fails_alone(fetching: Server, web: str) -> None:
    urls = [
        f"{web}/photo/a.jpg",
        f"{web}/missing/b.jpg",
        f"{web}/page/c.jpg",
        f"{web}/large/d.jpg",
        "file:///etc/e.jpg",
    ]
    with unharmed(fetching, seconds=10):
        assert fetched(fetching, *urls) == {
            "a.jpg": "completed",
            "b.jpg": "url_failed",
            "c.jpg": "unsupported_format",
            "d.jpg": "file_too_large",
            "e.jpg": "url_refused",
        }


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("endless", "file_too_large"),
        ("gzip", "unsupported_format"),
        ("circle", "url_failed"),
        ("to/a.jpg?file:///etc/passwd", "url_refused"),
        ("to/a.jpg?http://169.254.169.254/latest/meta-data/", "url_refused"),
        ("to/a.jpg?http://[::1]:22/", "url_refused"),
        ("to/a.jpg?http://10.0.0.1/", "url_refused"),
        ("to/a.jpg?http://user:pass@127.0.0.1:8000/", "url_refused"),
    ],
)
def test_bad_answer_is_given_up_at_once(fetching: Server, web: str, path: str, code: str) -> None:
    with unharmed(fetching, seconds=5):
        assert set(fetched(fetching, f"{web}/{path}").values()) == {code}


def test_redirect_to_a_photo_is_followed(fetching: Server, web: str) -> None:
    with unharmed(fetching, seconds=5):
        assert fetched(fetching, f"{web}/to/a.jpg?{web}/photo/b.jpg") == {"a.jpg": "completed"}


@pytest.mark.parametrize("path", ["never", "short", "slow"])
def test_passing_fault_is_tried_four_times(fetching: Server, web: str, path: str) -> None:
    Handler.counts.clear()
    with unharmed(fetching, seconds=20):
        assert fetched(fetching, f"{web}/{path}/a.jpg") == {"a.jpg": "url_failed"}
    assert Handler.counts[f"/{path}/a.jpg"] == 4


def test_fault_that_passes_is_survived(fetching: Server, web: str) -> None:
    with unharmed(fetching, seconds=10):
        assert fetched(fetching, f"{web}/flaky/a.jpg") == {"a.jpg": "completed"}


def test_nobody_there_is_url_failed(fetching: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with unharmed(fetching, seconds=10):
        assert fetched(fetching, f"http://127.0.0.1:{port}/a.jpg") == {"a.jpg": "url_failed"}


@pytest.mark.serial
def test_host_is_asked_politely(fetching: Server, web: str) -> None:
    Handler.times.clear()
    fetched(fetching, *(f"{web}/photo/{number}.jpg" for number in range(6)))
    asked = sorted(moment for moments in Handler.times.values() for moment in moments)
    pauses = [after - before for before, after in pairwise(asked)]
    assert len(asked) == 6
    assert min(pauses) >= 0.15


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:5000/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[64:ff9b::7f00:1]/",
    ],
)
def test_local_network_is_never_looked_at(careful: Server, url: str) -> None:
    with unharmed(careful):
        assert set(fetched(careful, url).values()) == {"url_refused"}


def test_restart_goes_on_fetching_and_adds_nothing_twice(start_server: Callable[..., Server], web: str) -> None:
    settings = {"url_ingest": "true", "url_networks": '["127.0.0.0/8"]', "url_delay_seconds": "0.5"}
    server = start_server(**settings)
    urls = [f"{web}/photo/{number}.jpg" for number in range(8)]
    job = server.post("/api/jobs", data={"urls": urls, "remove_bg": "false"}).json()
    while server.job(job["id"])["file_count"] < 3:
        time.sleep(0.05)
    server.kill()
    server.start()
    done = server.finished(job["id"])
    assert (done["file_count"], done["progress"]["succeeded"]) == (8, 8)
    deadline = time.monotonic() + 20
    while list(server.data.glob("jobs/*/urls/list")):  # forgotten once the job is sealed, which its end may overtake
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_job_that_is_deleted_is_not_fetched_for_any_more(fetching: Server, web: str) -> None:
    Handler.counts.clear()
    urls = [f"{web}/photo/{number}.jpg" for number in range(20)]
    job = fetching.post("/api/jobs", data={"urls": urls, "remove_bg": "false"}).json()
    assert fetching.request("DELETE", f"/api/jobs/{job['id']}").status_code == 204
    time.sleep(2)
    assert sum(Handler.counts.values()) < 8
    assert not (fetching.data / "jobs" / job["id"]).exists()


def test_urls_and_files_make_one_job(fetching: Server, web: str) -> None:
    files = [("files", ("own.jpg", io.BytesIO(PHOTO)))]
    data = {"urls": f'["{web}/photo/far.jpg"]', "remove_bg": "false"}
    job = fetching.finished(fetching.post("/api/jobs", files=files, data=data).json()["id"])
    assert {file["name"] for file in fetching.files(job["id"])} == {"own.jpg", "far.jpg"}


@pytest.mark.parametrize("location", ["http://[127.0.0.1]:1/x.jpg", "http://[::1", "//[", "http://127.0.0.1:nan/", ""])
def test_redirect_to_nonsense_fails_its_own_url_alone(fetching: Server, web: str, location: str) -> None:
    urls = [f"{web}/photo/a.jpg", f"{web}/to/b.jpg?{location}", f"{web}/photo/c.jpg"]
    with unharmed(fetching, seconds=10):
        found = fetched(fetching, *urls)
    assert found.pop("b.jpg") in ("url_refused", "url_failed")
    assert found == {"a.jpg": "completed", "c.jpg": "completed"}


def test_key_of_a_client_is_none_of_the_intake_s_own(fetching: Server, web: str) -> None:
    urls = [f"{web}/photo/far.jpg"]
    job = fetching.post("/api/jobs?open=true", data={"urls": urls, "remove_bg": "false"}).json()["id"]
    files, key = [("files", ("own.jpg", io.BytesIO(PHOTO)))], {"Idempotency-Key": "url-0"}
    assert fetching.post(f"/api/jobs/{job}/files", files=files, headers=key).status_code == 202
    deadline = time.monotonic() + 10
    while {file["name"] for file in fetching.files(job)} != {"own.jpg", "far.jpg"}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("text", [b"", b"[]", b'{"urls": 5, "seal": true}', b"\xff\x00"])
def test_damaged_list_of_urls_ends_its_job_and_not_the_start(
    start_server: Callable[..., Server], web: str, text: bytes
) -> None:
    server = start_server(url_ingest="true", url_networks='["127.0.0.0/8"]', url_delay_seconds="2")
    urls = [f"{web}/photo/{number}.jpg" for number in range(30)]
    job = server.post("/api/jobs", data={"urls": urls, "remove_bg": "false"}).json()["id"]
    while server.job(job)["file_count"] < 1:
        time.sleep(0.05)
    server.kill()
    (noted,) = server.data.glob("jobs/*/urls/list")
    noted.write_bytes(text)
    server.start()
    done = server.finished(job, timeout=20)
    assert (done["status"], done["progress"]["failed"]) == ("completed", 1)
    assert 1 <= done["progress"]["succeeded"] < 30
    assert not list(server.data.glob("jobs/*/urls/list"))
    assert server.stop() == 0


def test_urls_of_an_open_job_are_fetched_before_it_is_sealed(fetching: Server, web: str) -> None:
    job = fetching.post("/api/jobs?open=true", data={"remove_bg": "false"}).json()["id"]
    for batch in ("a", "b"):
        urls = [f"{web}/photo/{batch}{number}.jpg" for number in range(3)]
        for _ in range(2):  # a repeated request adds nothing
            sent = fetching.post(
                f"/api/jobs/{job}/files", data={"urls": urls}, headers={"Idempotency-Key": f"urls {batch}"}
            )
            assert sent.status_code == 202, sent.text
    assert fetching.post(f"/api/jobs/{job}/seal").json()["status"] == "receiving"
    done = fetching.finished(job, timeout=60)
    assert (done["status"], done["file_count"]) == ("completed", 6)
    names = sorted(file["name"] for file in fetching.files(job))
    assert names == ["a0.jpg", "a1.jpg", "a2.jpg", "b0.jpg", "b1.jpg", "b2.jpg"]
    assert not list(fetching.data.glob(f"jobs/{job}/urls/*"))


def test_seal_that_waits_for_urls_outlives_the_server(start_server: Callable[..., Server], web: str) -> None:
    server = start_server(url_ingest="true", url_networks='["127.0.0.0/8"]', url_delay_seconds="0.4")
    job = server.post("/api/jobs?open=true", data={"remove_bg": "false"}).json()["id"]
    urls = [f"{web}/photo/{number}.jpg" for number in range(6)]
    assert server.post(f"/api/jobs/{job}/files", data={"urls": urls}).status_code == 202
    assert server.post(f"/api/jobs/{job}/seal").status_code == 200
    for _ in range(2):
        server.kill()
        server.start()
    done = server.finished(job, timeout=60)
    assert (done["status"], done["file_count"]) == ("completed", 6)


def test_urls_for_an_open_job_are_refused_where_none_are_fetched(start_server: Callable[..., Server], web: str) -> None:
    server = start_server()
    job = server.post("/api/jobs?open=true").json()["id"]
    is_refused(server.post(f"/api/jobs/{job}/files", data={"urls": f"{web}/photo/a.jpg"}), 403, "url_ingest_disabled")


def test_a_host_that_says_when_to_come_back_is_asked_then(fetching: Server, web: str) -> None:
    Handler.counts.clear()
    Handler.times.clear()
    assert fetched(fetching, f"{web}/later/a.jpg?2") == {"a.jpg": "completed"}
    first, second = Handler.times["/later/a.jpg?2"]
    assert second - first >= 2
    assert fetched(fetching, f"{web}/later/b.jpg?86400") == {"b.jpg": "url_failed"}
    assert Handler.counts["/later/b.jpg?86400"] == 1
