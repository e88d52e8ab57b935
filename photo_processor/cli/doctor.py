"""`doctor`: whether this machine has what the server needs, in plain sentences."""

import argparse
import io
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import httpx
import numpy as np
from packaging.requirements import Requirement
from PIL import Image

from photo_processor import errors, memory
from photo_processor.cli.exits import DONE, FAILED
from photo_processor.imaging.decode import decode
from photo_processor.intake.virus_scan import Scanner
from photo_processor.models.inference.runtimes import Place
from photo_processor.models.store import ModelStore
from photo_processor.queue.mounts import network_share
from photo_processor.schemas import Frozen
from photo_processor.settings import Settings

PACKAGE = "photo-processor"
LEAST_PYTHON = (3, 11)
LEAST_MEMORY = 2_000_000_000  # bytes: ISNet on two workers takes about 1.5 GB
GIGA = 1e9
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

State = Literal["ok", "warning", "problem"]


class Finding(Frozen):
    """What one check found. A `warning` is something to know, a `problem` something to mend."""

    check: str
    state: State
    message: str


class Diagnosis(Frozen):
    """What every check found."""

    findings: tuple[Finding, ...]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "doctor",
        help="check that this machine has what the server needs",
        description="Check Python, packages, processors, memory, disk, the data folder, models, runtimes, the port and "
        "the decoders. Exit status 1 where something has to be mended. Nothing else has to be installed: no ffmpeg, "
        "no ImageMagick, no database.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: argparse.Namespace) -> int:
    """Check everything and say it; returns the exit status."""
    findings = tuple(diagnose(Settings.load()))
    if options.json:
        print(Diagnosis(findings=findings).model_dump_json(indent=2))
    else:
        for finding in findings:
            print(f"{finding.state:<8} {finding.check:<11} {finding.message}")
    return FAILED if any(finding.state == "problem" for finding in findings) else DONE


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Every check, in turn."""
    checks: dict[str, Callable[[Settings], tuple[State, str]]] = {
        "python": _python,
        "packages": _packages,
        "processors": _processors,
        "memory": _memory,
        "data folder": _data_folder,
        "disk": _disk,
        "models": _models,
        "runtimes": _runtimes,
        "port": _port,
        "decoders": _decoders,
        "virus scanner": _virus_scanner,
    }
    for name, check in checks.items():
        state, message = check(settings)
        yield Finding(check=name, state=state, message=message)


def _python(_: Settings) -> tuple[State, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < LEAST_PYTHON:
        return "problem", f"Python {version} is too old; 3.11 or newer is needed."
    return "ok", f"Python {version}."


def _packages(_: Settings) -> tuple[State, str]:
    try:
        needed = [Requirement(text) for text in metadata.requires(PACKAGE) or ()]
    except metadata.PackageNotFoundError:
        return "problem", f"The package {PACKAGE} is not installed; run `make run` once."
    faults, count = [], 0
    for requirement in needed:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        count += 1
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            faults.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            faults.append(f"{requirement.name} is {version}, not {requirement.specifier}")
    if faults:
        return "problem", f"{'; '.join(faults)}. Run `make run` once."
    return "ok", f"All {count} packages are there, in versions that were tried."


def _processors(settings: Settings) -> tuple[State, str]:
    return "ok", f"{os.cpu_count() or 1} processors; {settings.workers} photos are processed at once."


def _memory(settings: Settings) -> tuple[State, str]:
    total = memory.total_bytes()
    if total is None:
        return "warning", "The system does not say how much memory there is."
    text = f"{total / GIGA:.1f} GB, of which photos take up to {settings.megapixels_at_once:g} megapixels at once."
    if total < LEAST_MEMORY:
        return "warning", f"{text} That is little: set PHOTO_WORKERS=1."
    return "ok", text


def _data_folder(settings: Settings) -> tuple[State, str]:
    folder = settings.data_dir.resolve()
    present = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=present):
            pass
    except OSError as problem:
        return "problem", f"{present} cannot be written to: {problem.strerror}. Set PHOTO_DATA_DIR to another folder."
    if present != folder:
        return "ok", f"{folder} will be made at the first start."
    share = network_share(folder)
    if share:
        return "warning", f"{folder} is on a network share ({share}), where SQLite may lose jobs. Use a disk."
    return "ok", f"{folder} can be written to."


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _disk(settings: Settings) -> tuple[State, str]:
    free = shutil.disk_usage(_existing(settings.data_dir.resolve())).free
    if free < settings.min_free_bytes:
        least = settings.min_free_bytes / GIGA
        return "problem", f"{free / GIGA:.1f} GB are free; below {least:.1f} GB uploads are refused."
    return "ok", f"{free / GIGA:.1f} GB are free."


def _models(settings: Settings) -> tuple[State, str]:
    rows = ModelStore(settings).rows()
    there = [f"{row.name} ({row.licence})" for row in rows if row.state == "installed"]
    if there:
        return "ok", f"Installed in {settings.models_path}: {', '.join(there)}."
    advice = "put isnet-general-use.onnx there" if settings.offline else "run `photo-processor models download auto`"
    return "warning", f"No network is in {settings.models_path}; until then photos get rough cutouts: {advice}."


def _runtimes(settings: Settings) -> tuple[State, str]:
    place = Place(settings.runtime, settings.device, settings.compiled_path)
    try:
        place.check()
    except errors.PhotoError as problem:
        return "problem", f"{problem.detail} {problem.hint or ''}".strip()
    versions = []
    for name in ("openvino", "onnxruntime"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return "ok", f"{', '.join(versions)}; networks run on {place.chosen}, device {place.device}."


def _port(settings: Settings) -> tuple[State, str]:
    if settings.port == 0:
        return "ok", "The server takes a free port."
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as problem:
        if _is_ours(settings):
            return "ok", f"A server of this data folder answers at port {settings.port}."
        return "problem", f"{settings.host}:{settings.port} cannot be used: {problem.strerror}. Set PHOTO_PORT."
    return "ok", f"{settings.host}:{settings.port} is free."


def _is_ours(settings: Settings) -> bool:
    try:
        address = settings.address_path.read_text(encoding="utf-8").strip()
        return httpx.get(f"{address}/health", timeout=5).is_success and address.endswith(f":{settings.port}")
    except (OSError, httpx.HTTPError):
        return False


def _virus_scanner(settings: Settings) -> tuple[State, str]:
    if settings.clamav_socket is None:
        return "ok", "None is set up (PHOTO_CLAMAV_SOCKET)."
    if Scanner(settings.clamav_socket, settings.clamav_mode).probe():
        return "ok", f"clamd answers at {settings.clamav_socket}."
    what = "are refused" if settings.clamav_mode == "closed" else "are not scanned"
    return "problem", f"clamd does not answer at {settings.clamav_socket}; uploads {what}. Start it."


def _decoders(settings: Settings) -> tuple[State, str]:
    """Write and read a small picture in each format."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    lost = []
    with tempfile.TemporaryDirectory() as folder:
        for format in FORMATS:
            path, coded = Path(folder) / format, io.BytesIO()
            try:
                Image.fromarray(np.full((16, 16, 3), 128, np.uint8)).save(coded, format)
                path.write_bytes(coded.getvalue())
                decode(path, settings.max_megapixels, lambda _code, _message: None)
            except (OSError, KeyError, ValueError, RuntimeError, errors.PhotoError):
                lost.append(format)
    if lost:
        return "problem", f"These formats cannot be read here: {', '.join(lost)}. Install Pillow and pillow-heif anew."
    raw = "RAW of cameras is read too" if find_spec("rawpy") else "RAW of cameras is not, without the extra `raw`"
    return "ok", f"{', '.join(FORMATS)} are read; {raw}. No other program is needed for that."
