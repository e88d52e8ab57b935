"""What `pip install .` leaves behind, away from the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.server import ROOT, Server

SIX = {"app", "image_processor", "job_worker", "photo_processor", "queue_manager", "websocket_manager"}
FOREIGN = ("errors.py", "keys.py", "models.py", "schemas.py", "settings.py", "sql/__init__.py", "storage.py")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the built wheel; what it depends on is found where these tests find it."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    for name in ("photo_processor", "static"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*ROOT.glob("*.py"), *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))):
        shutil.copy(path, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run = [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run(run, check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run = [*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(run, check=True, timeout=300)
    (site_packages(folder / "venv") / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "venv"


def site_packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def test_install_adds_six_names(installed: Path) -> None:
    names = {path.name.removesuffix(".py") for path in site_packages(installed).iterdir()}
    assert {name for name in names if not name.endswith((".dist-info", ".pth", "__pycache__"))} == SIX


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_installed_server_runs_anywhere_beside_foreign_modules(
    installed: Path, tmp_path: Path, model_folder: Path, photos: dict[str, Path], executor: str
) -> None:
    foreign = tmp_path / "foreign"
    for name in FOREIGN:
        (foreign / name).parent.mkdir(parents=True, exist_ok=True)
        (foreign / name).write_text("raise RuntimeError('this belongs to another program')")
    server = Server(tmp_path / "data", model_folder, executor=executor)
    server.python, server.folder = str(installed / "bin" / "python"), tmp_path
    server.program = [str(installed / "bin" / "photo-processor"), "serve"]
    server.environment["PYTHONPATH"] = os.pathsep.join([str(foreign)])
    server.start()
    try:
        assert "<html" in server.get("/").text
        for path in ("/docs", "/docs/assets/swagger-ui.css", "/static/js/main.js", "/static/lang/de.json", "/signin"):
            assert server.get(path).status_code == 200, path
        job = server.submit(photos["coffee"], recipe='{"operations": [{"op": "resize", "width": 40}]}')
        assert server.finished(job["id"])["status"] == "completed", server.files(job["id"])
    finally:
        assert server.stop() == 0
