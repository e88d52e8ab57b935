"""The registry, where models are found, how they are fetched, and what they predict."""

import asyncio
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from skimage import data

from photo_processor import errors
from photo_processor.models import store as models
from photo_processor.models.inference import predictor
from photo_processor.models.inference.mattes import MatteCache
from photo_processor.models.inference.runtimes import Network
from photo_processor.models.store import ModelStore
from photo_processor.models.weights import folders
from photo_processor.models.weights import rows as registry
from photo_processor.models.weights.rows import DEFAULT, ROWS
from photo_processor.schemas import Quality
from photo_processor.settings import Settings
from tests import tiny_network as tiny_network_file
from tests.unit.web import Page, Web, serving

ROOT = Path(__file__).parent.parent.parent
CONTENT = os.urandom(2_000_000)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without models."""
    for name in ("U2NET_HOME", "REMBG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The place of the upstream release, with `u2netp` and the default there; both are the same bytes."""
    with serving() as web:
        monkeypatch.setattr(registry, "RELEASE", f"{web.address}/")
        monkeypatch.setenv("npm_config_registry", f"{web.address}/npm")
        for name in ("u2netp", DEFAULT):
            web.pages[f"/{name}.onnx"] = Page(CONTENT)
        digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
        rows = [row for row in ROWS if row.name in ("u2netp", DEFAULT)]
        for row in rows:
            monkeypatch.setattr(type(row), "digests", property(lambda _row: (digest,)))
        yield web


MakeStore = Callable[..., ModelStore]


@pytest.fixture
def make_store(tmp_path: Path, home: Path) -> MakeStore:
    def make(mattes: MatteCache | None = None, **settings: object) -> ModelStore:
        return ModelStore(Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "models", **settings), mattes)  # type: ignore[arg-type]

    return make


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def ignore(_stage: str) -> None:
    pass


def test_names_are_those_of_the_registry(make_store: MakeStore) -> None:
    assert make_store().names() == (
        "isnet-general-use",
        "u2net",
        "u2netp",
        "silueta",
        "u2net_human_seg",
        "isnet-anime",
        "birefnet-general",
        "birefnet-general-lite",
        "birefnet-portrait",
        "yunet",
        "face-mesh",
        "grabcut",
        "watershed",
        "edges",
    )


def test_noncommercial_and_custom_are_offered_only_where_set(make_store: MakeStore, tmp_path: Path) -> None:
    assert "bria-rmbg" in make_store(allow_noncommercial=True).names()
    assert "custom" in make_store(custom_model=tmp_path / "own.onnx").names()
    assert all(row.commercial_use for row in make_store().rows())


def test_models_that_send_photos_away_are_never_offered(make_store: MakeStore, tmp_path: Path) -> None:
    names = make_store(allow_noncommercial=True, custom_model=tmp_path / "own.onnx").names()
    assert not {"atlascloud", "withoutbg", "sam"} & set(names)


def test_canonical_knows_the_alias_and_refuses_the_unknown(make_store: MakeStore) -> None:
    store = make_store()
    assert store.canonical("siluette") == "silueta"
    assert store.canonical("auto") == "auto"
    with pytest.raises(errors.UnknownModel, match="'nope'"):
        store.canonical("nope")
    with pytest.raises(errors.UnknownModel):
        store.canonical("bria-rmbg")


def test_row_without_a_file_is_missing_and_classical_is_built_in(make_store: MakeStore) -> None:
    rows = {row.name: row for row in make_store().rows()}
    assert rows[DEFAULT].state == "missing"
    assert rows[DEFAULT].bytes == 178_648_008
    assert rows["birefnet-portrait"].bytes is None
    assert rows["grabcut"].state == "built_in"
    assert rows["grabcut"].runtime == "opencv"
    with pytest.raises(ValidationError):
        rows["grabcut"].state = "missing"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        (None, "models/u2netp.onnx"),
        (None, "models/models/u2netp/u2netp.onnx"),
        (None, "home/.u2net/u2netp.onnx"),
        (None, "home/.rembg/models/u2netp/u2netp.onnx"),
        ("U2NET_HOME", "shared/u2netp.onnx"),
        ("U2NET_HOME", "shared/models/u2netp/u2netp.onnx"),
        ("REMBG_HOME", "shared/models/u2netp/u2netp.onnx"),
        ("XDG_DATA_HOME", "shared/.u2net/u2netp.onnx"),
        ("XDG_DATA_HOME", "shared/rembg/models/u2netp/u2netp.onnx"),
    ],
)
def test_model_is_found_wherever_rembg_puts_it(
    variable: str | None, place: str, make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "shared"))
    put(tmp_path / place)
    row = make_store().row("u2netp")
    assert (row.state, row.bytes, row.verified) == ("installed", len(CONTENT), None)
    assert row.source


async def test_digest_of_a_found_file_is_worked_out_once(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "models" / "u2netp.onnx")
    calls: list[Path] = []
    original = folders.digest_of

    def counted(path: Path, algorithm: str) -> str:
        calls.append(path)
        return original(path, algorithm)

    monkeypatch.setattr(folders, "digest_of", counted)
    store = make_store(offline=True)
    for _ in range(3):
        assert (await store.ensure("u2netp")).name == "u2netp"
    assert len(calls) == 1
    assert store.row("u2netp").verified is False
    path.write_bytes(CONTENT[:-1])
    await store.ensure("u2netp")
    assert len(calls) == 2


async def test_ensure_downloads_a_network_asked_for_by_name(make_store: MakeStore, web: Web, tmp_path: Path) -> None:
    store = make_store()
    assert (await store.ensure("u2netp")).name == "u2netp"
    assert (tmp_path / "models" / "u2netp.onnx").read_bytes() == CONTENT
    row = store.row("u2netp")
    assert (row.state, row.source, row.verified, row.progress) == ("installed", "upstream release", True, None)
    await store.close()


async def test_ensure_many_waiters_share_one_download(make_store: MakeStore, web: Web) -> None:
    web.pages[f"/{DEFAULT}.onnx"].slow_s = 0.01
    store = make_store()
    waiters = [asyncio.create_task(store.ensure(name)) for name in ("auto", DEFAULT, "auto", DEFAULT)]
    await asyncio.sleep(0.1)
    waiters[0].cancel()
    results = await asyncio.gather(*waiters, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert [result.name for result in results[1:]] == [DEFAULT] * 3  # type: ignore[union-attr]
    assert len(web.asked) == 1


async def test_progress_is_told_and_not_too_often(make_store: MakeStore, web: Web) -> None:
    web.pages["/u2netp.onnx"] = Page(CONTENT, slow_s=0.03)
    store = make_store()
    heard: list[tuple[str, float | None]] = []

    def hear(name: str) -> None:
        progress = store.progress(name)
        heard.append((store.row(name).state, progress.percentage if progress else None))

    stop = store.subscribe(hear)
    await store.ensure("u2netp")
    assert heard[0] == ("downloading", None)
    assert heard[-1] == ("installed", None)
    assert ("downloading", 100.0) in heard
    assert len(heard) < 10
    stop()
    await store.close()


async def test_ensure_offline_never_tries_the_network(make_store: MakeStore, web: Web) -> None:
    store = make_store(offline=True)
    with pytest.raises(errors.ModelUnavailable, match="downloads are switched off") as caught:
        await store.ensure("u2netp")
    assert caught.value.hint
    resolved = await store.ensure("auto")
    assert resolved.name == "grabcut"
    assert resolved.fallback_warning is not None
    assert resolved.fallback_warning.code == "fallback_engine"
    with pytest.raises(errors.DownloadDisabled):
        store.download(DEFAULT)
    assert web.asked == []


async def test_ensure_auto_takes_another_network_before_an_engine(make_store: MakeStore, tmp_path: Path) -> None:
    put(tmp_path / "models" / "u2netp.onnx")
    store = make_store(offline=True)
    resolved = await store.ensure("auto")
    assert resolved.name == store.auto_name() == "u2netp"
    assert resolved.fallback_warning is not None
    assert resolved.fallback_warning.code == "fallback_model"


async def test_ensure_auto_with_the_default_here_warns_of_nothing(make_store: MakeStore, tmp_path: Path) -> None:
    put(tmp_path / "models" / f"{DEFAULT}.onnx")
    resolved = await make_store(offline=True).ensure("auto")
    assert (resolved.name, resolved.fallback_warning) == (DEFAULT, None)


async def test_failed_download_is_not_tried_again_for_each_photo(
    make_store: MakeStore, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = web.pages.pop(f"/{DEFAULT}.onnx")
    store = make_store()
    assert [(await store.ensure("auto")).name for _ in range(3)] == ["grabcut"] * 3
    assert sum(path == f"/{DEFAULT}.onnx" for path, _ in web.asked) == 1
    row = store.row(DEFAULT)
    assert row.state == "failed"
    assert row.error is not None
    assert row.error.code == "model_unavailable"
    assert "answered 404" in row.error.message
    with pytest.raises(errors.ModelUnavailable, match="answered 404"):
        await store.ensure(DEFAULT)
    web.pages[f"/{DEFAULT}.onnx"] = page
    monkeypatch.setattr(models, "FAILURE_KEPT_S", 0.0)
    assert (await store.ensure("auto")).name == DEFAULT
    assert store.row(DEFAULT).error is None


async def test_download_asked_for_goes_on_at_once_after_a_failure(make_store: MakeStore, web: Web) -> None:
    page = web.pages.pop("/u2netp.onnx")
    store = make_store()
    with pytest.raises(errors.ModelUnavailable):
        await store.ensure("u2netp")
    web.pages["/u2netp.onnx"] = page
    store.download("u2netp")
    assert store.row("u2netp").state == "downloading"
    assert (await store.ensure("u2netp")).name == "u2netp"


async def test_close_keeps_the_part_and_the_next_start_goes_on(make_store: MakeStore, web: Web, tmp_path: Path) -> None:
    web.pages["/u2netp.onnx"].slow_s = 0.02
    store = make_store()
    waiter = asyncio.create_task(store.ensure("u2netp"))
    await asyncio.sleep(0.3)
    await store.close()
    with pytest.raises(errors.ModelUnavailable):
        await waiter
    kept = (tmp_path / "models" / "u2netp.onnx.part").stat().st_size
    assert 0 < kept < len(CONTENT)
    again = make_store()
    await again.ensure("u2netp")
    assert web.asked[-1] == ("/u2netp.onnx", f"bytes={kept}-")
    await again.close()


async def test_custom_model_is_a_file_of_ones_own(make_store: MakeStore, tmp_path: Path, tiny_network: Path) -> None:
    store = make_store(custom_model=tmp_path / "own.onnx")
    with pytest.raises(errors.ModelUnavailable, match=r"own\.onnx"):
        await store.ensure("custom")
    with pytest.raises(errors.DownloadDisabled):
        store.download("custom")
    shutil.copy(tiny_network, tmp_path / "own.onnx")
    assert (await store.ensure("custom")).name == "custom"
    matte = store.predict("custom", data.coffee(), ignore)
    assert matte.alpha.shape == (400, 600)
    assert matte.engine.model == "custom"
    assert store.row("custom").input_size == 320
    assert store.row("custom").runtime == matte.engine.runtime


@pytest.mark.parametrize("name", ["grabcut", "watershed"])
async def test_classical_engine_needs_nothing(name: str, make_store: MakeStore) -> None:
    store = make_store(offline=True)
    assert (await store.ensure(name)).fallback_warning is None
    stages: list[str] = []
    matte = store.predict(name, data.coffee(), stages.append)
    assert stages == ["removing background"]
    assert (matte.engine.model, matte.engine.runtime) == (name, "opencv")


def test_predict_loads_once_however_many_ask(
    make_store: MakeStore, tmp_path: Path, tiny_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "models" / "u2netp.onnx", tiny_network.read_bytes())
    loads: list[Path] = []
    original = predictor.load_network

    def counted(path: Path, runtime: str, side: int | None = None) -> Network:
        loads.append(path)
        return original(path, runtime, side)

    monkeypatch.setattr(predictor, "load_network", counted)
    store = make_store(offline=True)
    alphas: list[np.ndarray] = []
    stages: list[str] = []

    def work() -> None:
        alphas.append(store.predict("u2netp", data.chelsea(), stages.append).alpha)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert all(np.array_equal(alpha, alphas[0]) for alpha in alphas)
    assert set(stages) == {"loading the model", "removing background"}
    stages.clear()
    work()
    assert stages == ["removing background"]


def test_predict_broken_file_says_so_and_a_good_one_is_then_loaded(
    make_store: MakeStore, tmp_path: Path, tiny_network: Path
) -> None:
    path = put(tmp_path / "models" / "u2netp.onnx", b"damaged")
    store = make_store(offline=True)
    with pytest.raises(errors.ModelBroken):
        store.predict("u2netp", data.coffee(), ignore)
    shutil.copy(tiny_network, path)
    assert store.predict("u2netp", data.coffee(), ignore).alpha.shape == (400, 600)


def test_predict_without_the_file_is_unavailable(make_store: MakeStore) -> None:
    with pytest.raises(errors.ModelUnavailable):
        make_store(offline=True).predict("u2net", data.coffee(), ignore)


@pytest.mark.parametrize(
    ("name", "quality", "used"),
    [("isnet-anime", "balanced", "balanced"), ("isnet-anime", "best", "best"), ("u2netp", "fast", "best")],
)
def test_predict_runs_at_the_quality_that_the_network_has(
    name: str, quality: Quality, used: str, make_store: MakeStore, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    store = make_store(offline=True, runtime="openvino")
    tiny_network_file.save(tmp_path / "models" / f"{name}.onnx", store.row(name).input_size or 0)
    matte = store.predict(name, data.coffee(), ignore, quality)
    assert matte.engine.quality == used
    assert matte.alpha.shape == (400, 600)


def test_predict_at_a_quality_that_the_runtime_lacks_falls_back_once(make_store: MakeStore, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    tiny_network_file.save(tmp_path / "models" / "isnet-anime.onnx", 1024)
    store = make_store(offline=True, runtime="onnxruntime")
    stages: list[str] = []
    for _ in range(2):
        assert store.predict("isnet-anime", data.coffee(), stages.append, "fast").engine.quality == "best"
    assert stages == ["loading the model", "removing background", "removing background"]


@pytest.mark.parametrize("name", ["u2netp", "watershed"])
def test_second_prediction_of_a_photo_runs_nothing(
    name: str, make_store: MakeStore, tmp_path: Path, tiny_network: Path
) -> None:
    path = put(tmp_path / "models" / "u2netp.onnx", tiny_network.read_bytes())
    mattes = MatteCache(tmp_path / "mattes", 10**7)
    store = make_store(mattes, offline=True)
    first = store.predict(name, data.coffee(), ignore)
    again = store.predict(name, data.coffee().copy(), ignore)
    assert np.array_equal(first.alpha, again.alpha)
    assert first.engine == again.engine
    assert (store.inferences, mattes.hits, mattes.misses) == (1, 1, 1)
    later = make_store(MatteCache(tmp_path / "mattes", 10**7), offline=True)
    assert np.array_equal(later.predict(name, data.coffee(), ignore).alpha, first.alpha)
    assert later.inferences == 0
    store.predict(name, data.chelsea(), ignore)
    assert store.inferences == 2
    if name == "u2netp":
        os.utime(path, (1, 1))
        store.predict(name, data.coffee(), ignore)
        assert store.inferences == 3


def test_without_a_cache_every_prediction_is_a_new_one(make_store: MakeStore) -> None:
    store = make_store(offline=True)
    for _ in range(2):
        store.predict("watershed", data.coffee(), ignore)
    assert store.inferences == 2


def models_table() -> str:
    lines = ["| name | good at | licence | commercial use | bytes | digest |", "| --- | --- | --- | --- | --- | --- |"]
    for row in ROWS:
        size = f"{row.bytes:,}" if row.bytes else "none" if row.kind == "classical" else "unknown"
        digest = f"`{row.digest}`" if row.digest else ""
        allowed = "yes" if row.commercial_use else "no"
        lines.append(f"| `{row.name}` | {row.good_at} | {row.licence} | {allowed} | {size} | {digest} |")
    return "\n".join(lines)


def test_docs_hold_the_table_of_models() -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    table = text.partition("<!-- models -->\n")[2].partition("\n<!-- /models -->")[0]
    assert table.strip() == models_table(), f"the table should be:\n{models_table()}"


async def test_device_that_is_not_there_is_said_by_the_rows_and_by_photos(
    make_store: MakeStore, tmp_path: Path, tiny_network: Path
) -> None:
    put(tmp_path / "models" / "u2netp.onnx", tiny_network.read_bytes())
    store = make_store(offline=True, device="cuda")
    await store.check_device()
    row = store.row("u2netp")
    assert row.error is not None
    assert row.error.code == "device_unavailable"
    assert store.row("u2net").error is None, "it is not here anyway"
    assert store.row("grabcut").error is None, "it never runs elsewhere"
    with pytest.raises(errors.DeviceUnavailable):
        store.predict("u2netp", data.coffee(), ignore)
    assert store.predict("grabcut", data.coffee(), ignore).engine.runtime == "opencv"
