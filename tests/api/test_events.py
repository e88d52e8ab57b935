"""`/ws/job/{id}` with a real WebSocket client."""

import io
import json
from contextlib import suppress

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.server import Server

CONVERT = json.dumps({"operations": []})


def photo(name: str, size: int = 700) -> tuple[str, bytes]:
    data = io.BytesIO()
    Image.effect_noise((size, size), 50).save(data, "PNG")
    return name, data.getvalue()


def socket_url(server: Server, path: str) -> str:
    return server.url.replace("http", "ws", 1) + path


def close_code(server: Server, path: str, origin: str | None = None) -> int:
    """The code that the server closes with, once it does."""
    with connect(socket_url(server, path), origin=origin) as socket, suppress(ConnectionClosed):
        for _ in socket:
            pass
    assert socket.close_code is not None
    return socket.close_code


def test_job_is_followed_from_snapshot_to_the_final_message(server: Server) -> None:
    job = server.submit(*[photo(f"{n}.png") for n in range(8)], recipe=CONVERT)
    messages = list(server.messages(job["id"]))
    first, last = messages[0], messages[-1]
    assert first["snapshot"] is True
    assert len(first["files"]) == 8
    assert not any(message["snapshot"] for message in messages[1:])
    assert (last["final"], last["status"], last["progress"]["percentage"]) == (True, "completed", 100.0)
    assert [message["final"] for message in messages].count(True) == 1
    for message in messages:
        assert message["type"] == "progress"
        assert message["job_id"] == job["id"]
        assert {"status", "progress", "metadata", "error", "seq", "stage", "files"} <= message.keys()
        assert {"created_at", "updated_at", "job_type", "file_count"} == message["metadata"].keys()
    for key in ("seq", "processed"):
        values = [message["seq"] if key == "seq" else message["progress"][key] for message in messages]
        assert values == sorted(values)
    states = {file["id"]: file["status"] for message in messages for file in message["files"]}
    assert list(states.values()) == ["completed"] * 8


def test_late_subscriber_gets_exactly_the_final_message(server: Server) -> None:
    job = server.finished(server.submit(photo("a.png"), recipe=CONVERT)["id"])
    (message,) = list(server.messages(job["id"]))
    assert (message["final"], message["snapshot"], message["files"][0]["status"]) == (True, True, "completed")
    assert close_code(server, f"/ws/job/{job['id']}") == 1000


def test_since_names_only_what_was_missed(server: Server) -> None:
    job = server.finished(server.submit(photo("a.png"), photo("b.png"), recipe=CONVERT)["id"])
    (whole,) = list(server.messages(job["id"]))
    (missed,) = list(server.messages(job["id"], f"?since={whole['seq'] - 1}"))
    assert (missed["seq"], len(missed["files"])) == (whole["seq"], 1)
    (nothing,) = list(server.messages(job["id"], f"?since={whole['seq']}"))
    assert nothing["files"] == []


def test_unknown_job_closes_4404_and_foreign_origin_4403(server: Server) -> None:
    job = server.submit(photo("a.png"), recipe=CONVERT)
    assert close_code(server, "/ws/job/none") == 4404
    assert close_code(server, f"/ws/job/{job['id']}", "https://evil.example") == 4403
    assert close_code(server, f"/ws/job/{job['id']}", server.url) == 1000


def test_two_subscribers_see_the_same_end(server: Server) -> None:
    job = server.submit(*[photo(f"{n}.png") for n in range(4)], recipe=CONVERT)
    with connect(socket_url(server, f"/ws/job/{job['id']}")) as idle:
        active = list(server.messages(job["id"]))
        lagging = [json.loads(text) for text in idle]
    assert active[-1]["final"] is lagging[-1]["final"] is True
    assert active[-1]["seq"] == lagging[-1]["seq"]


def test_stopping_server_closes_1012(start_server) -> None:  # type: ignore[no-untyped-def]
    server = start_server()
    job = server.post("/api/jobs?open=true", data={"recipe": CONVERT}).json()
    with connect(socket_url(server, f"/ws/job/{job['id']}")) as socket:
        socket.recv(timeout=10)
        assert server.stop() == 0
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
