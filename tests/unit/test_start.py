"""What the process loads before it serves."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from starlette.responses import Response

from app import opened
from photo_processor import errors
from photo_processor.errors import codes
from photo_processor.server.routes import system
from photo_processor.server.services import check_space
from photo_processor.settings import Settings
from photo_processor.storage.local import Storage
from tests.server import ROOT

HEAVY = ("rembg", "onnxruntime", "openvino", "scipy", "skimage", "numba", "pillow_heif", "torch")


def test_heavy_libraries_are_not_imported_at_the_start() -> None:
    script = "import app, sys; app.create_app(app.Settings()); print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)


def test_openvino_brings_no_telemetry_into_the_process(tiny_network: Path) -> None:
    script = f"""if True:
        import sys
        from pathlib import Path
        from photo_processor.models.inference import runtimes
        runtimes.load_network(Path({str(tiny_network)!r}), runtimes.Place("openvino"))
        print(sys.modules["openvino_telemetry"], "openvino_telemetry.main" in sys.modules)
    """
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["None", "False"]


def test_server_is_made_and_errors_have_words_without_docstrings() -> None:
    script = """if True:
        import app
        from photo_processor import errors
        app.create_app(app.Settings()).openapi()
        print(errors.JobNotFound())
    """
    run = subprocess.run([sys.executable, "-OO", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "There is no such job.\n"


def test_every_error_has_a_title_of_its_own() -> None:
    assert [code for code, kind in codes().items() if "title" not in vars(kind)] == []


async def test_disk_is_asked_for_its_space_in_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def free_bytes(_: Storage) -> int:
        threads.append(threading.current_thread())
        return 10**9

    monkeypatch.setattr(Storage, "free_bytes", free_bytes)
    async with opened(Settings(data_dir=tmp_path, min_free_bytes=10**9, offline=True)) as services:
        await system.health(services, Response())
        await system.metrics(services)
        await check_space(services)
        with pytest.raises(errors.StorageFull):
            await check_space(services, 1)
    assert len(threads) == 4
    assert threading.main_thread() not in threads
