"""Presets of the server's own."""

import json

import pytest

from tests.api.test_jobs import picture
from tests.server import Json, Server, multipart

PASSPORT: Json = {
    "title": "Staff photo",
    "description": "Grey, 40 px wide.",
    "recipe": {"operations": [{"op": "grayscale"}, {"op": "resize", "width": 40}], "outputs": [{"format": "webp"}]},
}


def names(server: Server) -> dict[str, bool]:
    return {preset["name"]: preset["own"] for preset in server.get("/api/presets").json()["presets"]}


def test_own_preset_is_kept_used_shared_changed_and_deleted(server: Server) -> None:
    assert server.request("PUT", "/api/presets/staff", json=PASSPORT).status_code == 200
    assert names(server)["staff"] is True
    assert names(server)["web"] is False
    job = server.finished(server.submit(("a.jpg", picture(size=(200, 100))), preset="staff")["id"])
    (file,) = server.files(job["id"])
    assert (file["outputs"][0]["format"], file["outputs"][0]["width"]) == ("webp", 40)
    shared = server.get("/api/presets/staff").json()
    assert server.request("PUT", "/api/presets/staff", json={**shared, "title": "Staff"}).json()["title"] == "Staff"
    kept = json.loads((server.data / "presets.json").read_text())
    assert [(row["name"], row["title"]) for row in kept] == [("staff", "Staff")]
    assert server.request("DELETE", "/api/presets/staff").status_code == 204
    assert "staff" not in names(server)
    assert server.request("DELETE", "/api/presets/staff").status_code == 404
    assert server.get("/api/presets/staff").status_code == 404
    refused = server.post("/api/jobs", files=multipart(("a.jpg", picture())), data={"preset": "staff"})
    assert refused.json()["code"] == "unknown_preset"


@pytest.mark.parametrize(
    ("path", "change", "status", "code"),
    [
        ("web", {}, 409, "conflict"),
        ("Staff", {}, 422, "invalid_request"),
        ("own-1", {}, 422, "invalid_request"),
        ("x" * 65, {}, 422, "invalid_request"),
        ("staff", {"name": "other"}, 422, "invalid_request"),
        ("staff", {"title": ""}, 422, "invalid_request"),
        ("staff", {"more": 1}, 422, "invalid_request"),
        ("staff", {"recipe": {"operations": [{"op": "explode"}]}}, 422, "invalid_recipe"),
        ("staff", {"recipe": {"operations": [{"op": "remove_background", "model": "no"}]}}, 422, "unknown_model"),
    ],
)
def test_preset_that_cannot_be_kept_is_refused(server: Server, path: str, change: Json, status: int, code: str) -> None:
    response = server.request("PUT", f"/api/presets/{path}", json={**PASSPORT, **change})
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert not any(names(server).values())


def test_built_in_preset_is_not_deleted(server: Server) -> None:
    assert server.request("DELETE", "/api/presets/web").json()["code"] == "conflict"
    assert "web" in names(server)


def test_file_edited_by_hand_is_read_and_a_broken_one_is_left_alone(server: Server) -> None:
    path = server.data / "presets.json"
    path.write_text(json.dumps([{**PASSPORT, "name": "by_hand"}]))
    assert names(server)["by_hand"] is True
    path.write_text("[{")
    assert "by_hand" not in names(server)
    assert "repair" in server.request("PUT", "/api/presets/staff", json=PASSPORT).json()["detail"]
    assert path.read_text() == "[{", "what a person wrote is not thrown away"
    path.unlink()
