"""The README's examples, run as they stand, but for the address."""

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.server import ROOT, Server

ADDRESS = "http://127.0.0.1:5000"


def blocks(language: str) -> list[str]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, photos: dict[str, Path]) -> Path:
    """A folder with the files that the examples send."""
    (tmp_path / "portrait.jpg").write_bytes(photos["astronaut"].read_bytes())
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.write(photos["astronaut"], "4b/17.jpg")
    return tmp_path


def shell(script: str, server: Server, folder: Path) -> str:
    script = "set -e\n" + script.replace(ADDRESS, server.url)
    run = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_submit_wait_and_download(server: Server, folder: Path) -> None:
    shell(blocks("bash")[0], server, folder)
    with zipfile.ZipFile(folder / "photos.zip") as archive:
        assert {"portrait.png", "manifest.json"} == set(archive.namelist())


def test_zip_with_simple_fields(server: Server, folder: Path) -> None:
    job = json.loads(shell(blocks("bash")[1], server, folder))
    server.finished(job["id"])
    content = server.get(f"/api/jobs/{job['id']}/download").content
    assert "4b/17.jpg" in zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_recipe_with_two_outputs(server: Server, folder: Path) -> None:
    job = json.loads(shell(blocks("bash")[2], server, folder))
    assert server.finished(job["id"])["status"] == "completed"
    assert [output["format"] for output in server.files(job["id"])[0]["outputs"]] == ["tiff", "webp"]


def test_following_a_job(server: Server, folder: Path) -> None:
    (script,) = blocks("python")
    job = json.loads(shell(blocks("bash")[1], server, folder))
    program = script.replace("ws://127.0.0.1:5000", server.url.replace("http", "ws", 1))
    run = subprocess.run([sys.executable, "-c", program, job["id"]], capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].startswith("completed 100.0")
