"""Photos fetched from URLs: politely, within limits, and never from the local network."""

import asyncio
import hashlib
import json
import random
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import BinaryIO
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from photo_processor import errors
from photo_processor.imaging.decode import sniff
from photo_processor.intake.file_names import clean_name
from photo_processor.intake.ssrf_guard import CheckedNetwork, pool_over
from photo_processor.intake.zip_reader import HEAD
from photo_processor.settings import Settings
from photo_processor.storage.local import Storage, translated
from photo_processor.storage.received import Received

MAX_URL = 2_000  # characters
MAX_REDIRECTS = 5
RETRIES = 3
MAX_WAIT = 120.0  # seconds that a host may have us wait by its `Retry-After`
RETRY_PAUSE = 0.5  # seconds, doubled each time
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0  # without a byte
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PORTS = frozenset({80, 443})  # and those from 1024 on: none of the old services that take HTTP for their own
HEADERS = [(b"User-Agent", b"photo-processor"), (b"Accept", b"image/*"), (b"Accept-Encoding", b"identity")]


@dataclass(slots=True)
class _Host:
    """When a host may be asked next, in seconds of the loop's time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: float = 0.0


class _Passing(Exception):
    """Worth another attempt, after `seconds` where the host says so."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(seconds)
        self.seconds = seconds


PASSING_ERRORS = (
    _Passing,
    TimeoutError,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.RemoteProtocolError,  # the connection ended before the answer did
)


class UrlFetcher:
    """Fetches URLs, `settings.url_parallel` at once, each host asked at most every `settings.url_delay_seconds`."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self._settings = settings
        self._storage = storage
        self._slots = asyncio.Semaphore(settings.url_parallel)
        self._hosts: dict[str, _Host] = {}
        network = CheckedNetwork(settings.url_networks)
        self._pool = pool_over(network, ssl.create_default_context(), settings.url_parallel)

    async def close(self) -> None:
        await self._pool.aclose()

    async def fetch(self, url: str) -> Received:
        """The file at `url`, on disk among the incoming ones. Its `error` says why there is none."""
        received = Received(url_name(url), self._storage.incoming())
        try:
            async with self._slots:
                await self._persist(url, received)
        except errors.PhotoError as error:
            received.error = error
            received.path.unlink(missing_ok=True)
        except BaseException:
            received.path.unlink(missing_ok=True)
            raise
        return received

    async def _persist(self, url: str, received: Received) -> None:
        for attempt in range(RETRIES + 1):
            try:
                async with asyncio.timeout(self._settings.url_seconds):
                    await self._attempt(url, received)
                return
            except PASSING_ERRORS as error:
                if attempt == RETRIES:
                    raise errors.UrlFailed() from error
                if isinstance(error, _Passing) and error.seconds:
                    if error.seconds > MAX_WAIT:
                        text = f"The host asks to come back in {round(error.seconds)} s."
                        raise errors.UrlFailed(text) from error
                    self._host_waits(url, error.seconds)
                    await asyncio.sleep(error.seconds)
                    continue
            except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ssl.SSLError) as error:
                raise errors.UrlFailed() from error
            await asyncio.sleep(RETRY_PAUSE * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)

    async def _attempt(self, url: str, received: Received) -> None:
        for _ in range(MAX_REDIRECTS + 1):
            target = checked_url(url)
            async with self._asked(target) as response:
                if response.status in REDIRECTS:
                    url = _redirected(url, _header(response, b"location"))
                    continue
                if response.status in PASSING:
                    raise _Passing(_seconds_of(_header(response, b"retry-after")))
                if response.status != 200:
                    raise errors.UrlFailed(f"The URL answered {response.status}.")
                await self._save(response, received)
                return
        raise errors.UrlFailed("The URL leads on and on.")

    @asynccontextmanager
    async def _asked(self, target: httpcore.URL) -> AsyncIterator[httpcore.Response]:
        await self._turn(target.host.decode())
        limits = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": None}
        async with self._pool.stream("GET", target, headers=HEADERS, extensions={"timeout": limits}) as response:
            yield response

    def _host_waits(self, url: str, seconds: float) -> None:
        """Nobody asks the host before it wants to be asked again."""
        host = self._hosts.setdefault(checked_url(url).host.decode(), _Host())
        host.next = max(host.next, asyncio.get_running_loop().time() + seconds)

    async def _turn(self, name: str) -> None:
        """Wait until the host may be asked again."""
        host = self._hosts.setdefault(name, _Host())
        loop = asyncio.get_running_loop()
        async with host.lock:
            await asyncio.sleep(host.next - loop.time())
            host.next = loop.time() + self._settings.url_delay_seconds
        if len(self._hosts) > 1000:
            self._hosts = {key: row for key, row in self._hosts.items() if row.next > loop.time() or row.lock.locked()}

    async def _save(self, response: httpcore.Response, received: Received) -> None:
        limit = self._settings.max_file_bytes
        too_large = errors.FileTooLarge(f"A photo may have at most {limit // 1_000_000} MB.")
        if _length(response) > limit:
            raise too_large
        received.size, received.head, digest = 0, b"", hashlib.sha256()
        with translated():
            sink = await asyncio.to_thread(received.path.open, "wb")
        with sink:
            async for chunk in response.aiter_stream():
                received.size += len(chunk)
                received.head += chunk[: HEAD - len(received.head)] if len(received.head) < HEAD else b""
                if received.size > limit:
                    raise too_large
                if len(received.head) == HEAD and sniff(received.head) is None:
                    raise errors.UnsupportedFormat("There is no photo at the URL.")
                digest.update(chunk)
                await asyncio.to_thread(_write, sink, chunk)
        received.sha256 = digest.hexdigest()


def _write(sink: BinaryIO, chunk: bytes) -> None:
    with translated():
        sink.write(chunk)


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")


def _length(response: httpcore.Response) -> int:
    text = _header(response, b"content-length")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _seconds_of(retry_after: str) -> float:
    """What `Retry-After` says, in seconds: a number, or a date (RFC 9110, 10.2.3); 0 for anything else."""
    if retry_after.isdecimal() and len(retry_after) < 10:
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _redirected(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise errors.UrlRefused("The URL leads to something that is no URL.") from error


def checked_url(url: str) -> httpcore.URL:
    """The URL as it is sent. Raises UrlRefused for what is not plain http(s), with a user, or at an odd port."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except (ValueError, UnicodeError) as error:
        raise errors.UrlRefused("This is not a URL.") from error
    if parts.scheme not in ("http", "https") or not host or len(url) > MAX_URL:
        raise errors.UrlRefused("Only http and https URLs are fetched.")
    if parts.username is not None or parts.password is not None:
        raise errors.UrlRefused("A URL with a user or password is not fetched.")
    if port is not None and port not in PORTS and port < 1024:
        raise errors.UrlRefused("The URL's port is not one of the web's.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(not 0x20 < ord(char) < 0x7F for char in path):
        raise errors.UrlRefused("The URL's path has to be percent-encoded.")
    return httpcore.URL(scheme=parts.scheme, host=host, port=port, target=path)


def url_name(url: str) -> str:
    """A file's name for what a URL brings: the last part of its path."""
    try:
        return clean_name(unquote(urlsplit(url).path.rstrip("/").rsplit("/", 1)[-1]))
    except ValueError:
        return "unnamed"


def parse_urls(texts: list[str], most: int) -> tuple[str, ...]:
    """The URLs of the form's fields `urls`: one a field, or a JSON list of them.

    Raises:
        errors.ValidationFailed, errors.TooManyFiles.
    """
    urls: list[str] = []
    for text in texts:
        if text.lstrip().startswith("["):
            try:
                found = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise errors.ValidationFailed("The list of URLs is not JSON.") from error
            if not all(isinstance(item, str) for item in found):
                raise errors.ValidationFailed("The list of URLs holds something else.")
            urls += found
        elif text.strip():
            urls.append(text.strip())
    if len(urls) > most:
        raise errors.TooManyFiles(f"A request may have at most {most} URLs.")
    return tuple(url.encode("utf-8", "replace").decode() for url in urls)
