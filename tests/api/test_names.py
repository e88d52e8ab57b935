"""Lists of names, labels and named results, against a real server process."""

import io
import json
import time
import zipfile

import httpx
import numpy as np
import pytest
from PIL import Image
from websockets.sync.client import connect

from tests.api.test_jobs import picture
from tests.server import Json, Server, multipart

LIST = "file;number;caption\nanna.jpg;1001;Anna Ålund\nnobody.jpg;1002;Nobody\n".encode("cp1252")
NAMING = {"naming": "{folder}/{number}_{output}", "outputs": [{"name": "print"}, {"name": "web", "format": "webp"}]}
LABEL = {"operations": [{"op": "label", "text": "{caption}"}]}
INDEX = {"operations": [{"op": "label", "text": "{index:03}", "size": 0.5}]}


def zipped(**entries: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return data.getvalue()


def download(server: Server, job: str) -> tuple[set[str], Json]:
    """The names in the job's ZIP, and its manifest."""
    content = server.get(f"/api/jobs/{job}/download").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return set(archive.namelist()) - {"manifest.json"}, json.loads(archive.read("manifest.json"))


@pytest.mark.parametrize("packed", [False, True])
def test_list_of_names_gives_numbers_and_captions(server: Server, packed: bool) -> None:
    photos = [("anna.jpg", picture()), ("berta.jpg", picture("blue"))]
    sent = [*photos, ("class.csv", LIST)]
    if packed:
        sent = [("class.zip", zipped(anna_jpg=picture(), berta_jpg=picture("blue"), class_csv=LIST))]
    job = server.finished(server.submit(*sent, recipe=json.dumps(NAMING))["id"])
    assert (job["status"], job["file_count"], job["progress"]["failed"]) == ("completed", 2, 0)
    assert job["names"] == {
        "matched": 1,
        "rows_without_photo": ["nobody.jpg"],
        "photos_without_row": ["berta.jpg"],
        "more": 0,
        "problems": [],
    }
    anna, berta = server.files(job["id"])
    assert (anna["number"], anna["caption"], anna["index"]) == ("1001", "Anna Ålund", 1)
    assert (berta["number"], berta["caption"], berta["index"]) == (None, None, 2)
    names, manifest = download(server, job["id"])
    assert names == {"1001_print.png", "1001_web.webp", "berta_print.png", "berta_web.webp"}
    assert manifest["names"]["rows_without_photo"] == ["nobody.jpg"]
    assert manifest["names"]["photos_without_row"] == ["berta.jpg"]
    assert manifest["files"][0]["outputs"][1]["path"] == "1001_web.webp"
    assert 'filename="1001_web.webp"' in server.get(anna["outputs"][1]["url"]).headers["content-disposition"]


def test_results_of_one_name_are_numbered_in_the_zip(server: Server) -> None:
    rows = b"file,number\na.jpg,7\nb.jpg,7\n"
    fields = {"recipe": json.dumps({"operations": []}), "naming": "{number}"}
    sent = [("a.jpg", picture()), ("b.jpg", picture("blue")), ("n.csv", rows)]
    job = server.finished(server.submit(*sent, **fields)["id"])
    assert download(server, job["id"])[0] == {"7.png", "7 (2).png"}


def test_list_that_cannot_be_read_fails_no_photo(server: Server) -> None:
    job = server.finished(server.submit(("a.jpg", picture()), ("x.csv", b"a,b\n1,2\n"), remove_bg="false")["id"])
    assert (job["status"], job["file_count"]) == ("completed", 1)
    assert "no column" in job["names"]["problems"][0]
    alone = server.post("/api/jobs", files=multipart(("x.csv", LIST)))
    assert (alone.status_code, alone.json()["code"]) == (422, "no_files")
    packed = server.post("/api/jobs", files=multipart(("x.zip", zipped(class_csv=LIST))))
    assert (packed.status_code, packed.json()["code"]) == (422, "empty_archive")
    assert server.submit(("a.jpg", picture()), remove_bg="false")["names"] is None


def test_open_job_waits_for_the_list_where_labels_need_it(server: Server) -> None:
    job = server.post("/api/jobs?open=true", data={"recipe": json.dumps(LABEL)}).json()["id"]
    server.post(f"/api/jobs/{job}/files", files=multipart(("anna.jpg", picture(size=(200, 100)))))
    time.sleep(0.5)
    assert server.job(job)["progress"]["processed"] == 0, "its caption may still come"
    added = server.post(f"/api/jobs/{job}/files", files=multipart(("class.csv", LIST)))
    assert (added.status_code, added.json()["files"]) == (202, [])
    server.post(f"/api/jobs/{job}/seal")
    assert server.finished(job)["names"]["matched"] == 1
    (file,) = server.files(job)
    result = Image.open(io.BytesIO(server.get(file["outputs"][0]["url"]).content))
    assert result.height > 100, "the strip"
    assert file["warnings"] == []


def test_same_photo_twice_is_labelled_twice(server: Server) -> None:
    sent = [("a.jpg", picture()), ("b.jpg", picture()), ("c.zip", zipped(c_jpg=picture(), d_jpg=picture()))]
    job = server.finished(server.submit(*sent, recipe=json.dumps(INDEX))["id"])["id"]
    files = server.files(job)
    assert [file["duplicate_of"] for file in files] == [None] * 4
    assert len({file["outputs"][0]["sha256"] for file in files}) == 4
    plain = json.dumps({"operations": [{"op": "grayscale"}]})
    again = server.finished(server.submit(*sent, recipe=plain)["id"])["id"]
    assert sum(file["duplicate_of"] is not None for file in server.files(again)) == 3
    server.post(f"/api/jobs/{again}/reprocess", content=json.dumps(INDEX))
    server.finished(again)
    assert len({file["outputs"][0]["sha256"] for file in server.files(again)}) == 4


def test_date_is_the_cameras(server: Server) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:02:28 11:22:33"
    data = io.BytesIO()
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(data, "JPEG", exif=exif)
    fields = {"remove_bg": "false", "naming": "{date:%Y}/{date}"}
    job = server.finished(server.submit(("a.jpg", data.getvalue()), ("b.jpg", picture()), **fields)["id"])
    assert server.files(job["id"])[0]["taken"] == "2019-02-28T11:22:33"
    uploaded = job["created_at"][:10]
    names = download(server, job["id"])[0]
    assert "2019/2019-02-28.png" in names
    assert len(names) == 2
    assert uploaded[:4] in "".join(names)


def test_template_of_names_is_checked(server: Server) -> None:
    response = server.post("/api/jobs", files=multipart(("a.jpg", picture())), data={"naming": "{nothing}"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_recipe")
    assert response.json()["errors"][0]["pointer"] == "/naming"


def test_names_of_every_program_are_kept_and_extract_everywhere(server: Server) -> None:
    """Rare blanks, .NET's headers, what Windows forbids and what is too long, in one upload and one ZIP."""
    names = ["山田\u3000太郎.jpg", "می\u200cروم.jpg", "a  b.jpg", "CON.jpg", "Shot 10:30.jpg", "写" * 83 + ".jpg"]
    parts = [(f'filename="{name}"'.encode(), picture(size=(30 + at, 30))) for at, name in enumerate(names)]
    parts += [(b"filename*=utf-8''M%C3%BCller.jpg", picture("blue"))]
    parts += [(b'filename="=?utf-8?B?TcO8bGxlci5qcGc=?="', picture("green"))]
    table = "file,number\n" + "".join(f"{name},{at}\n" for at, name in enumerate([*names, "Müller.jpg"]))
    parts += [(b'filename="list.csv"', table.encode())]
    head = b"--x\r\nContent-Disposition: form-data; name=files; "
    body = b"".join(head + name + b"\r\n\r\n" + content + b"\r\n" for name, content in parts)
    body += b'--x\r\nContent-Disposition: form-data; name="remove_bg"\r\n\r\nfalse\r\n--x--\r\n'
    sent = server.post("/api/jobs", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    job = server.finished(sent.json()["id"])
    assert [file["name"] for file in server.files(job["id"])] == [*names, "Müller.jpg", "Müller.jpg"]
    assert job["names"]["matched"] == len(names) + 2
    found, manifest = download(server, job["id"])
    assert {"_CON.png", "Shot 10_30.png", "a  b.png", "Müller.png", "Müller (2).png", "写" * 83 + ".png"} <= found
    assert {output["path"] for file in manifest["files"] for output in file["outputs"]} == found


def added(server: Server, job: str, index: int | str, *parts: tuple[str, bytes]) -> httpx.Response:
    return server.post(f"/api/jobs/{job}/files", files=multipart(*parts), data={"index": str(index)})


def test_photos_come_into_the_order_in_which_they_were_chosen(server: Server) -> None:
    """Whatever order their requests arrive in: `index`, lists, names, labels and events have it once it is sealed."""
    naming = {"naming": "{index:02}", **INDEX}
    job = server.post("/api/jobs?open=true", data={"recipe": json.dumps(naming)}).json()["id"]
    refused = added(server, job, 0, ("x.jpg", picture()))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/index")
    with connect(f"{server.url.replace('http', 'ws', 1)}/ws/job/{job}") as socket:
        for index, name in ((4, "d.jpg"), (2, "b.jpg"), (1, "a.jpg")):
            added(server, job, index, (name, picture(size=(40, 30 + index))))
        added(server, job, 3, ("c.zip", zipped(c1_jpg=picture(size=(41, 31)), c2_jpg=picture(size=(42, 31)))))
        server.post(f"/api/jobs/{job}/files", files=multipart(("last.jpg", picture("green"))))
        assert server.job(job)["progress"]["processed"] == 0, "the labels count photos, so all must be there"
        server.post(f"/api/jobs/{job}/seal")
        messages = [json.loads(message) for message in socket]
    wanted = ["a.jpg", "b.jpg", "c1.jpg", "c2.jpg", "d.jpg", "last.jpg"]
    job_now = server.finished(job)
    files = server.files(job)
    assert [(file["index"], file["name"]) for file in files] == list(enumerate(wanted, 1))
    assert {brief["name"]: brief["index"] for message in messages for brief in message.get("files", [])} == {
        name: index for index, name in enumerate(wanted, 1)
    }
    assert download(server, job)[1]["files"][0]["outputs"][0]["path"] == "01.png"
    assert job_now["status"] == "completed"


def test_number_and_caption_are_corrected_by_hand(server: Server) -> None:
    """The report follows, results are called so, labels say it, and it stays when another photo is deleted."""
    recipe = {**LABEL, "naming": "{number}"}
    sent = [("anna.jpg", picture()), ("berta.jpg", picture("blue")), ("class.csv", LIST)]
    job = server.finished(server.submit(*sent, recipe=json.dumps(recipe))["id"])["id"]
    rows = server.get(f"/api/jobs/{job}/names").json()["rows"]
    assert [(row["file"], row["number"], row["used"]) for row in rows] == [
        ("anna.jpg", "1001", True),
        ("nobody.jpg", "1002", False),
    ]
    anna, berta = server.files(job)
    before = berta["outputs"][0]["sha256"]
    address = f"/api/jobs/{job}/files/{berta['id']}"
    named = server.request("PATCH", address, json={"number": "1002", "caption": "Nobody"})
    assert named.json()["names"]["rows_without_photo"] == named.json()["names"]["photos_without_row"] == []
    server.finished(job)
    file = server.get(address).json()
    assert (file["number"], file["caption"]) == ("1002", "Nobody")
    assert file["outputs"][0]["sha256"] != before, "its label says so"
    assert "1002.png" in download(server, job)[0]
    server.request("PATCH", address, json={"name": "Berta K."})
    assert server.get(address).json()["name"] == "Berta K..jpg"
    server.request("DELETE", f"/api/jobs/{job}/files/{anna['id']}")
    assert server.job(job)["names"]["rows_without_photo"] == ["anna.jpg"]
    assert server.get(address).json()["number"] == "1002"
    assert server.request("PATCH", address, json={"numbers": "1"}).status_code == 422
    assert server.request("PATCH", f"/api/jobs/{job}/files/nobody", json={"number": "1"}).status_code == 404


def test_results_are_called_otherwise_without_being_made_again(server: Server) -> None:
    recipe = json.dumps({"operations": []})
    job = server.finished(server.submit(("a.jpg", picture()), ("n.csv", b"file,number\na,7\n"), recipe=recipe)["id"])
    address = f"/api/jobs/{job['id']}"
    made = server.files(job["id"])[0]["outputs"][0]
    assert server.request("PATCH", address, json={"naming": "{number}"}).json()["recipe"]["naming"] == "{number}"
    assert download(server, job["id"])[0] == {"7.png"}
    assert server.files(job["id"])[0]["outputs"][0] == made
    assert server.request("PATCH", address, json={"naming": "{nothing}"}).json()["errors"][0]["pointer"] == "/naming"
    assert server.request("PATCH", address, json={"naming": ""}).json()["recipe"]["naming"] is None
    assert download(server, job["id"])[0] == {"a.png"}
