"""Crops chosen by hand and what to look at: made again without a model, measured again, accepted."""

import io
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.server import Json, Server

RECIPE = json.dumps(
    {
        "operations": [{"op": "id_photo", "preset": "school_card", "model": "watershed"}],
        "outputs": [{"format": "png"}],
    }
)


def encoded(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def job(server: Server) -> Json:
    """A finished job of a portrait, a photo without a face, and a dark portrait."""
    dark = (data.astronaut() * 0.2).astype(np.uint8)
    photos = [("a.png", encoded(data.astronaut())), ("b.png", encoded(data.coffee())), ("c.png", encoded(dark))]
    return server.finished(server.submit(*photos, recipe=RECIPE)["id"])


def address(job: Json, file: Json, what: str) -> str:
    return f"/api/jobs/{job['id']}/files/{file['id']}/{what}"


def codes(file: Json) -> list[str]:
    return [item["code"] for item in file["review"]]


def inferences(server: Server) -> float:
    found = re.search(r"^photo_inferences (\S+)$", server.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def result(server: Server, file: Json) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content)).convert("RGB"))


def test_file_says_its_faces_its_crop_and_its_review(server: Server, job: Json) -> None:
    portrait, cup, dark = server.files(job["id"])
    (face,) = portrait["faces"]
    assert face["detector"] in ("haar", "yunet")
    assert abs(face["x"] - 177) < 10
    assert portrait["crop"]["manual"] is False
    assert abs(portrait["crop"]["centre"][0] - 224) < 25
    assert portrait["crop"]["width"] / portrait["crop"]["height"] == pytest.approx(30 / 40, abs=0.01)
    assert (cup["faces"], cup["crop"], codes(cup)) == ([], None, ["no_face"])
    assert "too_dark" in codes(dark)
    (item,) = [item for item in dark["review"] if item["code"] == "too_dark"]
    assert item["value"] < item["low"]
    assert item["message"].endswith(".")


def test_review_is_counted_listed_and_told(server: Server, job: Json) -> None:
    files = server.files(job["id"])
    flagged = [file["id"] for file in files if file["review"]]
    assert flagged
    assert server.job(job["id"])["progress"]["review"] == len(flagged)
    listed = server.get(f"/api/jobs/{job['id']}/files?status=review").json()["files"]
    assert [file["id"] for file in listed] == flagged
    assert server.get(f"/api/jobs/{job['id']}/files?status=odd").status_code == 422


def test_messages_name_the_codes_of_each_photo(server: Server, job: Json) -> None:
    (last,) = list(server.messages(job["id"]))[-1:]
    files = {file["id"]: codes(file) for file in server.files(job["id"])}
    assert {file["id"]: file["review"] for file in last["files"]} == files
    assert last["progress"]["review"] == sum(map(bool, files.values()))


def test_crop_by_hand_is_made_without_a_model_and_taken_back(server: Server, job: Json) -> None:
    portrait = server.files(job["id"])[0]
    before, ran = result(server, portrait), inferences(server)
    wanted = {"centre": [225, 130], "width": 120, "angle": -5}
    answer = server.request("PUT", address(job, portrait, "crop"), json=wanted)
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    server.finished(job["id"])
    changed = server.files(job["id"])[0]
    assert changed["crop"] == {"centre": [225.0, 130.0], "width": 120.0, "height": 160.0, "angle": -5.0, "manual": True}
    assert "head_size" in codes(changed)  # so much larger than a school card has it
    assert changed["outputs"][0]["width"] == portrait["outputs"][0]["width"]
    assert changed["engine"] == portrait["engine"]
    assert changed["faces"] == portrait["faces"]
    after = result(server, changed)
    assert np.abs(after.astype(int) - before).mean() > 5

    assert server.request("DELETE", address(job, changed, "crop")).status_code == 200
    server.finished(job["id"])
    again = server.files(job["id"])[0]
    assert again["crop"] == portrait["crop"]
    assert again["review"] == portrait["review"]
    assert np.abs(result(server, again).astype(int) - before).mean() < 1
    assert inferences(server) == ran


def test_photo_without_a_face_can_be_cropped_by_hand(server: Server, job: Json) -> None:
    cup = server.files(job["id"])[1]
    body = {"centre": [300, 200], "width": 150, "height": 200}
    assert server.request("PUT", address(job, cup, "crop"), json=body).status_code == 200
    server.finished(job["id"])
    cropped = server.files(job["id"])[1]
    assert (cropped["crop"]["manual"], cropped["crop"]["width"]) == (True, 150)
    assert (cropped["outputs"][0]["width"], cropped["outputs"][0]["height"]) == (354, 472)


def test_accepted_photo_has_nothing_left_to_look_at(server: Server, job: Json) -> None:
    dark = server.files(job["id"])[2]
    count = server.job(job["id"])["progress"]["review"]
    assert dark["review"]
    for _ in range(2):
        answer = server.post(address(job, dark, "accept"))
        assert (answer.status_code, answer.json()["progress"]["review"]) == (200, count - 1)
    assert server.files(job["id"])[2]["review"] == []
    body = {"centre": [225, 120], "width": 150}
    server.request("PUT", address(job, dark, "crop"), json=body).raise_for_status()
    server.finished(job["id"])
    assert "too_dark" in codes(server.files(job["id"])[2])
    assert server.job(job["id"])["progress"]["review"] == count


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"centre": [225, 130], "width": -5}, "invalid_request"),
        ({"centre": [225], "width": 50}, "invalid_request"),
        ({"centre": [225, 130], "width": 50, "zoom": 2}, "invalid_request"),
        ({"centre": [225, 130], "width": 2}, "invalid_crop"),
        ({"centre": [225, 130], "width": 5000}, "invalid_crop"),
        ({"centre": [2250, 130], "width": 50}, "invalid_crop"),
    ],
)
def test_crop_that_is_of_no_use_is_refused(server: Server, job: Json, body: Json, code: str) -> None:
    file = server.files(job["id"])[0]
    answer = server.request("PUT", address(job, file, "crop"), json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert server.job(job["id"])["status"] == "completed"


def test_what_is_not_there_or_not_cropped_is_said(server: Server, job: Json, photos: dict[str, Path]) -> None:
    body = {"centre": [30, 30], "width": 20}
    for method, what in (("PUT", "crop"), ("DELETE", "crop"), ("POST", "accept")):
        content = {"json": body} if method == "PUT" else {}
        assert server.request(method, address(job, {"id": "0"}, what), **content).status_code == 404
        assert server.request(method, address({"id": "0"}, {"id": "0"}, what), **content).status_code == 404
    plain = server.finished(server.submit(photos["coffee"], recipe=json.dumps({"operations": []}))["id"])
    (file,) = server.files(plain["id"])
    answer = server.request("PUT", address(plain, file, "crop"), json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_all_faces_come_as_numbered_files(server: Server) -> None:
    scene = np.full((512, 1100, 3), 127, np.uint8)
    scene[:, :512] = data.astronaut()
    scene[100:400, 512:812] = cv2.resize(data.astronaut(), (300, 300), interpolation=cv2.INTER_AREA)
    recipe = json.dumps({"operations": [{"op": "crop_face", "which": "all"}], "outputs": [{"format": "jpeg"}]})
    job = server.finished(server.submit(("class.png", encoded(scene)), recipe=recipe)["id"])
    (file,) = server.files(job["id"])
    assert [(output["name"], output["face"]) for output in file["outputs"]] == [("full-1", 1), ("full-2", 2)]
    for output in file["outputs"]:
        answer = server.get(output["url"])
        assert answer.status_code == 200
        assert f"class-{output['face']}.jpg" in answer.headers["Content-Disposition"]


def test_face_detector_removes_no_background(server: Server, photos: dict[str, Path]) -> None:
    rows = {row["name"]: row for row in server.get("/api/models").json()["models"]}
    assert rows["yunet"]["kind"] == "face_detector"
    assert rows["face-mesh"]["kind"] == "face_landmarks"
    for name in ("yunet", "face-mesh"):
        recipe = json.dumps({"operations": [{"op": "remove_background", "model": name}]})
        with photos["coffee"].open("rb") as photo:
            answer = server.request("POST", "/api/jobs", files={"files": ("a.jpg", photo)}, data={"recipe": recipe})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_model")


def test_many_are_accepted_at_once_and_it_is_taken_back(server: Server, job: Json) -> None:
    ids = [file["id"] for file in server.files(job["id"])]
    before = {file["id"]: file["review"] for file in server.files(job["id"])}
    address = f"/api/jobs/{job['id']}/files/accept"
    assert server.post(address, json={"files": [*ids, "nobody"]}).json()["progress"]["review"] == 0
    assert all(file["accepted"] for file in server.files(job["id"]) if before[file["id"]] or file["warnings"])
    server.post(address, json={"files": ids, "accepted": False}).raise_for_status()
    after = {file["id"]: file["review"] for file in server.files(job["id"])}
    assert {key: sorted(map(str, items)) for key, items in after.items()} == {
        key: sorted(map(str, items)) for key, items in before.items()
    }
