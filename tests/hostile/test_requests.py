"""Requests made to hurt: too long, too slow, too deep, or gone half-way."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.hostile.harness import healthy, is_refused, unharmed
from tests.hostile.photos import photo
from tests.server import Server, multipart

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
PLAIN = b'--x\r\nContent-Disposition: form-data; name="remove_bg"\r\n\r\nfalse\r\n'
PART = b'--x\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n'


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, model_folder: Any) -> Iterator[Server]:
    """A server with small limits, so that the tests reach them soon."""
    server = Server(
        tmp_path_factory.mktemp("strict") / "data",
        model_folder,
        receive_seconds="1",
        max_request_bytes="20000000",
        max_file_bytes="10000000",
    ).start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


@contextlib.contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65536):
            data += chunk
    return data


def is_answer(data: bytes, status: int, code: str) -> None:
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), data
    assert b"application/problem+json" in head.lower()
    assert json.loads(body)["code"] == code


# --- too long ---


def chunked(size: int, head: bytes = PART % b"a.png") -> Iterator[bytes]:
    yield head
    for _ in range(size // 100_000):
        yield bytes(100_000)


def test_chunked_body_without_length_beyond_the_limit_is_413_and_leaves_nothing(strict: Server) -> None:
    with unharmed(strict):
        response = strict.post("/api/jobs", content=chunked(30_000_000), headers=FORM)
        is_refused(response, 413, "request_too_large")


def test_chunked_zip_beyond_the_limit_is_413_and_leaves_nothing(strict: Server) -> None:
    with unharmed(strict):
        body = chunked(30_000_000, PART % b"a.zip" + b"PK\3\4")
        is_refused(strict.post("/api/jobs", content=body, headers=FORM), 413, "request_too_large")


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/none/reprocess"])
def test_endless_document_is_not_read(strict: Server, path: str, kind: str) -> None:
    with unharmed(strict):
        response = strict.post(path, content=chunked(30_000_000, b""), headers={"Content-Type": kind})
        assert (response.status_code, response.json()["code"]) in (
            (413, "request_too_large"),
            (400, "invalid_multipart"),
            (422, "invalid_recipe"),
        )


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "image/png"])
def test_endless_body_is_413_where_the_route_takes_json(strict: Server, kind: str) -> None:
    job = strict.submit(("a.jpg", photo()), remove_bg="false")
    with unharmed(strict):
        headers = {"Content-Type": kind}
        response = strict.request("PATCH", f"/api/jobs/{job['id']}", content=chunked(30_000_000, b""), headers=headers)
        is_refused(response, 413, "request_too_large")


def test_endless_mask_is_413(strict: Server) -> None:
    job = strict.finished(strict.submit(("a.jpg", photo()), remove_bg="false")["id"])
    (file,) = strict.files(job["id"])
    with unharmed(strict):
        url = f"/api/jobs/{job['id']}/files/{file['id']}/mask"
        response = strict.request("PUT", url, content=chunked(30_000_000, b""), headers={"Content-Type": "image/png"})
        assert response.status_code == 413, response.text


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (PART % b"a.jpg" + b"\xff\xd8\xff\r\n", "too_many_files"),
        (b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n', "too_many_files"),
        (b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n', "too_many_files"),
    ],
    ids=["files", "one field", "other files"],
)
def test_ten_thousand_parts_are_refused(strict: Server, part: bytes, code: str) -> None:
    with unharmed(strict):
        is_refused(strict.post("/api/jobs", content=part * 10_000 + b"--x--\r\n", headers=FORM), 413, code)


def test_ten_thousand_fields_are_refused(strict: Server) -> None:
    fields = b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % n for n in range(10_000))
    with unharmed(strict):
        is_refused(strict.post("/api/jobs", content=fields + b"--x--\r\n", headers=FORM), 400, "invalid_multipart")


def test_long_headers_and_other_protocols_are_400(strict: Server) -> None:
    for rubbish in (
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000,
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(200),
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    ):
        with unharmed(strict), connected(strict) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(rubbish)
            answer = received(connection)
            if answer:  # the system may have thrown it away, together with what was still unread
                is_answer(answer, 400, "bad_request")


# --- too slow ---


def dripping(connection: socket.socket, byte: bytes = b"a", pause: float = 0.2) -> None:
    """One byte after another until the server has enough."""
    with contextlib.suppress(OSError):
        for _ in range(100):
            connection.sendall(byte)
            time.sleep(pause)


@pytest.mark.parametrize("start", [b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "], ids=["silence", "dripping"])
def test_slow_head_is_408(strict: Server, start: bytes) -> None:
    with unharmed(strict), connected(strict) as connection:
        connection.sendall(start)
        if start:
            threading.Thread(target=dripping, args=(connection,), daemon=True).start()
        is_answer(received(connection), 408, "too_slow")


def test_slow_head_of_a_second_request_is_408(strict: Server) -> None:
    with unharmed(strict), connected(strict) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /health HTTP/1.1\r\nHo")
        is_answer(received(connection), 408, "too_slow")


@pytest.mark.parametrize("length", [b"Content-Length: 5000000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("drips", [False, True])
def test_slow_body_is_408_and_leaves_nothing(strict: Server, length: bytes, drips: bool) -> None:
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n%s\r\n\r\n"
    start = PART % b"a.jpg" + photo()[:500]
    with unharmed(strict, seconds=5), connected(strict) as connection:
        connection.sendall(head % length)
        connection.sendall(start if b"Length" in length else b"%x\r\n%s\r\n" % (len(start), start))
        if drips:
            byte = b"a" if b"Length" in length else b"1\r\na\r\n"
            threading.Thread(target=dripping, args=(connection, byte), daemon=True).start()
        is_answer(received(connection), 408, "too_slow")


def test_slow_document_is_408(strict: Server) -> None:
    job = strict.submit(("a.jpg", photo()), remove_bg="false")
    head = f"PATCH /api/jobs/{job['id']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with unharmed(strict, seconds=5), connected(strict) as connection:
        connection.sendall(head.encode() + b"Content-Length: 100\r\n\r\n{")
        is_answer(received(connection), 408, "too_slow")


def test_slow_but_steady_upload_is_taken(strict: Server) -> None:
    def slowly() -> Iterator[bytes]:
        whole = PLAIN + PART % b"a.jpg" + photo() + b"\r\n--x--\r\n"
        for at in range(0, len(whole), 2000):
            yield whole[at : at + 2000]
            time.sleep(0.3)

    assert strict.post("/api/jobs", content=slowly(), headers=FORM).status_code == 202


def flooding(connection: socket.socket) -> None:
    for _ in range(120):
        connection.sendall(b"a" * 1000)
        time.sleep(0.05)


def test_who_goes_on_sending_after_the_answer_is_cut_off(strict: Server) -> None:
    head = (
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n"
    )
    with unharmed(strict, seconds=6), connected(strict) as connection:
        connection.sendall(head)
        with pytest.raises(ConnectionError):
            flooding(connection)


# --- gone half-way ---


def test_client_gone_in_mid_upload_leaves_nothing(strict: Server) -> None:
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    for abrupt in (False, True):
        with unharmed(strict):
            with connected(strict) as connection:
                connection.sendall(head + b"Content-Length: 9000000\r\n\r\n" + PART % b"a.jpg" + bytes(3_000_000))
                if abrupt:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            healthy(strict)
    assert list((strict.data / "incoming").iterdir()) == []


# --- paths, names and ranges ---


PATHS = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc",
    "..\\..\\etc",
    "a\0b",
    "%00",
    "'; DROP TABLE jobs",
]


@pytest.mark.parametrize("path", PATHS)
def test_ids_are_never_paths(strict: Server, path: str) -> None:
    job = strict.submit(("a.jpg", photo()), remove_bg="false")
    strict.finished(job["id"])
    (file,) = strict.files(job["id"])
    at = f"/api/jobs/{job['id']}/files"
    with unharmed(strict):
        for address in (
            f"/api/jobs/{path}",
            f"/api/jobs/{path}/files/{file['id']}/source",
            f"/api/jobs/{path}/download",
            f"{at}/{path}",
            f"{at}/{path}/source",
            f"{at}/{path}/thumbnail",
            f"{at}/{file['id']}/result/{path}",
            f"/static/{path}",
            f"/docs/assets/{path}",
        ):
            with connected(strict) as connection:
                target = address.replace("\0", "%00").replace(" ", "%20").encode()
                connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target)
                answer = received(connection)
            assert answer.split(b" ")[1] in (b"404", b"400"), (address, answer[:300])
            assert b"root:" not in answer


HEADER_NAMES = [
    b"a\r\nSet-Cookie: evil=1.jpg",
    b'a"; filename="evil.html',
    b"a%0d%0aSet-Cookie: evil=1.jpg",
    "a\u2028\u202e\u0000.jpg".encode(),
    b"\xff\xfe\x80.jpg",
    b"a" * 3000 + b".jpg",
    "😀é.jpg".encode(),
]


@pytest.mark.parametrize("name", HEADER_NAMES)
def test_file_name_never_becomes_a_header(strict: Server, name: bytes) -> None:
    quoted = name.replace(b"\r", b"%0D").replace(b"\n", b"%0A") if b"\r" in name else name
    body = PLAIN + PART % quoted + photo() + b"\r\n--x--\r\n"
    with unharmed(strict):
        response = strict.post("/api/jobs", content=body, headers=FORM)
        assert response.status_code == 202, response.text
        job = strict.finished(response.json()["id"])
        (file,) = strict.files(job["id"])
        for url in (
            file["outputs"][0]["url"],
            f"/api/jobs/{job['id']}/files/{file['id']}/source",
            f"/api/jobs/{job['id']}/download",
        ):
            headers = strict.get(url).raise_for_status().headers
            assert "set-cookie" not in headers
            assert headers["content-disposition"].count("filename=") == 1
            assert headers["content-disposition"].isascii()
            assert len(headers["content-disposition"]) < 3000
            assert headers["content-type"] in ("image/png", "image/jpeg", "application/zip")


RANGES = {
    "a thousand": "bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(1000)),
    "overlapping": "bytes=" + ",".join("0-" for _ in range(2000)),
    "backwards": "bytes=" + ",".join(f"{9999 - n}-" for n in range(1500)),
    "huge numbers": "bytes=99999999999999999999999-999999999999999999999999999",
    "behind the end": "bytes=99999999-",
    "negative": "bytes=-99999999999999999999999",
    "nonsense": "bytes=a-b,--,5-1,,,",
    "other unit": "rows=1-2",
}


@pytest.mark.parametrize("case", RANGES)
def test_ranges_never_multiply_a_file(strict: Server, case: str) -> None:
    job = strict.submit(("a.jpg", photo()), remove_bg="false")
    strict.finished(job["id"])
    (file,) = strict.files(job["id"])
    url = f"/api/jobs/{job['id']}/files/{file['id']}/source"
    with unharmed(strict):
        response = strict.get(url, headers={"Range": RANGES[case]})
    assert response.status_code in (200, 206, 416)
    assert len(response.content) <= 4 * len(photo()) + 200_000
    if response.status_code == 416:
        is_refused(response, 416, "range_not_satisfiable")
        assert response.headers["content-range"] == f"bytes */{len(photo())}"


# --- documents ---


RECIPES: dict[str, str] = {
    "deep lists": "[" * 30_000 + "]" * 30_000,
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "deep in a parameter": '{"operations":[{"op":"resize","width":' + "[" * 5000 + "]" * 5000 + "}]}",
    "NaN": '{"operations":[{"op":"crop_face","margin":NaN}]}',
    "Infinity": '{"operations":[{"op":"crop_face","margin":Infinity}]}',
    "1e400": '{"operations":[{"op":"crop_face","margin":1e400}]}',
    "huge integer": '{"operations":[{"op":"resize","width":' + "9" * 5000 + "}]}",
    "integer beyond 64 bit": '{"operations":[{"op":"resize","width":99999999999999999999999}]}',
    "negative": '{"operations":[{"op":"resize","width":-1}]}',
    "thousand operations": json.dumps({"operations": [{"op": "resize", "width": 5}] * 1000}),
    "thousand outputs": json.dumps({"outputs": [{"name": f"o{n}"} for n in range(1000)]}),
    "output named as a path": json.dumps({"outputs": [{"name": "../../x"}]}),
    "duplicate keys, the last of them bad": '{"outputs":[],"outputs":5}',
    "lone surrogate": '{"operations":[{"op":"remove_background","model":"\\ud800"}]}',
    "too long": json.dumps({"operations": [], "x": "a" * 100_000}),
    "model as a path": json.dumps({"operations": [{"op": "remove_background", "model": "../../etc/passwd"}]}),
}


@pytest.mark.parametrize("case", RECIPES)
def test_recipe_made_to_hurt_is_refused(strict: Server, case: str) -> None:
    with unharmed(strict):
        response = strict.post("/api/jobs", files=multipart(("a.jpg", photo())), data={"recipe": RECIPES[case]})
        assert response.status_code == 422, response.text
        assert response.json()["code"] in ("invalid_recipe", "unknown_model")
        assert len(response.content) < 20_000


PATCHES: dict[str, bytes] = {
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"name":' * 20_000 + b"1" + b"}" * 20_000,
    "lone surrogate": b'{"name":"\\ud800"}',
    "not UTF-8": b'{"name":"\xff"}',
    "huge number": b'{"keep":' + b"9" * 10_000 + b"}",
    "NaN": b'{"keep":NaN}',
    "unknown field": b'{"status":"completed"}',
}


@pytest.mark.parametrize("case", PATCHES)
def test_document_made_to_hurt_is_refused(strict: Server, case: str) -> None:
    job = strict.submit(("a.jpg", photo()), remove_bg="false")
    with unharmed(strict):
        headers = {"Content-Type": "application/json"}
        response = strict.request("PATCH", f"/api/jobs/{job['id']}", content=PATCHES[case], headers=headers)
        assert response.status_code in (400, 422), response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert len(response.content) < 20_000


QUERIES: dict[str, Callable[[str], str]] = {
    "limit beyond 64 bit": lambda job: f"/api/jobs?limit={10**30}",
    "limit of 5,000 digits": lambda job: f"/api/jobs?limit={'9' * 5000}",
    "limit NaN": lambda job: "/api/jobs?limit=NaN",
    "status of another kind": lambda job: "/api/jobs?status=%00",
    "files after nothing": lambda job: f"/api/jobs/{job}/files?limit=-1",
    "thumbnail size": lambda job: f"/api/jobs/{job}/files/x/thumbnail?size=99999999",
}


@pytest.mark.parametrize("case", QUERIES)
def test_query_made_to_hurt_is_refused(strict: Server, case: str) -> None:
    job = strict.submit(("a.jpg", photo()), remove_bg="false")
    with unharmed(strict):
        response = strict.get(QUERIES[case](job["id"]))
        is_refused(response, 422, "invalid_request")


@pytest.mark.parametrize("query", ["before=%00", "before=" + "9" * 3000, "before=%ff%fe", "before=\ud7ff"])
def test_odd_place_in_a_list_is_no_error_of_the_server(strict: Server, query: str) -> None:
    with unharmed(strict):
        assert strict.get(f"/api/jobs?{query}").status_code < 500


@pytest.mark.parametrize("name", ["\0", "a\ud7ff", "x" * 199, "\u202e", "<script>alert(1)</script>"])
def test_odd_job_name_is_stored_or_refused(strict: Server, name: str) -> None:
    with unharmed(strict):
        response = strict.post("/api/jobs", files=multipart(("a.jpg", photo())), data={"name": name, "remove_bg": "no"})
        assert response.status_code in (202, 422), response.text
        if response.status_code == 202:
            job = response.json()
            assert strict.get(f"/api/jobs/{job['id']}/download").headers["content-disposition"].isascii()


def test_idempotency_key_of_any_bytes_is_no_error_of_the_server(strict: Server) -> None:
    for key in (b"\xff\xfe", b"a" * 201, b"'; --"):
        with unharmed(strict):
            headers = [(b"Idempotency-Key", key)]
            response = httpx.post(
                f"{strict.url}/api/jobs", files=multipart(("a.jpg", photo())), data={"remove_bg": "no"}, headers=headers
            )
            assert response.status_code in (202, 422), response.text
