"""`photo-processor`: the server, and the work around it, from the command line.

Exit status: 0 done, 1 failed, 2 wrong usage.
"""

import argparse
import asyncio
import sys
import time
from urllib.parse import quote

import httpx
from pydantic import BaseModel

import app
import errors
from keys import SCOPES, KeyRing
from models import ModelInfo
from schemas import CleanupReport, Problem
from settings import Settings

TIMEOUT = 600.0  # seconds for a cleanup by a running server
POLL = 0.5  # seconds between looks at what a model's download or optimisation has come to


class Catalogue(BaseModel):
    """What is printed of the models, and read of `/api/models`."""

    models: tuple[ModelInfo, ...]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="photo-processor", description="A self-hosted photo-processing server.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve until Ctrl+C; settings are environment variables PHOTO_*")
    cleanup = commands.add_parser("cleanup", help="delete expired jobs and what belongs to no job")
    cleanup.add_argument("--dry-run", action="store_true", help="only list what would go, with its bytes")
    cleanup.add_argument("--json", action="store_true", help="print the report as JSON")
    _add_keys(commands)
    _add_models(commands.add_parser("models", help="list, download and optimise the models"))
    options = parser.parse_args(arguments)
    if options.command == "serve":
        return app.main()
    try:
        if options.command == "keys":
            return manage_keys(KeyRing(Settings().keys_path), options)
        if options.command == "models":
            return _models(options)
        report = clean(Settings(), dry_run=options.dry_run)
    except (errors.PhotoError, httpx.HTTPError) as error:
        print(f"photo-processor: {error}", file=sys.stderr)
        return 1
    print(report.model_dump_json(indent=2) if options.json else described(report))
    return 0


def _add_keys(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    keys = commands.add_parser("keys", help="keys for who may use the server").add_subparsers(
        dest="verb", required=True
    )
    create = keys.add_parser("create", help="make a key and print it, this once")
    create.add_argument("name", help="whose key it is")
    create.add_argument(
        "--scope", choices=SCOPES, default="submit", help="what it may do; each includes the one before"
    )
    keys.add_parser("list", help="the keys' ids, scopes, days and names")
    revoke = keys.add_parser("revoke", help="end a key; a running server notices within a second")
    revoke.add_argument("id")


def manage_keys(ring: KeyRing, options: argparse.Namespace) -> int:
    """Create, list or revoke; returns the exit status."""
    if options.verb == "create":
        print(ring.create(options.name, options.scope))
    elif options.verb == "list":
        for key in ring.rows():
            print(f"{key.id}  {key.scope:6}  {key.created_at:%Y-%m-%d}  {key.name}")
    elif not ring.revoke(options.id):
        print(f"photo-processor: there is no key {options.id}", file=sys.stderr)
        return 1
    return 0


def _add_models(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="what this server offers, and the state of each")
    download = verbs.add_parser("download", help="fetch a model")
    optimize = verbs.add_parser("optimize", help="make a network faster on this machine; takes some minutes")
    for verb in (download, optimize):
        verb.add_argument("name", help="a name of the list, or `auto`")
    for verb in (listing, download, optimize):
        verb.add_argument("--json", action="store_true", help="print the models as JSON")


def _models(options: argparse.Namespace) -> int:
    rows = model_rows(Settings(), options.verb, "" if options.verb == "list" else options.name)
    wanted = rows if options.verb == "list" else tuple(row for row in rows if row.name == options.name) or rows
    print(Catalogue(models=wanted).model_dump_json(indent=2) if options.json else "\n".join(map(model_line, wanted)))
    return 0


def clean(settings: Settings, *, dry_run: bool) -> CleanupReport:
    """Clean the data folder: by the server that runs on it, or here where none does."""
    try:
        return asyncio.run(_clean_here(settings, dry_run))
    except errors.DataFolderInUse:
        address = settings.address_path.read_text(encoding="utf-8").strip()
        url = f"{address}/api/cleanup"
        headers = {"X-Api-Key": settings.local_key_path.read_text(encoding="utf-8")}
        asked = {"dry_run": str(dry_run).lower()}
        response = httpx.post(url, params=asked, headers=headers, timeout=TIMEOUT).raise_for_status()
        return CleanupReport.model_validate_json(response.content)


async def _clean_here(settings: Settings, dry_run: bool) -> CleanupReport:
    async with app.opened(settings) as services:
        return await services.upkeep.clean(dry_run=dry_run)


def described(report: CleanupReport) -> str:
    """The report for people, a line for each thing."""
    lines = [f"job {job.id}  {job.bytes:>12,} bytes  {job.name}" for job in report.jobs]
    lines += [f"folder {folder.name}  {folder.bytes:>12,} bytes, of no job" for folder in report.orphans]
    lines += [f"result of file {lost.file_id} in job {lost.job_id} has vanished" for lost in report.lost]
    total = sum(job.bytes for job in report.jobs) + sum(folder.bytes for folder in report.orphans)
    verb = "would be freed" if report.dry_run else "freed"
    return "\n".join([*lines, f"{total:,} bytes {verb}"])


def model_rows(settings: Settings, verb: str, name: str) -> tuple[ModelInfo, ...]:
    """The models, after `verb` (`list`, `download`, `optimize`) was done: by a server that runs, or here."""
    try:
        return asyncio.run(_models_here(settings, verb, name))
    except errors.DataFolderInUse:
        address = settings.address_path.read_text(encoding="utf-8").strip()
        headers = {"X-Api-Key": settings.local_key_path.read_text(encoding="utf-8")}
        with httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT) as client:
            return _models_there(client, verb, name)


async def _models_here(settings: Settings, verb: str, name: str) -> tuple[ModelInfo, ...]:
    async with app.opened(settings) as services:
        models = services.models
        try:
            if verb == "download":
                models.download(models.canonical(name))
            if verb == "optimize":
                models.optimise(models.canonical(name))
            await models.settled()
            return models.rows()
        finally:
            await models.close()


def _models_there(client: httpx.Client, verb: str, name: str) -> tuple[ModelInfo, ...]:
    if verb != "list":
        response = client.post(f"/api/models/{quote(name, safe='')}/{verb}")
        if response.is_error:
            raise httpx.HTTPError(Problem.model_validate_json(response.content).detail)
    while True:
        rows = Catalogue.model_validate_json(client.get("/api/models").raise_for_status().content).models
        if verb == "list" or not any(is_busy(row) for row in rows):
            return rows
        time.sleep(POLL)


def is_busy(row: ModelInfo) -> bool:
    """Whether a model is on its way, or being optimised."""
    return row.state == "downloading" or (row.optimised is not None and row.optimised.state in ("running", "paused"))


def model_line(row: ModelInfo) -> str:
    """A model for people."""
    gain = f"{row.optimised.gain:.1f}x as fast, optimised" if row.optimised and row.optimised.state == "ready" else ""
    reason = row.optimised.reason if row.optimised else None
    error = row.error.message if row.error else None
    facts = [row.state, row.runtime, gain, reason, error]
    return f"{row.name:<22} " + ", ".join(fact for fact in facts if fact)


if __name__ == "__main__":
    sys.exit(main())
