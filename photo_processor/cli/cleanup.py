"""`cleanup`: expired jobs, and what belongs to no job, are deleted."""

import argparse
import asyncio

import httpx

from photo_processor import errors
from photo_processor.cli.exits import DONE
from photo_processor.schemas import CleanupReport
from photo_processor.settings import Settings

TIMEOUT = 600.0  # seconds for a cleanup by a running server


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("cleanup", help="delete expired jobs and what belongs to no job")
    parser.add_argument("--dry-run", action="store_true", help="only list what would go, with its bytes")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Clean, and say what went; returns the exit status."""
    report = clean(Settings.load(), dry_run=options.dry_run)
    print(report.model_dump_json(indent=2) if options.json else described(report))
    return DONE


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
    import app  # the whole server, which other commands need not load

    async with app.opened(settings) as services:
        return await services.upkeep.clean(dry_run=dry_run)


def described(report: CleanupReport) -> str:
    """The report for people, a line for each thing."""
    lines = [f"job {job.id}  {job.bytes:>12,} bytes  {job.name}" for job in report.jobs]
    lines += [f"folder {folder.name}  {folder.bytes:>12,} bytes, of no job" for folder in report.orphans]
    lines += [f"{blob.kind} {blob.name}  {blob.bytes:>12,} bytes, of no photo" for blob in report.loose]
    lines += [f"result of file {lost.file_id} in job {lost.job_id} has vanished" for lost in report.lost]
    lines += [f"picture {asset.id}  {asset.bytes:>12,} bytes, that nothing uses" for asset in report.assets]
    kinds = (report.jobs, report.orphans, report.loose, report.assets)
    total = sum(sum(found.bytes for found in kind) for kind in kinds)
    verb = "would be freed" if report.dry_run else "freed"
    return "\n".join([*lines, f"{total:,} bytes {verb}"])
