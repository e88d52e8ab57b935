"""What bad input gets: a problem document with the right status and a stable code, and never a traceback."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from photo_processor.errors import codes
from tests.server import Server, multipart


def picture(size: tuple[int, int] = (40, 30)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "PNG")
    return data.getvalue()


GOOD = multipart(("a.png", picture()))


def recipe(**document: object) -> dict[str, str]:
    return {"recipe": json.dumps(document)}


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no body": ({}, 400, "invalid_multipart"),
    "json body": ({"json": {"a": 1}}, 400, "invalid_multipart"),
    "not multipart inside": (
        {"content": b"rubbish", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        400,
        "invalid_multipart",
    ),
    "ends half-way": (
        {
            "content": b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\nabc',
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
        400,
        "invalid_multipart",
    ),
    "no file field": ({"files": [("other", ("", b""))], "data": {"name": "x"}}, 422, "no_files"),
    "text named .jpg": ({"files": multipart(("a.jpg", b"just some text"))}, 415, "unsupported_format"),
    "svg": ({"files": multipart(("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"))}, 415, "unsupported_format"),
    "0 bytes": ({"files": multipart(("a.jpg", b""))}, 422, "empty_file"),
    "broken ZIP": ({"files": multipart(("a.zip", b"PK\x03\x04 nothing"))}, 422, "invalid_archive"),
    "unknown model": ({"files": GOOD, "data": {"model": "nope"}}, 422, "unknown_model"),
    "unknown preset": ({"files": GOOD, "data": {"preset": "nope"}}, 422, "unknown_preset"),
    "unknown field": ({"files": GOOD, "data": {"colour": "red"}}, 422, "invalid_request"),
    "bad boolean": ({"files": GOOD, "data": {"remove_bg": "perhaps"}}, 422, "invalid_request"),
    "bad format": ({"files": GOOD, "data": {"format": "docx"}}, 422, "invalid_request"),
    "bad colour": ({"files": GOOD, "data": {"background": "notacolour"}}, 422, "invalid_recipe"),
    "recipe is not JSON": ({"files": GOOD, "data": {"recipe": "{"}}, 422, "invalid_recipe"),
    "recipe is a list": ({"files": GOOD, "data": {"recipe": "[]"}}, 422, "invalid_recipe"),
    "unknown operation": ({"files": GOOD, "data": recipe(operations=[{"op": "explode"}])}, 422, "invalid_recipe"),
    "unknown parameter": (
        {"files": GOOD, "data": recipe(operations=[{"op": "resize", "widht": 5}])},
        422,
        "invalid_recipe",
    ),
    "recipe and simple fields": ({"files": GOOD, "data": {**recipe(), "crop_face": "true"}}, 422, "invalid_recipe"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_request_is_refused_whole_with_its_code(server: Server, case: str) -> None:
    arguments, status, code = REFUSED[case]
    response = server.post("/api/jobs", **arguments)
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= response.json().keys()
    assert code in codes()
    assert list((server.data / "incoming").iterdir()) == []


def test_unknown_parameter_is_pointed_at(server: Server) -> None:
    data = recipe(operations=[{"op": "crop_face"}, {"op": "crop_face", "margn": 1}])
    problem = server.post("/api/jobs", files=GOOD, data=data).json()
    assert [error["pointer"] for error in problem["errors"]] == ["/operations/1/margn"]


@pytest.mark.parametrize("path", ["/api/jobs/none", "/api/jobs/none/files", "/api/jobs/..%2f..%2fetc/download"])
def test_unknown_job_is_404(server: Server, path: str) -> None:
    response = server.get(path)
    assert response.status_code == 404
    assert response.json()["code"] in ("job_not_found", "not_found")


def test_unknown_job_refuses_files_and_control(server: Server) -> None:
    for action in ("cancel", "pause", "resume", "retry", "seal"):
        assert server.post(f"/api/jobs/none/{action}").json()["code"] == "job_not_found"
    assert server.post("/api/jobs/none/files", files=GOOD).json()["code"] == "job_not_found"


def test_unknown_file_address_and_method_are_problems(server: Server) -> None:
    job = server.submit(("a.png", picture()), remove_bg="false")
    assert server.get(f"/api/jobs/{job['id']}/files/none").json()["code"] == "file_not_found"
    assert server.get("/api/nothing").json()["code"] == "not_found"
    assert server.request("PUT", "/api/jobs").json()["code"] == "method_not_allowed"
    assert server.get("/api/jobs?limit=many").json()["code"] == "invalid_request"


def test_limits_are_said_with_413(start_server: Any) -> None:
    server = start_server(max_file_bytes="5000", max_request_bytes="20000", max_request_files="3", max_megapixels="0.5")
    big = ("big.png", picture() + bytes(6000))
    assert server.post("/api/jobs", files=multipart(big)).json()["code"] == "file_too_large"
    response = server.post("/api/jobs", files=multipart(("huge.png", picture() + bytes(30_000))))
    assert (response.status_code, response.json()["code"]) == (413, "request_too_large")
    four = multipart(*[(f"{n}.png", picture()) for n in range(4)])
    assert server.post("/api/jobs", files=four).json()["code"] == "too_many_files"

    def endless() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(10_000):
            yield bytes(1000)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = server.post("/api/jobs", content=endless(), headers=headers)
    assert response.json()["code"] == "request_too_large"
    assert list((server.data / "incoming").iterdir()) == []
    job = server.submit(("good.png", picture()), big, ("wide.png", picture((1000, 800))), remove_bg="false")
    server.finished(job["id"])
    found = {file["name"]: file["error"] and file["error"]["code"] for file in server.files(job["id"])}
    assert found == {"good.png": None, "big.png": "file_too_large", "wide.png": "too_many_pixels"}


def test_foreign_page_cannot_submit(server: Server) -> None:
    for origin in ("https://evil.example", "null"):
        response = server.post("/api/jobs", files=GOOD, headers={"Origin": origin})
        assert (response.status_code, response.json()["code"]) == (403, "foreign_origin")
    assert server.post("/api/jobs", files=GOOD, headers={"Origin": server.url}).status_code == 202


def test_full_disk_refuses_uploads_with_507(start_server: Any) -> None:
    server = start_server(min_free_bytes=str(10**18))
    response = server.post("/api/jobs", files=GOOD)
    assert (response.status_code, response.json()["code"]) == (507, "storage_full")
    assert response.headers["retry-after"]


def test_file_names_are_never_headers_or_paths(server: Server) -> None:
    data = picture()
    body = (
        b'--x\r\nContent-Disposition: form-data; name="remove_bg"\r\n\r\nfalse\r\n'
        b'--x\r\nContent-Disposition: form-data; name="files"; '
        b'filename="../../<img src=x onerror=alert(1)>.png"\r\n\r\n' + data + b"\r\n--x--\r\n"
    )
    response = server.post("/api/jobs", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    job = server.finished(response.json()["id"])
    (file,) = server.files(job["id"])
    assert file["name"] == "<img src=x onerror=alert(1)>.png"
    result = server.get(file["outputs"][0]["url"])
    assert "set-cookie" not in result.headers
    assert result.headers["content-type"] == "image/png"


def test_unknown_host_name_is_refused_and_allowed_ones_are_not(start_server: Any) -> None:
    server = start_server(allowed_hosts='["photos.lan"]')
    port = server.url.rsplit(":", 1)[1]
    for name, status in (
        ("evil.example", 421),
        ("[::1", 421),
        ("[::1]", 200),
        ("0.0.0.0", 200),
        ("photos.lan", 200),
        ("localhost", 200),
        ("127.0.0.1", 200),
    ):
        response = server.get("/health", headers={"Host": f"{name}:{port}"})
        assert response.status_code == status, name
    assert server.get("/health", headers={"Host": "evil.example"}).json()["code"] == "host_not_allowed"
