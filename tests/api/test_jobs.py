"""The HTTP contract, against a real server process."""

import io
import json
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.server import Server, multipart

CONVERT = json.dumps({"operations": [], "outputs": [{"name": "full", "format": "png"}]})


def picture(color: str = "red", size: tuple[int, int] = (40, 30), format: str = "JPEG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, color).save(data, format)
    return data.getvalue()


def test_single_photo_becomes_a_finished_job_with_its_result(server: Server) -> None:
    response = server.post("/api/jobs", files=multipart(("a.jpg", picture())), data={"recipe": CONVERT})
    assert response.status_code == 202
    job = response.json()
    assert response.headers["location"] == f"/api/jobs/{job['id']}"
    assert {"id", "name", "status", "job_type", "file_count", "priority", "recipe", "progress", "eta"} <= job.keys()
    assert {"created_at", "updated_at", "expires_at", "error", "links"} <= job.keys()
    assert (job["job_type"], job["file_count"]) == ("single", 1)
    done = server.finished(job["id"])
    assert done["status"] == "completed"
    counts = {"processed": 1, "total": 1, "succeeded": 1, "failed": 0, "review": 0}
    assert done["progress"] == {**counts, "percentage": 100.0}
    (file,) = server.files(job["id"])
    assert (file["name"], file["status"], file["stage"], file["width"], file["height"]) == (
        "a.jpg",
        "completed",
        "done",
        40,
        30,
    )
    result = server.get(file["outputs"][0]["url"])
    assert result.headers["content-type"] == "image/png"
    assert result.headers["x-content-type-options"] == "nosniff"
    assert 'filename="a.png"' in result.headers["content-disposition"]
    assert Image.open(io.BytesIO(result.content)).size == (40, 30)
    data_url = server.get(f"/api/jobs/{job['id']}/files/{file['id']}/result?as=data_url").json()["data_url"]
    assert data_url.startswith("data:image/png;base64,")


@pytest.mark.serial
def test_202_comes_before_the_work(server: Server, photos: dict[str, Path]) -> None:
    began = time.monotonic()
    job = server.submit(*photos.values())
    assert time.monotonic() - began < 1
    assert job["job_type"] == "batch"
    server.post(f"/api/jobs/{job['id']}/cancel")


@pytest.mark.parametrize("format", ["png", "webp", "jpeg", "avif", "tiff"])
def test_every_output_format_is_what_it_says(server: Server, format: str) -> None:
    recipe = json.dumps({"outputs": [{"name": "o", "format": format}]})
    job = server.finished(server.submit(("a.png", picture(format="PNG")), recipe=recipe)["id"])
    (file,) = server.files(job["id"])
    response = server.get(file["outputs"][0]["url"])
    assert response.headers["content-type"] == f"image/{format}"
    assert Image.open(io.BytesIO(response.content)).format == format.upper()


def test_source_thumbnail_and_mask(server: Server) -> None:
    data = picture(size=(800, 400))
    job = server.finished(server.submit(("b.jpg", data), recipe=CONVERT)["id"])
    (file,) = server.files(job["id"])
    base = f"/api/jobs/{job['id']}/files/{file['id']}"
    source = server.get(f"{base}/source")
    assert source.content == data
    assert source.headers["content-disposition"].startswith("attachment")
    for query in ("", "?of=source"):
        thumbnail = server.get(f"{base}/thumbnail{query}")
        assert thumbnail.headers["content-type"] == "image/webp"
        assert max(Image.open(io.BytesIO(thumbnail.content)).size) == 320
    assert server.get(f"{base}/mask").json()["code"] == "mask_not_found"
    assert server.get(f"{base}/result/other").json()["code"] == "result_not_found"
    assert server.get(f"{base}/result?download=true").headers["content-disposition"].startswith("attachment")


def test_zip_keeps_names_and_folders_and_comes_back_as_a_zip(server: Server) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("class 1/anna.jpg", "class 1/ben.jpg", "class 2/anna.jpg", "class 2/anna.bmp"):
            archive.writestr(name, picture(format="BMP" if name.endswith("bmp") else "JPEG"))
        archive.writestr("notes.txt", "hello")
    job = server.finished(server.submit(("school.zip", packed.getvalue()), recipe=CONVERT)["id"])
    assert (job["status"], job["job_type"]) == ("completed", "batch")
    counts = {"processed": 5, "total": 5, "succeeded": 4, "failed": 1, "review": 0}
    assert job["progress"] == {**counts, "percentage": 100.0}
    response = server.get(f"/api/jobs/{job['id']}/download")
    assert response.headers["content-type"] == "application/zip"
    assert int(response.headers["content-length"]) == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "class 1/anna.png",
            "class 1/ben.png",
            "class 2/anna (2).png",
            "class 2/anna.png",
            "errors.csv",
            "manifest.json",
        ]
        manifest = json.loads(archive.read("manifest.json"))
        assert {file["name"]: [output["path"] for output in file["outputs"]] for file in manifest["files"]} == {
            "class 1/anna.jpg": ["class 1/anna.png"],
            "class 1/ben.jpg": ["class 1/ben.png"],
            "class 2/anna.jpg": ["class 2/anna.png"],
            "class 2/anna.bmp": ["class 2/anna (2).png"],
            "notes.txt": [],
        }
        assert "notes.txt,unsupported_format" in archive.read("errors.csv").decode()


def test_mix_of_photos_zip_and_rubbish_fails_only_what_deserves_it(server: Server) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in.jpg", picture())
    files = [
        ("good.jpg", picture()),
        ("set.zip", packed.getvalue()),
        ("broken.zip", b"PK\x03\x04 nothing"),
        ("text.jpg", b"this is not a photo"),
        ("empty.jpg", b""),
        ("cut.jpg", picture("blue", (600, 600))[:3000]),
    ]
    job = server.finished(server.submit(*files, recipe=CONVERT)["id"])
    codes = {file["name"]: file["error"]["code"] if file["error"] else None for file in server.files(job["id"])}
    assert codes == {
        "good.jpg": None,
        "in.jpg": None,
        "broken.zip": "invalid_archive",
        "text.jpg": "unsupported_format",
        "empty.jpg": "empty_file",
        "cut.jpg": "truncated_image",
    }
    assert (job["status"], job["progress"]["failed"]) == ("completed", 4)


def test_open_job_takes_files_one_by_one(server: Server) -> None:
    job = server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()
    assert job["status"] == "receiving"
    path = f"/api/jobs/{job['id']}"
    for name, data in (("a.jpg", picture()), ("b.jpg", b"rubbish")):
        response = server.post(f"{path}/files", files=multipart((name, data)))
        assert response.status_code == 202
        assert [file["name"] for file in response.json()["files"]] == [name]
    assert server.post(f"{path}/seal").status_code == 200
    done = server.finished(job["id"])
    assert (done["status"], done["progress"]["failed"], done["file_count"]) == ("completed", 1, 2)
    assert server.post(f"{path}/files", files=multipart(("c.jpg", picture()))).status_code == 409


def test_retry_of_a_job_without_retryable_files_is_a_conflict(server: Server) -> None:
    job = server.finished(server.submit(("a.jpg", picture()), recipe=CONVERT)["id"])
    response = server.post(f"/api/jobs/{job['id']}/retry")
    assert (response.status_code, response.json()["code"]) == (409, "conflict")


def test_retry_runs_a_failed_photo_again(server: Server) -> None:
    job = server.finished(server.submit(("cut.jpg", picture(size=(600, 600))[:3000]), recipe=CONVERT)["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "truncated_image")
    assert server.post(f"/api/jobs/{job['id']}/retry").status_code == 200
    server.finished(job["id"])
    assert server.files(job["id"])[0]["attempts"] == 2


def test_pause_resume_and_cancel(server: Server) -> None:
    photos = [(f"{n}.jpg", picture(f"#0000{n:02x}", (900, 900))) for n in range(30)]
    job = server.submit(*photos, recipe=CONVERT)
    path = f"/api/jobs/{job['id']}"
    assert server.post(f"{path}/pause").json()["status"] == "paused"
    time.sleep(0.5)
    held = server.job(job["id"])["progress"]["processed"]
    time.sleep(0.5)
    assert server.job(job["id"])["progress"]["processed"] == held < 30
    assert server.post(f"{path}/resume").json()["status"] in ("queued", "processing")
    assert server.post(f"{path}/cancel").json()["status"] == "cancelled"
    statuses = {file["status"] for file in server.files(job["id"])}
    assert statuses <= {"completed", "cancelled"}
    assert server.post(f"{path}/resume").status_code == 409


def test_same_photo_twice_is_done_once_and_says_of_which(server: Server) -> None:
    job = server.finished(server.submit(("a.jpg", picture()), ("b.jpg", picture()), recipe=CONVERT)["id"])
    assert job["progress"]["succeeded"] == 2
    first, copy = server.files(job["id"])
    assert copy["duplicate_of"] == first["id"]
    results = [server.get(file["outputs"][0]["url"]) for file in (first, copy)]
    assert results[0].content == results[1].content
    assert 'filename="b.png"' in results[1].headers["content-disposition"]


def test_job_is_renamed_kept_and_moved_to_the_front(server: Server) -> None:
    job = server.post("/api/jobs?open=true", files=multipart(("a.jpg", picture())), data={"recipe": CONVERT}).json()
    path = f"/api/jobs/{job['id']}"
    changed = server.request("PATCH", path, json={"name": "Class 4b", "keep": True, "priority": "batch"}).json()
    assert (changed["name"], changed["priority"]) == ("Class 4b", "batch")
    assert server.post(f"{path}/front").json()["priority"] == "high"
    server.post(f"{path}/seal")
    assert server.finished(job["id"])["expires_at"] is None
    assert server.request("PATCH", path, json={"keep": False}).json()["expires_at"] is not None
    assert server.request("PATCH", path, json={"colour": "red"}).json()["code"] == "invalid_request"
    assert server.post(f"{path}/front").status_code == 409


def test_lost_answer_to_an_added_file_is_repeated_without_a_second_photo(server: Server) -> None:
    job = server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()
    path = f"/api/jobs/{job['id']}/files"
    answers = [
        server.post(path, files=multipart(("a.jpg", picture())), headers={"Idempotency-Key": "one"}).json()
        for _ in range(2)
    ]
    assert [file["id"] for file in answers[0]["files"]] == [file["id"] for file in answers[1]["files"]]
    assert answers[1]["job"]["file_count"] == 1


def test_reprocess_does_an_ended_job_again_by_another_recipe(server: Server) -> None:
    job = server.submit(("a.jpg", picture()), ("b.jpg", picture("blue")), ("c.jpg", b"rubbish"), recipe=CONVERT)
    path = f"/api/jobs/{job['id']}"
    server.finished(job["id"])
    again = {"operations": [{"op": "resize", "width": 20}], "outputs": [{"name": "small", "format": "webp"}]}
    answer = server.post(f"{path}/reprocess", json=again)
    assert answer.status_code == 200
    assert answer.json()["recipe"]["outputs"][0]["name"] == "small"
    done = server.finished(job["id"])
    assert (done["progress"]["succeeded"], done["progress"]["failed"]) == (2, 1)
    outputs = [file["outputs"] for file in server.files(job["id"])]
    assert [[(output["name"], output["width"]) for output in each] for each in outputs] == [
        [("small", 20)],
        [("small", 20)],
        [],
    ]
    assert server.post(f"{path}/reprocess", json={"operations": [{"op": "no"}]}).json()["code"] == "invalid_recipe"
    open_job = server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()
    assert server.post(f"/api/jobs/{open_job['id']}/reprocess", json=again).status_code == 409


def test_reprocess_does_only_the_named_photos_again(server: Server) -> None:
    photos = (("a.jpg", picture()), ("b.jpg", picture("blue")), ("twin.jpg", picture()), ("c.jpg", b"rubbish"))
    job = server.submit(*photos, recipe=CONVERT)
    path = f"/api/jobs/{job['id']}"
    server.finished(job["id"])
    first, second, twin, bad = server.files(job["id"])
    again = {
        "operations": [{"op": "resize", "width": 20}],
        "outputs": [{"name": "small", "format": "webp", "suffix": "-small"}],
    }
    refused = server.post(f"{path}/reprocess", json={**again, "files": [bad["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert server.post(f"{path}/reprocess", json={**again, "files": ["nobody"]}).json()["code"] == "file_not_found"
    for wrong in (
        {"files": []},
        {"files": "all"},
        {"model": "auto"},
        {"files": [1]},
        {"files": ["x"], "operations": 3},
    ):
        assert server.post(f"{path}/reprocess", json=wrong).json()["code"] == "invalid_recipe", wrong
    assert server.files(job["id"]) == [first, second, twin, bad]
    answer = server.post(f"{path}/reprocess", json={**again, "files": [first["id"], second["id"]]})
    assert answer.json()["recipe"]["outputs"][0]["name"] == "full", "the job's own recipe stays"
    done = server.finished(job["id"])
    assert done["status"] == "completed"
    assert (done["progress"]["succeeded"], done["progress"]["failed"]) == (3, 1)
    after = server.files(job["id"])
    assert [[output["name"] for output in file["outputs"]] for file in after] == [["small"], ["small"], ["full"], []]
    assert after[0]["recipe"]["operations"][0]["width"] == 20
    assert after[2]["recipe"] is None
    with zipfile.ZipFile(io.BytesIO(server.get(f"{path}/download").content)) as archive:
        assert {"a-small.webp", "b-small.webp", "twin.png"} < set(archive.namelist())
    server.post(f"{path}/reprocess", json=json.loads(CONVERT)).raise_for_status()
    server.finished(job["id"])
    assert [file["recipe"] for file in server.files(job["id"])] == [None] * 4, "all follow the job again"


def test_one_photo_is_done_again_by_another_model(server: Server, photos: dict[str, Path]) -> None:
    job = server.submit(photos["chelsea"], ("b.jpg", picture()))
    server.finished(job["id"])
    path = f"/api/jobs/{job['id']}/reprocess"
    first, second = server.files(job["id"])
    other = {"files": [first["id"]], "model": "grabcut"}
    assert server.post(path, json={**other, "model": "no such"}).json()["code"] == "unknown_model"
    server.post(path, json=other).raise_for_status()
    server.finished(job["id"])
    after, untouched = server.files(job["id"])
    assert (first["engine"]["model"], after["engine"]["model"]) != ("grabcut", "isnet-general-use")
    assert after["engine"]["model"] == "grabcut"
    assert untouched == second
    plain = server.finished(server.submit(("b.jpg", picture()), recipe=CONVERT)["id"])
    (file,) = server.files(plain["id"])
    refused = server.post(f"/api/jobs/{plain['id']}/reprocess", json={"files": [file["id"]], "model": "grabcut"})
    assert refused.status_code == 409


def test_delete_removes_the_job_and_its_bytes(server: Server) -> None:
    job = server.finished(server.submit(("a.jpg", picture()), recipe=CONVERT)["id"])
    folder = server.data / "jobs" / job["id"]
    assert folder.exists()
    assert server.request("DELETE", f"/api/jobs/{job['id']}").status_code == 204
    assert not folder.exists()
    assert server.get(f"/api/jobs/{job['id']}").json()["code"] == "job_not_found"
    assert server.request("DELETE", f"/api/jobs/{job['id']}").status_code == 404


def test_etag_answers_304_until_the_job_changes(server: Server) -> None:
    job = server.finished(server.submit(("a.jpg", picture()), recipe=CONVERT)["id"])
    path = f"/api/jobs/{job['id']}"
    etag = server.get(path).headers["etag"]
    assert server.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert server.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_history_is_newest_first_and_paged(server: Server) -> None:
    ids = [server.submit(("a.jpg", picture()), recipe=CONVERT)["id"] for _ in range(3)]
    page = server.get("/api/jobs?limit=2").json()
    assert [job["id"] for job in page["jobs"]] == [ids[2], ids[1]]
    page = server.get(f"/api/jobs?limit=1&before={page['next']}").json()
    assert [job["id"] for job in page["jobs"]] == [ids[0]]


def test_idempotency_key_makes_one_job_of_two_requests(server: Server) -> None:
    def send(data: bytes, key: str) -> tuple[int, str]:
        response = server.post(
            "/api/jobs",
            files=multipart(("a.jpg", data)),
            data={"recipe": CONVERT},
            headers={"Idempotency-Key": key},
        )
        return response.status_code, response.json().get("id") or response.json()["code"]

    first = send(picture(), "k1")
    assert send(picture(), "k1") == first
    assert send(picture("blue"), "k1") == (409, "idempotency_key_reused")
    assert send(picture(), "k2")[1] != first[1]


def test_simple_fields_make_the_recipe(server: Server) -> None:
    job = server.submit(
        ("a.jpg", picture()), remove_bg="true", model="grabcut", background="#ffffff", format="jpeg", name="Mine"
    )
    assert job["name"] == "Mine"
    assert job["recipe"]["operations"][0]["op"] == "remove_background"
    assert job["recipe"]["operations"][0]["background"] == "#ffffff"
    assert job["recipe"]["outputs"][0]["format"] == "jpeg"
    done = server.finished(job["id"])
    assert done["status"] == "completed"
    (file,) = server.files(job["id"])
    assert file["engine"]["model"] == "grabcut"
    mask = server.get(f"/api/jobs/{job['id']}/files/{file['id']}/mask")
    assert Image.open(io.BytesIO(mask.content)).mode == "L"


def test_health_stats_and_catalogue(server: Server) -> None:
    health = server.get("/health").json()
    assert health["status"] == "ok"
    assert {"version", "queue", "workers", "models"} <= health.keys()
    assert server.get("/api/stats").json()["files"]["completed"] > 0
    names = {row["op"] for row in server.get("/api/operations").json()["operations"]}
    assert {"remove_background", "crop_face", "resize"} <= names
    models = {row["name"]: row for row in server.get("/api/models").json()["models"]}
    assert {"isnet-general-use", "u2net", "u2netp", "silueta", "u2net_human_seg", "isnet-anime"} <= models.keys()
    assert {"birefnet-general", "birefnet-general-lite", "birefnet-portrait", "grabcut", "watershed"} <= models.keys()
    assert "bria-rmbg" not in models
    assert all(row["licence"] for row in models.values())
    for preset in server.get("/api/presets").json()["presets"]:
        response = server.post("/api/jobs", files=multipart(("a.txt", b"x")), data={"preset": preset["name"]})
        assert response.json()["code"] == "unsupported_format", "the preset itself must be taken"
    assert server.get("/openapi.json").json()["paths"]["/api/jobs"]["post"]["requestBody"]
    assert server.get("/docs").status_code == 200
    assert server.get("/docs/assets/swagger-ui-bundle.js").status_code == 200
