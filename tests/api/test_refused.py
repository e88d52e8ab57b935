"""A refused request leaves nothing on the disk, and what it was refused for is as it was."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.api.test_deletion import blobs, done
from tests.api.test_jobs import CONVERT, picture
from tests.server import Json, Server, multipart

CUTOUT = json.dumps({"operations": [{"op": "remove_background", "model": "edges"}]})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Iterator[Server]:
    """A server whose jobs hold three photos."""
    server = Server(tmp_path_factory.mktemp("small") / "data", model_folder, max_job_files="3").start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def opened(server: Server) -> str:
    return str(server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()["id"])


def add(server: Server, job: str, *photos: tuple[str, bytes], key: str | None = None) -> tuple[int, Json]:
    headers = {"Idempotency-Key": key} if key else {}
    answer = server.post(f"/api/jobs/{job}/files", files=multipart(*photos), headers=headers)
    return answer.status_code, answer.json()


def noise(seed: int) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (150, 200), np.uint8)).save(data, "PNG")
    return data.getvalue()


def test_addition_to_a_sealed_job(small: Server) -> None:
    job, _ = done(small, ("a.jpg", picture()))
    before = blobs(small, job)
    status, answer = add(small, job, ("b.jpg", picture("blue")))
    assert (status, answer["code"]) == (409, "conflict")
    assert blobs(small, job) == before
    assert add(small, job, ("a.jpg", picture()))[0] == 409, "the very photo that the job has"
    assert blobs(small, job) == before


def test_addition_of_too_many(small: Server) -> None:
    job = opened(small)
    photos = [(f"{n}.jpg", picture(size=(40 + n, 30))) for n in range(4)]
    assert add(small, job, *photos)[1]["code"] == "too_many_files"
    assert add(small, job, *photos[:2])[0] == 202
    assert add(small, job, *photos[2:])[1]["code"] == "too_many_files"
    assert len(blobs(small, job)["source"]) == 2


def test_addition_under_a_key_that_stands_for_another(small: Server) -> None:
    job, other = opened(small), opened(small)
    one, two = ("one.jpg", picture()), ("two.jpg", picture("blue"))
    first = add(small, job, one, key="k")
    assert first[0] == 202
    assert [file["id"] for file in add(small, job, one, key="k")[1]["files"]] == [first[1]["files"][0]["id"]]
    status, answer = add(small, job, two, key="k")
    assert (status, answer["code"]) == (409, "idempotency_key_reused")
    assert len(small.files(job)) == len(blobs(small, job)["source"]) == 1
    assert add(small, other, two, key="k")[0] == 202, "a key is one job's"


def test_submission_under_a_key_that_stands_for_another(small: Server) -> None:
    def send(query: str, *photos: tuple[str, bytes]) -> tuple[int, Json]:
        headers = {"Idempotency-Key": "submitted"}
        answer = small.post(f"/api/jobs{query}", files=multipart(*photos), data={"recipe": CONVERT}, headers=headers)
        return answer.status_code, answer.json()

    folders = {path.name for path in (small.data / "jobs").iterdir()}
    status, job = send("", ("a.jpg", picture()))
    assert status == 202
    assert send("", ("a.jpg", picture()))[1]["id"] == job["id"]
    for query, photo in (("", ("b.jpg", picture("blue"))), ("?open=true", ("a.jpg", picture()))):
        status, answer = send(query, photo)
        assert (status, answer["code"]) == (409, "idempotency_key_reused")
    assert {path.name for path in (small.data / "jobs").iterdir()} == {*folders, job["id"]}


def test_mask_that_cannot_be_taken(small: Server) -> None:
    job = str(small.post("/api/jobs?open=true", data={"recipe": CUTOUT}).json()["id"])
    add(small, job, ("a.png", noise(1)))
    while small.job(job)["progress"]["succeeded"] == 0:
        time.sleep(0.02)
    small.post(f"/api/jobs/{job}/pause").raise_for_status()
    (file,) = small.files(job)
    path = f"/api/jobs/{job}/files/{file['id']}/mask"
    before = blobs(small, job)["mask"]
    assert small.request("PUT", path, content=b"no picture").status_code == 422
    assert blobs(small, job)["mask"] == before
    assert small.request("PUT", path, content=noise(3)).status_code == 200
    taken = blobs(small, job)["mask"]
    assert {small.request("PUT", path, content=noise(4 + n)).status_code for n in range(3)} == {409}
    assert blobs(small, job)["mask"] == taken
    small.request("DELETE", f"/api/jobs/{job}")
    assert small.request("PUT", path, content=noise(8)).status_code == 404
    assert not (small.data / "jobs" / job).exists()


def test_writes_that_race_a_deletion_end_in_order_and_leave_no_folder(small: Server) -> None:
    photos = [(f"{n}.png", noise(100 + n)) for n in range(3)]
    for _ in range(6):
        job, (file, *_) = done(small, *photos, recipe=CUTOUT)
        base = f"/api/jobs/{job}/files/{file['id']}"
        answers: list[int] = []

        def ask(method: str, path: str, answers: list[int] = answers, **arguments: bytes) -> None:
            answers.append(small.request(method, path, **arguments).status_code)

        calls = [
            threading.Thread(target=ask, args=("PUT", f"{base}/mask"), kwargs={"content": noise(9)}),
            threading.Thread(target=ask, args=("GET", f"{base}/thumbnail?of=source&size=1600")),
            threading.Thread(target=ask, args=("GET", f"{base}/thumbnail?size=1600")),
            threading.Thread(target=ask, args=("DELETE", f"/api/jobs/{job}")),
        ]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        assert set(answers) <= {200, 204, 404, 409}, answers
        for _ in range(100):
            if not (small.data / "jobs" / job).exists():
                break
            threading.Event().wait(0.05)
        assert not (small.data / "jobs" / job).exists()


def test_what_went_from_the_disk_is_not_found(small: Server) -> None:
    job, (file,) = done(small, ("a.jpg", picture()))
    for blob in (small.data / "jobs" / job).rglob("*"):
        if blob.is_file():
            blob.unlink()
    base = f"/api/jobs/{job}/files/{file['id']}"
    for path in ("source", "result", "result?as=data_url", "thumbnail?of=source", "thumbnail?size=1600"):
        answer = small.get(f"{base}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "result_not_found"), path


@pytest.mark.parametrize("packed", [False, True])
def test_photo_that_went_from_the_disk_says_so_when_it_is_done_again(small: Server, packed: bool) -> None:
    photo = ("a.jpg", picture())
    if packed:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr(*photo)
        photo = ("a.zip", data.getvalue())
    job = str(small.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()["id"])
    small.post(f"/api/jobs/{job}/pause")
    assert add(small, job, photo)[0] == 202
    for blob in (small.data / "jobs" / job).rglob("*"):
        if blob.is_file():
            blob.unlink()
    small.post(f"/api/jobs/{job}/seal")
    small.post(f"/api/jobs/{job}/resume")
    assert small.finished(job)["error"]["code"] == "source_lost"
