"""A real server process for tests, and what talks to it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

ROOT = Path(__file__).parent.parent
FINAL = ("completed", "failed", "cancelled")
NO_TLS = httpx.create_ssl_context(verify=False)  # for plain HTTP; else httpx reads all certificates, 25 ms a request
Json = dict[str, Any]


class Server:
    """`python app.py` on a free port, with a data folder of its own."""

    def __init__(self, data: Path, models: Path, script: str | None = None, **settings: str) -> None:
        self.python, self.folder = sys.executable, ROOT
        self.program = ["-c", script] if script else ["app.py"]
        self.data = data
        self.log = data.with_suffix(".log")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PHOTO_")},
            "PHOTO_DATA_DIR": str(data),
            "PHOTO_MODEL_DIR": str(models),
            "PHOTO_PORT": "0",
            "PHOTO_PREFETCH_MODEL": "false",
            "PHOTO_OPTIMIZE": "off",
            **{f"PHOTO_{name.upper()}": value for name, value in settings.items()},
        }
        self.process: subprocess.Popen[str]
        self.url = ""
        self.seconds_to_serve = 0.0

    def start(self) -> "Server":
        began = time.monotonic()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [self.python, *self.program],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            self.process.stdout.close()
            self.process.wait(10)
            raise RuntimeError(f"the server did not start: {line!r}\n{self.log.read_text()}")
        self.url = found.group()
        httpx.get(f"{self.url}/", timeout=30).raise_for_status()
        self.seconds_to_serve = time.monotonic() - began
        return self

    def stop(self, number: int = signal.SIGTERM, timeout: float = 30) -> int:
        """Send a signal and wait; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    # --- talking to it ---

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return httpx.request(method, self.url + path, timeout=60, verify=NO_TLS, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    def submit(self, *photos: Path | tuple[str, bytes], **fields: str) -> Json:
        """Submit photos; returns the Job of the 202."""
        response = self.post("/api/jobs", files=multipart(*photos), data=fields)
        assert response.status_code == 202, response.text
        return dict(response.json())

    def job(self, job_id: str) -> Json:
        return dict(self.get(f"/api/jobs/{job_id}").raise_for_status().json())

    def files(self, job_id: str) -> list[Json]:
        return list(self.get(f"/api/jobs/{job_id}/files?limit=1000").raise_for_status().json()["files"])

    def finished(self, job_id: str, timeout: float = 240, pause: float = 0.1) -> Json:
        """The job once it has ended, looked at every `pause` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            job = self.job(job_id)
            if job["status"] in FINAL:
                return job
            time.sleep(pause)
        raise TimeoutError(f"job {job_id} is still {job['status']}: {job['progress']}\n{self.log.read_text()[-3000:]}")

    def messages(self, job_id: str, query: str = "") -> Iterator[Json]:
        """Every message of the job's WebSocket until it closes; heartbeats too."""
        url = self.url.replace("http", "ws", 1) + f"/ws/job/{job_id}{query}"
        with connect(url, max_size=None) as socket:
            for text in socket:
                yield json.loads(text)


def multipart(*photos: Path | tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    """The field `files` for httpx, from paths or (name, bytes)."""
    pairs = [(photo.name, photo.read_bytes()) if isinstance(photo, Path) else photo for photo in photos]
    return [("files", pair) for pair in pairs]
