"""Photos deleted one by one, and results replaced: what the server says, and what is left on its disk."""

import io
import json
import threading
import time
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.api.test_jobs import CONVERT, picture
from tests.server import Json, Server, multipart

SMALL = json.dumps({"operations": [{"op": "resize", "width": 20}], "outputs": [{"name": "small", "format": "png"}]})


def noise(seed: int, size: int = 1600) -> bytes:
    """A photo that takes a while, and more bytes than a socket's buffers hold."""
    data = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (size, size, 3), np.uint8)
    Image.fromarray(pixels).save(data, "BMP")
    return data.getvalue()


def blobs(server: Server, job_id: str) -> dict[str, set[str]]:
    """Names of what is stored of a job, by kind."""
    folder = server.data / "jobs" / job_id
    return {kind.name: {path.name for path in kind.iterdir()} for kind in folder.iterdir()} if folder.is_dir() else {}


def done(server: Server, *photos: tuple[str, bytes], recipe: str = CONVERT) -> tuple[str, list[Json]]:
    job = server.finished(server.submit(*photos, recipe=recipe)["id"])
    return str(job["id"]), server.files(str(job["id"]))


def test_deleted_photo_is_in_nothing_any_more(server: Server) -> None:
    names = ("a.jpg", "b.jpg", "c.jpg")
    colours = ("red", "lime", "blue")
    job, files = done(server, *((name, picture(colour)) for name, colour in zip(names, colours, strict=True)))
    gone = files[1]
    base = f"/api/jobs/{job}/files/{gone['id']}"
    for address in ("thumbnail", "thumbnail?of=source", "thumbnail?size=1600", "result"):
        server.get(f"{base}/{address}").raise_for_status()
    before = server.get(f"/api/jobs/{job}")
    assert server.request("DELETE", base).status_code == 204
    after = server.get(f"/api/jobs/{job}", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200, "who polls has to see it"
    assert (after.json()["file_count"], after.json()["progress"]["total"]) == (2, 2)
    listing = server.get(f"/api/jobs/{job}/files").json()
    assert [file["name"] for file in listing["files"]] == ["a.jpg", "c.jpg"]
    assert listing["deleted"] == [gone["id"]]
    for address in ("", "/source", "/result", "/thumbnail", "/mask"):
        refused = server.get(base + address)
        assert (refused.status_code, refused.json()["code"]) == (404, "file_not_found")
    archive = zipfile.ZipFile(io.BytesIO(server.get(f"/api/jobs/{job}/download").content))
    assert archive.namelist() == ["a.png", "c.png", "manifest.json"]
    assert [entry["name"] for entry in json.loads(archive.read("manifest.json"))["files"]] == ["a.jpg", "c.jpg"]
    left = blobs(server, job)
    assert left["source"] == {files[0]["sha256"], files[2]["sha256"]}
    assert left["result"] == {files[0]["outputs"][0]["sha256"], files[2]["outputs"][0]["sha256"]}
    assert len(left["thumbnail"]) == 2
    again = server.request("DELETE", base)
    assert (again.status_code, again.json()["code"]) == (404, "file_not_found")
    assert server.request("DELETE", "/api/jobs/no/files/no").json()["code"] == "job_not_found"


def test_groups_sheets_and_totals_follow(server: Server, photos: dict[str, Path]) -> None:
    smaller = io.BytesIO()
    Image.open(photos["coffee"]).resize((300, 200)).save(smaller, "JPEG")
    pair = ("a.jpg", photos["coffee"].read_bytes()), ("b.jpg", smaller.getvalue())
    job, files = done(server, *pair)
    (group,) = server.get(f"/api/jobs/{job}/similar").json()["groups"]
    assert len(group["files"]) == 2
    server.request("DELETE", f"/api/jobs/{job}/files/{files[0]['id']}")
    assert server.get(f"/api/jobs/{job}/similar").json()["groups"] == []
    assert server.get(f"/api/jobs/{job}/sheet").status_code == 200
    server.request("DELETE", f"/api/jobs/{job}/files/{files[1]['id']}")
    assert server.get(f"/api/jobs/{job}/sheet").json()["code"] == "nothing_to_print"
    empty = server.job(job)
    assert (empty["status"], empty["progress"]["total"]) == ("completed", 0)
    assert blobs(server, job) == {"source": set(), "result": set(), "thumbnail": set()}
    (message,) = server.messages(job)
    assert (message["final"], message["files"], set(message["deleted"])) == (True, [], {file["id"] for file in files})


def test_photo_is_deleted_while_it_waits_and_while_it_is_worked_on(server: Server) -> None:
    job = server.submit(*((f"{n}.bmp", noise(n)) for n in range(8)), recipe=CONVERT)["id"]
    while not (working := [file for file in server.files(job) if file["status"] == "processing"]):
        time.sleep(0.01)
    waiting = server.files(job)[-1]
    heard: list[Json] = []
    listener = threading.Thread(target=lambda: heard.extend(server.messages(job)))
    listener.start()
    gone = [working[0]["id"], waiting["id"]]
    for file_id in gone:
        assert server.request("DELETE", f"/api/jobs/{job}/files/{file_id}").status_code == 204
    ended = server.finished(job)
    assert (ended["status"], ended["progress"]["succeeded"], ended["file_count"]) == ("completed", 6, 6)
    listener.join(30)
    seen: dict[str, str] = {}
    for message in heard:
        seen |= {file["id"]: file["status"] for file in message.get("files", [])}
        seen = {file_id: status for file_id, status in seen.items() if file_id not in message.get("deleted", [])}
    assert sorted(seen) == sorted(file["id"] for file in server.files(job))
    assert set(seen.values()) == {"completed"}
    files = server.files(job)
    deadline = time.monotonic() + 10
    while blobs(server, job)["result"] != {file["outputs"][0]["sha256"] for file in files}:
        assert time.monotonic() < deadline, "a worker that was too late left its result"
        time.sleep(0.05)
    assert blobs(server, job)["source"] == {file["sha256"] for file in files}


def test_several_go_at_once_and_those_that_are_gone_are_passed_over(server: Server) -> None:
    job, files = done(server, *((f"{n}.jpg", picture(size=(40 + n, 30))) for n in range(4)))
    ids = [file["id"] for file in files]
    server.request("DELETE", f"/api/jobs/{job}/files/{ids[0]}")
    answer = server.post(f"/api/jobs/{job}/files/delete", json={"files": ids[:3]})
    assert (answer.status_code, answer.json()["file_count"]) == (200, 1)
    assert server.post(f"/api/jobs/{job}/files/delete", json={"files": ids[:3]}).json()["file_count"] == 1
    refused = server.post(f"/api/jobs/{job}/files/delete", json={"files": []})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert server.post("/api/jobs/no/files/delete", json={"files": ids}).json()["code"] == "job_not_found"


def test_upload_sent_once_more_does_not_bring_a_deleted_photo_back(server: Server) -> None:
    job = server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()["id"]

    def send() -> Json:
        files = multipart(("a.jpg", picture()), ("b.jpg", picture("blue")))
        return dict(server.post(f"/api/jobs/{job}/files", files=files, headers={"Idempotency-Key": "k"}).json())

    first, second = send()["files"]
    assert server.request("DELETE", f"/api/jobs/{job}/files/{first['id']}").status_code == 204
    again = send()
    assert [file["id"] for file in again["files"]] == [second["id"]]
    assert again["job"]["file_count"] == 1
    server.post(f"/api/jobs/{job}/seal")
    assert server.finished(job)["progress"]["succeeded"] == 1


def test_last_entry_of_a_zip_takes_the_zip_with_it(server: Server) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", picture())
        archive.writestr("b.jpg", picture("blue"))
    job, files = done(server, ("x.zip", packed.getvalue()))
    server.request("DELETE", f"/api/jobs/{job}/files/{files[0]['id']}")
    assert len(blobs(server, job)["archive"]) == 1
    server.request("DELETE", f"/api/jobs/{job}/files/{files[1]['id']}")
    assert blobs(server, job)["archive"] == set()


@pytest.mark.parametrize("some", [False, True])
def test_job_done_again_and_again_takes_no_more_room(server: Server, some: bool) -> None:
    recipe = {"operations": [{"op": "remove_background", "model": "grabcut"}, {"op": "resize", "width": 300}]}
    photos = [("a.bmp", noise(1, 300)), ("b.bmp", noise(2, 300))]
    job, files = done(server, *photos, recipe=json.dumps(recipe))
    kinds = {kind: len(names) for kind, names in blobs(server, job).items()}
    assert kinds == {"source": 2, "result": 2, "mask": 2, "thumbnail": 2}
    former = {"result": 2, "thumbnail": 3}  # one step back, with the preview that was asked for; the masks are the same
    for width in (280, 260, 240):
        recipe["operations"][1]["width"] = width
        server.get(f"/api/jobs/{job}/files/{files[0]['id']}/thumbnail?size=1600").raise_for_status()
        again = {**recipe, **({"files": [file["id"] for file in files]} if some else {})}
        server.post(f"/api/jobs/{job}/reprocess", json=again).raise_for_status()
        assert server.finished(job)["progress"]["succeeded"] == 2
        most = {kind: count + former.get(kind, 0) for kind, count in kinds.items()}
        assert {kind: len(names) for kind, names in blobs(server, job).items()} == most
        assert {output["width"] for file in server.files(job) for output in file["outputs"]} == {width}
        for file in server.files(job):
            server.get(file["outputs"][0]["url"]).raise_for_status()


@pytest.mark.parametrize("deed", ["reprocess", "delete"])
def test_download_on_its_way_ends_well_though_its_results_go(server: Server, deed: str) -> None:
    photos = [(f"{n}.bmp", noise(100 + n)) for n in range(4)]
    job, files = done(server, *photos, recipe=json.dumps({"outputs": [{"name": "full", "format": "tiff"}]}))
    old = blobs(server, job)["result"]
    with httpx.stream("GET", f"{server.url}/api/jobs/{job}/download", timeout=60) as answer:
        chunks = answer.iter_raw(65_536)
        data = next(chunks)
        if deed == "delete":
            ids = [file["id"] for file in files]
            assert server.post(f"/api/jobs/{job}/files/delete", json={"files": ids}).json()["file_count"] == 0
        else:
            for _ in range(2):  # the second gives up what is one step back
                server.post(f"/api/jobs/{job}/reprocess", content=SMALL).raise_for_status()
                server.finished(job)
        data += b"".join(chunks)
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert archive.namelist() == ["0.tif", "1.tif", "2.tif", "3.tif", "manifest.json"]
    deadline = time.monotonic() + 10
    while blobs(server, job)["result"] & old:
        assert time.monotonic() < deadline, "what was held for the download stays for ever"
        time.sleep(0.05)


def test_single_download_on_its_way_ends_well(server: Server) -> None:
    job, (file,) = done(server, ("a.bmp", noise(7)), recipe=json.dumps({"outputs": [{"name": "f", "format": "tiff"}]}))
    with httpx.stream("GET", server.url + file["outputs"][0]["url"], timeout=60) as answer:
        chunks = answer.iter_raw(65_536)
        data = next(chunks)
        assert server.request("DELETE", f"/api/jobs/{job}/files/{file['id']}").status_code == 204
        assert blobs(server, job)["result"] == set()
        data += b"".join(chunks)
    assert len(data) == file["outputs"][0]["bytes"]
    Image.open(io.BytesIO(data)).load()


def test_job_deleted_while_its_zip_is_on_the_way_goes_when_that_has_ended(server: Server) -> None:
    photos = [(f"{n}.bmp", noise(200 + n)) for n in range(4)]
    job, _ = done(server, *photos, recipe=json.dumps({"outputs": [{"name": "full", "format": "tiff"}]}))
    with httpx.stream("GET", f"{server.url}/api/jobs/{job}/download", timeout=60) as answer:
        chunks = answer.iter_raw(65_536)
        data = next(chunks)
        assert server.request("DELETE", f"/api/jobs/{job}").status_code == 204
        assert server.get(f"/api/jobs/{job}").status_code == 404
        data += b"".join(chunks)
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    deadline = time.monotonic() + 10
    while (server.data / "jobs" / job).exists():
        assert time.monotonic() < deadline, "what was held for the download stays for ever"
        time.sleep(0.05)


def test_picture_under_an_old_address_is_asked_for_and_never_the_old_one(server: Server) -> None:
    recipe = {"operations": [{"op": "remove_background", "model": "edges"}, {"op": "resize", "width": 300}]}
    job, (file,) = done(server, ("a.bmp", noise(1, 300)), recipe=json.dumps(recipe))
    base = f"/api/jobs/{job}/files/{file['id']}"
    paths = [f"{base}/{part}" for part in ("result", "thumbnail", "thumbnail?size=1600", "mask", "source")]
    paths.append(file["outputs"][0]["url"])
    tags = {}
    for path in paths:
        first = server.get(path)
        assert first.headers["Cache-Control"] == "private, no-cache", path
        tags[path] = first.headers["ETag"]
        again = server.get(path, headers={"If-None-Match": f'"other", W/{tags[path]}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tags[path])
    recipe["operations"][1]["width"] = 200
    server.post(f"/api/jobs/{job}/reprocess", json=recipe).raise_for_status()
    server.finished(job)
    for path in (path for path in paths if not path.endswith(("mask", "source"))):
        assert server.get(path, headers={"If-None-Match": tags[path]}).status_code == 200, path
