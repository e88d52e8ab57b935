"""`models`: list, download and optimise the models, by the server that runs on the data folder, or here."""

import argparse
import asyncio
import time
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from photo_processor import errors
from photo_processor.cli.exits import DONE
from photo_processor.models.store import ModelInfo
from photo_processor.schemas import Problem
from photo_processor.settings import Settings

TIMEOUT = 600.0  # seconds for a running server's answer
POLL = 0.5  # seconds between looks at what a model's download or optimisation has come to


class Catalogue(BaseModel):
    """What is printed of the models, and read of `/api/models`."""

    models: tuple[ModelInfo, ...]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("models", help="list, download and optimise the models")
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="what this server offers, and the state of each")
    download = verbs.add_parser("download", help="fetch a model")
    optimize = verbs.add_parser("optimize", help="make a network faster on this machine; takes some minutes")
    for verb in (download, optimize):
        verb.add_argument("name", help="a name of the list, or `auto`")
    for verb in (listing, download, optimize):
        verb.add_argument("--json", action="store_true", help="print the models as JSON")


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit status."""
    rows = model_rows(Settings.load(), options.verb, "" if options.verb == "list" else options.name)
    wanted = rows if options.verb == "list" else tuple(row for row in rows if row.name == options.name) or rows
    print(Catalogue(models=wanted).model_dump_json(indent=2) if options.json else "\n".join(map(model_line, wanted)))
    return DONE


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
    import app  # the whole server, which other commands need not load

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
