"""Optimising a network: quantized, compared, kept or not, in a child process that can be held up."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from photo_processor import errors
from photo_processor.models.inference import quantized
from photo_processor.models.inference.calibration import PHOTOS, calibration_crops, held_out_crops
from photo_processor.models.inference.mattes import MatteCache
from photo_processor.models.inference.quantize_process import Findings
from photo_processor.models.inference.quantized import Files, Record
from photo_processor.models.inference.quantizer import Optimiser
from photo_processor.models.inference.runtimes import Place, load_network
from photo_processor.models.store import ModelStore
from photo_processor.models.weights.folders import digest_of
from photo_processor.settings import Settings
from photo_processor.worker.idle import IdleWork
from tests import tiny_network

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
NAME = "u2netp"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of convolutions, as the model `u2netp`."""
    return tiny_network.save_convolutional(tmp_path_factory.mktemp("original") / f"{NAME}.onnx")


@pytest.fixture(scope="module")
def made(original: Path) -> Path:
    """A folder with that network and its optimised form, made by the process that the server starts."""
    folder = original.parent
    run_child(original, folder)
    return folder


def run_child(source: Path, folder: Path, watched: bool = False) -> str:
    """Run the child; what it printed. `watched`: it prints every socket that is opened, and every name looked up."""
    watch = (
        "import sys\n"
        "def watch(event, arguments):\n"
        "    if event.startswith('socket.'): print(event, arguments[-1:])\n"
        f"{'sys.addaudithook(watch)' if watched else ''}\n"
        "from photo_processor.models.inference.quantize_process import main\n"
        f"sys.exit(main([{NAME!r}, {str(source)!r}, {str(folder)!r}, '--samples=4']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", watch], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child:
        said = child.stdout.read()
    assert child.returncode == 0
    return said


@pytest.fixture
def models(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to change."""
    return Path(shutil.copytree(made, tmp_path / "models"))


def store(folder: Path, mattes: MatteCache | None = None, **settings: object) -> ModelStore:
    return ModelStore(
        Settings(data_dir=folder.parent / "data", model_dir=folder, offline=True, **settings),  # type: ignore[arg-type]
        mattes,
    )


def ignore(_stage: str) -> None:
    pass


def without_optimised(folder: Path) -> Path:
    Files.at(folder, NAME).remove()
    return folder


def test_child_leaves_a_network_that_agrees_and_says_what_was_gained(made: Path, original: Path) -> None:
    record = Record.model_validate_json((made / f"{NAME}.int8.json").read_bytes())
    assert record.outcome == "ready"
    assert record.source == digest_of(original, "sha256")
    assert record.nncf.startswith("3.")
    assert record.compared >= 3
    assert record.iou is not None
    assert record.iou > 0.98
    assert record.gain is not None
    assert record.gain == pytest.approx((record.source_seconds or 0) / (record.seconds or 1), abs=0.02)
    smaller = load_network(made / f"{NAME}.int8.xml", Place())
    assert smaller.runtime == "openvino-int8"
    assert (made / f"{NAME}.int8.bin").stat().st_size < original.stat().st_size / 2
    assert not list(made.glob(".optimising-*"))


def test_child_opens_no_socket(original: Path, tmp_path: Path) -> None:
    said = run_child(original, tmp_path, watched=True)
    assert '"checking"' in said
    assert "socket." not in said


def test_calibration_and_check_see_other_pixels() -> None:
    crops, others = list(calibration_crops(60)), list(held_out_crops(24))
    assert len(crops) == 60
    assert len(PHOTOS) == 15
    whole = data.astronaut()
    assert np.array_equal(crops[0], whole)
    assert all(crop.ndim == 3 and crop.dtype == np.uint8 for crop in (*crops, *others))
    assert not any(np.array_equal(crop, other) for crop in crops for other in others if crop.shape == other.shape)


@pytest.mark.parametrize(
    ("findings", "word"),
    [
        (Findings((0.99,) * 5, 1.0, 2.0), None),
        (Findings((0.99, 0.99, 0.99, 0.99, 0.9), 1.0, 2.0), "differ"),
        (Findings((0.97,) * 5, 1.0, 2.0), "differ"),
        (Findings((0.99,) * 5, 1.0, 1.01), "no faster"),
        (Findings((), 1.0, 2.0), "too little"),
    ],
)
def test_findings_are_kept_only_where_masks_agree_and_time_is_won(findings: Findings, word: str | None) -> None:
    assert findings.fault is None if word is None else word in (findings.fault or "")


def test_store_uses_the_optimised_network_and_another_matte_key(models: Path, tmp_path: Path) -> None:
    mattes = MatteCache(tmp_path / "mattes", 10**8)
    plain = store(models, mattes, optimize="off")
    first = plain.predict(NAME, data.coffee(), ignore)
    assert first.engine.runtime != "openvino-int8"
    assert plain.row(NAME).optimised is None
    better = store(models, mattes)
    second = better.predict(NAME, data.coffee(), ignore)
    assert second.engine.runtime == better.row(NAME).runtime == "openvino-int8"
    assert better.inferences == 1, "the other network's matte was taken"
    assert np.abs(first.alpha.astype(int) - second.alpha).mean() < 3
    state = better.row(NAME).optimised
    assert state is not None
    assert state.state == "ready"
    assert state.gain is not None


def test_optimised_network_of_another_file_is_thrown_away(models: Path) -> None:
    touched = store(models)
    os.utime(models / f"{NAME}.onnx", (1, 1))
    assert touched.row(NAME).optimised is not None, "the same bytes at another time are the same network"
    tiny_network.save(models / f"{NAME}.onnx")
    changed = store(models)
    assert changed.row(NAME).optimised is None
    assert changed.predict(NAME, data.coffee(), ignore).engine.runtime != "openvino-int8"
    assert not list(models.glob("*.int8.*"))


def test_damaged_optimised_network_is_thrown_away_and_the_original_used(models: Path) -> None:
    (models / f"{NAME}.int8.xml").write_text("<net")
    broken = store(models)
    assert broken.predict(NAME, data.coffee(), ignore).engine.runtime != "openvino-int8"
    assert broken.row(NAME).optimised is None


def test_network_loaded_before_is_replaced_once_the_optimised_one_is_there(models: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in models.glob("*.int8.*"):
        path.rename(aside / path.name)
    running = store(models)
    assert running.predict(NAME, data.coffee(), ignore).engine.runtime != "openvino-int8"
    for path in aside.iterdir():
        path.rename(models / path.name)
    assert running.predict(NAME, data.coffee(), ignore).engine.runtime == "openvino-int8"


# --- the child, run by the server ---


@pytest.fixture
async def running(models: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelStore]:
    """A store whose network is not optimised yet, and takes few samples to be."""
    found = store(without_optimised(models))
    found.optimiser = Optimiser(found._optimised, found._notify, samples=4)
    yield found
    await found.close()


async def test_optimise_runs_once_and_tells_how_far_it_is(running: ModelStore) -> None:
    heard: list[tuple[str, str | None]] = []

    def hear(name: str) -> None:
        state = running.row(name).optimised
        heard.append((state.state, state.step) if state else ("none", None))

    running.subscribe(hear)
    assert running.row(NAME).optimisable
    for _ in range(3):
        assert running.optimise(NAME) == NAME
    assert running.row(NAME).optimised is not None
    await running.settled()
    assert {step for state, step in heard if state == "running"} >= {"calibrating", "checking", "measuring"}
    assert heard[-1] == ("ready", None)
    running.optimise(NAME)
    assert not running.optimiser.tasks, "it is done"


async def test_pause_stops_the_child_and_resume_lets_it_go_on(running: ModelStore) -> None:
    running.optimise(NAME)
    child = await child_of(running)
    running.optimiser.pause()
    state = running.row(NAME).optimised
    assert state is not None
    assert state.state == "paused"
    await until(lambda: process_state(child) == "T")
    running.optimiser.resume()
    await running.settled()
    state = running.row(NAME).optimised
    assert state is not None
    assert state.state == "ready"


async def test_close_ends_the_child(running: ModelStore) -> None:
    running.optimise(NAME)
    child = await child_of(running)
    running.optimiser.pause()
    await running.close()
    assert not Path(f"/proc/{child}").exists()
    assert running.row(NAME).optimised is None


async def test_child_that_fails_is_told_and_tried_again_when_asked(running: ModelStore, models: Path) -> None:
    network = (models / f"{NAME}.onnx").read_bytes()
    (models / f"{NAME}.onnx").write_bytes(b"damaged")
    running.optimise(NAME)
    await running.settled()
    state = running.row(NAME).optimised
    assert state is not None
    assert state.state == "failed"
    assert str(models) not in (state.reason or "")
    (models / f"{NAME}.onnx").write_bytes(network)
    running.optimise(NAME)
    await running.settled()
    state = running.row(NAME).optimised
    assert state is not None
    assert state.state == "ready"


def test_child_ends_with_a_server_that_is_killed_even_when_it_is_stopped(models: Path) -> None:
    script = f"""if True:
        import asyncio, sys
        from pathlib import Path
        from photo_processor.models.store import ModelStore
        from photo_processor.settings import Settings
        async def main():
            store = ModelStore(Settings(data_dir=Path({str(models)!r}), model_dir=Path({str(models)!r})))
            store.optimise({NAME!r})
            while store.optimiser._process is None:
                await asyncio.sleep(0.01)
            store.optimiser.pause()
            print(store.optimiser._process.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    without_optimised(models)
    server = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server:
        child = int(server.stdout.readline())
        assert process_state(child) is not None
        server.kill()
    deadline = time.monotonic() + 10
    while process_state(child) not in (None, "Z") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process_state(child) in (None, "Z")


def process_state(pid: int) -> str | None:
    """The letter of the process's state in /proc; None where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


async def child_of(models: ModelStore) -> int:
    await until(lambda: models.optimiser._process is not None)
    assert models.optimiser._process is not None
    return models.optimiser._process.pid


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


# --- what cannot be optimised ---


async def test_what_cannot_be_optimised_says_why(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = store(without_optimised(models))
    for name in ("grabcut", "birefnet-general", "u2net"):
        with pytest.raises(errors.NotOptimizable):
            here.optimise(name)
        assert not here.row(name).optimisable
    for settings in ({"optimize": "off"}, {"runtime": "onnxruntime"}):
        with pytest.raises(errors.NotOptimizable, match="PHOTO_OPTIMIZE"):
            store(models, **settings).optimise(NAME)
    monkeypatch.setattr(quantized, "PACKAGES", ("no_such_package",))
    with pytest.raises(errors.OptimizerMissing):
        here.optimise(NAME)
    assert not here.row(NAME).optimisable


# --- when nobody needs the processor ---


async def test_idle_server_optimises_what_auto_stands_for_and_waits_for_photos(running: ModelStore) -> None:
    busy = True
    idle = asyncio.create_task(IdleWork(settings_of(running), running, lambda: busy, quiet_s=0.3).run())
    await asyncio.sleep(1)
    assert not running.optimiser.tasks, "photos are in process"
    busy = False
    child = await child_of(running)
    busy = True
    await until(lambda: process_state(child) == "T")
    busy = False
    await running.settled()
    state = running.row(NAME).optimised
    assert state is not None
    assert state.state == "ready"
    idle.cancel()


async def test_idle_server_leaves_alone_what_was_rejected(models: Path) -> None:
    record = Record.model_validate_json((models / f"{NAME}.int8.json").read_bytes())
    rejected = record.model_copy(update={"outcome": "rejected", "reason": "It is no faster."})
    (models / f"{NAME}.int8.json").write_text(json.dumps(rejected.model_dump()))
    here = store(models)
    idle = asyncio.create_task(IdleWork(settings_of(here), here, lambda: False, quiet_s=0.1).run())
    await asyncio.sleep(1)
    assert not here.optimiser.tasks
    assert here.predict(NAME, data.coffee(), ignore).engine.runtime != "openvino-int8"
    idle.cancel()


def settings_of(models: ModelStore) -> Settings:
    return models._settings
