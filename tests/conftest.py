"""Real photos, the real network, a real server."""

import asyncio
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from photo_processor import errors
from photo_processor.models.detection.mesh import FaceMesh
from photo_processor.models.store import ModelStore
from photo_processor.settings import Settings
from tests import tiny_network as tiny_network_file
from tests.server import Server

BUILD = Path(__file__).parent.parent / "build"
NETWORK = "isnet-general-use"
FACE_MESH = "face-mesh"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With PHOTO_TESTS_NO_SKIPS set, a skipped test is a failure: nothing may go untested unnoticed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("PHOTO_TESTS_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was left out, and why, once and at the end."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports if report.longrepr)
    if reasons:
        terminalreporter.section("left out here")
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count:4} tests: {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What measures figures over PHOTO_TESTDATA is `quality`."""
    for item in items:
        if "testdata" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.quality)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three real photos as JPEG: `astronaut` (a person), `chelsea` (a cat), `coffee` (a cup)."""
    folder = tmp_path_factory.mktemp("photos")
    paths = {}
    for name in ("astronaut", "chelsea", "coffee"):
        paths[name] = folder / f"{name}.jpg"
        Image.fromarray(getattr(data, name)()).save(paths[name], quality=92)
    return paths


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The folder that holds ISNet and Face Mesh, fetched once through the product's own sources, where these answer."""
    folder = Path(os.environ.get("PHOTO_TEST_MODELS", BUILD / "models"))
    folder.mkdir(parents=True, exist_ok=True)

    async def fetch() -> None:
        store = ModelStore(Settings(model_dir=folder, data_dir=BUILD / "data"))
        try:
            for name in (NETWORK, FACE_MESH):
                try:
                    await store.ensure(name)
                except errors.ModelUnavailable as error:
                    text = f"\n*** {name} CANNOT BE HAD HERE ({error.detail}): what stands in for it is tested ***"
                    warnings.warn(text, pytest.PytestWarning, stacklevel=1)
        finally:
            await store.close()

    asyncio.run(fetch())
    return folder


@pytest.fixture(scope="session")
def has_network(model_folder: Path) -> bool:
    """Whether the real network is there."""
    return (model_folder / f"{NETWORK}.onnx").exists()


@pytest.fixture(scope="session")
def face_mesh(model_folder: Path) -> FaceMesh:
    """The real network that measures faces; tests of it are left out where it cannot be had."""
    path = model_folder / f"{FACE_MESH}.tflite"
    if not path.exists():
        pytest.skip(f"{FACE_MESH} could not be fetched from any source")
    return FaceMesh(path)


@pytest.fixture
def start_server(tmp_path: Path, model_folder: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with settings of their own; all are stopped at the end."""
    servers: list[Server] = []

    def start(folder: str = "data", models: Path | None = None, **settings: str) -> Server:
        server = Server(tmp_path / folder, models or model_folder, **settings)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Iterator[Server]:
    """One server for a module's tests."""
    server = Server(tmp_path_factory.mktemp("server") / "data", model_folder).start()
    yield server
    assert server.stop() == 0, server.log.read_text()[-3000:]


@pytest.fixture(scope="session")
def tiny_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A near-free ONNX network."""
    return tiny_network_file.save(tmp_path_factory.mktemp("tiny") / "tiny.onnx")


@pytest.fixture
def empty_models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def testdata() -> Path:
    """A folder of extra photos, named by PHOTO_TESTDATA; tests that use it are left out where it is not set."""
    folder = os.environ.get("PHOTO_TESTDATA")
    if not folder:
        pytest.skip("PHOTO_TESTDATA is not set")
    return Path(folder)
