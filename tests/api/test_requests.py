"""What clients of other makers send: HEAD, ranges, fields of uploading libraries, parameters that do not exist."""

import contextlib
import io
import re
import socket
import zipfile
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.hostile.photos import photo
from tests.server import Json, Server

RESIZE = '{"operations": [{"op": "resize", "width": 20}], "outputs": [{"name": "full", "format": "png"}]}'


@pytest.fixture(scope="module")
def job(server: Server) -> Json:
    sent = server.submit(("a.jpg", photo()), recipe=RESIZE)
    return server.finished(sent["id"])


def addresses(server: Server, job: Json) -> list[str]:
    """Every address of the API that answers GET, filled in."""
    file = server.files(job["id"])[0]
    paths = []
    for path, operations in server.get("/openapi.json").json()["paths"].items():
        if "get" in operations and "{name}" not in path and "{code}" not in path:
            filled = path.replace("{job_id}", job["id"]).replace("{file_id}", file["id"]).replace("{output}", "full")
            paths.append(filled)
    return [*paths, "/", "/docs", "/static/js/main.js", "/signin"]


def test_head_answers_as_get_without_a_body(server: Server, job: Json) -> None:
    for path in addresses(server, job):
        got, head = server.get(path), server.request("HEAD", path)
        assert head.status_code == got.status_code, path
        assert head.content == b""
        for name in ("content-type", "content-disposition", *(() if path.endswith("/sheet") else ("etag",))):
            assert head.headers.get(name) == got.headers.get(name), (path, name)
    assert server.request("HEAD", "/nothing").status_code == 404


def test_head_of_a_download_says_its_bytes(server: Server, job: Json) -> None:
    head = server.request("HEAD", f"/api/jobs/{job['id']}/download")
    assert int(head.headers["content-length"]) == len(server.get(f"/api/jobs/{job['id']}/download").content)


def test_a_streamed_zip_says_that_it_has_no_ranges(server: Server, job: Json) -> None:
    whole = server.get(f"/api/jobs/{job['id']}/download", headers={"Range": "bytes=100-"})
    assert whole.status_code == 200
    assert whole.headers["accept-ranges"] == "none"
    assert zipfile.ZipFile(io.BytesIO(whole.content)).testzip() is None


def test_stored_files_answer_single_ranges(server: Server, job: Json) -> None:
    file = server.files(job["id"])[0]
    for path in (file["outputs"][0]["url"], f"/api/jobs/{job['id']}/files/{file['id']}/source"):
        whole, part = server.get(path), server.get(path, headers={"Range": "bytes=2-9"})
        assert part.status_code == 206
        assert part.content == whole.content[2:10]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/jobs?page=2", "page"),
        ("GET", "/api/jobs?limit=2&Status=completed", "Status"),
        ("POST", "/api/jobs?remove_bg=false", "remove_bg"),
        ("POST", "/api/cleanup?dry-run=true", "dry-run"),
        ("GET", "/api/stats?x", "x"),
        ("DELETE", "/api/jobs/none?force=1", "force"),
    ],
)
def test_unknown_query_parameters_are_refused_with_a_pointer(server: Server, method: str, path: str, name: str) -> None:
    if path.endswith("?x"):
        path += "=1"
    refused = server.request(method, path)
    assert refused.status_code == 422, refused.text
    assert refused.json()["code"] == "invalid_request"
    assert refused.json()["errors"][0]["pointer"] == f"/query/{name}"


def test_what_pages_append_for_a_browser_to_ask_anew_is_passed_over(server: Server, job: Json) -> None:
    base = f"/api/jobs/{job['id']}/files/{server.files(job['id'])[0]['id']}"
    for path in (
        "source?download=1&v=2",
        "result?download=1&v=2",
        "result/full?v=2",
        "thumbnail?of=source&size=320&v=2",
    ):
        assert server.get(f"{base}/{path}").status_code == 200, path
    assert server.get(f"{base}/mask?v=2").status_code == 404  # there is none


def test_a_ticket_and_the_pages_own_parameters_are_let_through(server: Server) -> None:
    assert server.get("/api/jobs?ticket=x").status_code == 200
    assert server.get("/?utm_source=x").status_code == 200


Parts = list[tuple[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]]]


def send(server: Server, parts: Parts) -> httpx.Response:
    return server.post("/api/jobs", files=parts)


BODIES: dict[str, Parts] = {
    "uppy": [
        ("relativePath", (None, b"null")),
        ("name", (None, b"a.jpg")),
        ("type", (None, b"image/jpeg")),
        ("file", ("a.jpg", photo(), "image/jpeg")),
    ],
    "uppy bundle": [("relativePath", (None, b"")), ("files[]", ("a.jpg", photo(), "image/jpeg"))],
    "filepond": [("filepond", (None, b"{}")), ("filepond", ("a.jpg", photo(), "image/jpeg"))],
    "dropzone": [
        ("dzuuid", (None, b"c2f5")),
        ("dzchunkindex", (None, b"0")),
        ("dztotalfilesize", (None, b"100")),
        ("dzchunksize", (None, b"2000000")),
        ("dztotalchunkcount", (None, b"1")),
        ("dzchunkbyteoffset", (None, b"0")),
        ("file", ("a.jpg", photo(), "image/jpeg")),
    ],
}


@pytest.mark.parametrize("library", BODIES)
def test_what_libraries_send_by_themselves_is_passed_over(server: Server, library: str) -> None:
    sent = send(server, BODIES[library])
    assert sent.status_code == 202, sent.text
    assert [file["name"] for file in server.files(sent.json()["id"])] == ["a.jpg"]


def test_a_recipe_may_be_sent_as_a_file(server: Server) -> None:
    parts: Parts = [("recipe", ("recipe.json", RESIZE.encode(), "application/json")), ("files", ("a.jpg", photo()))]
    sent = send(server, parts)
    assert sent.status_code == 202, sent.text
    assert [step["op"] for step in sent.json()["recipe"]["operations"]] == ["resize"]


@pytest.mark.parametrize("name", ["caption", "image", "0"])
def test_unknown_fields_are_refused_with_a_pointer(server: Server, name: str) -> None:
    for part in ((None, b"x"), ("a.jpg", photo())):
        refused = send(server, [("files", ("a.jpg", photo())), (name, part)])
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == f"/{name}"


def test_pieces_of_a_photo_are_refused_in_words(server: Server) -> None:
    refused = send(server, [("dztotalchunkcount", (None, b"3")), ("file", ("a.jpg", photo()))])
    assert refused.status_code == 422
    assert "whole" in refused.json()["detail"]


def raw(server: Server, data: bytes) -> bytes:
    """All that the server answers until it ends the connection, or for two seconds."""
    host, port = server.url.removeprefix("http://").split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=2) as connection:
        connection.sendall(data)
        with contextlib.suppress(TimeoutError):
            while chunk := connection.recv(65536):
                received += chunk
    return received


def test_a_body_with_two_lengths_is_refused_and_ends_the_connection(server: Server) -> None:
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(server, head + b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_binary_frames_are_passed_over(server: Server) -> None:
    job = server.post("/api/jobs?open=true", data={"remove_bg": "false"}).json()["id"]
    with connect(f"{server.url.replace('http', 'ws', 1)}/ws/job/{job}") as live:
        live.recv(timeout=10)
        live.send(b"\x00\xff")
        live.send("text")
        server.post(f"/api/jobs/{job}/files", files={"files": ("a.jpg", photo())}).raise_for_status()
        server.post(f"/api/jobs/{job}/seal").raise_for_status()
        assert any('"final":true' in str(message) for message in live)
    assert "Traceback" not in server.log.read_text()


BROKEN = """
import sys
from photo_processor.server.routes import system

def broken():
    raise RuntimeError("a fault of ours")

system._sample_path = broken
import app
sys.exit(app.main())
"""


def test_after_a_fault_of_the_server_the_connection_goes_on(tmp_path: Path, model_folder: Path) -> None:
    server = Server(tmp_path / "data", model_folder, BROKEN).start()
    try:
        ask = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = raw(server, ask.format("/api/sample").encode() + ask.format("/openapi.json").encode())
        assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"500", b"200"]
        assert b"a fault of ours" not in answer
        assert server.log.read_text().count("a fault of ours") == 1
    finally:
        server.stop()
