"""`process IN... OUT`: photos, folders and ZIPs through a recipe, without a server."""

import argparse
import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from photo_processor.cli.batch import Batch, Outcome
from photo_processor.cli.exits import DONE, FAILED, STOPPED
from photo_processor.cli.recipes import BadOption, add_options, recipe_of
from photo_processor.cli.results import Plan, Target, target_of
from photo_processor.cli.sources import Found, find_sources
from photo_processor.intake.name_lists import merged
from photo_processor.operations.naming import PhotoName
from photo_processor.queue.names import matches
from photo_processor.queue.records import NameRow
from photo_processor.settings import Settings


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "process",
        help="process photos, folders and ZIPs without a server",
        description="Process photos, folders and ZIPs into a folder, without a server. Folders are kept; nothing that "
        "is there is replaced unless --overwrite or --skip-existing says so, and never a photo that is read.",
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="a photo, a folder or a ZIP")
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder; or of one photo a file, such as out.png")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "--skip-existing",
        action="store_true",
        help="leave photos whose results are all there and newer; make the others again. It goes by names and times: "
        "after a change of the recipe use --overwrite",
    )
    existing.add_argument("--overwrite", action="store_true", help="replace results that are there")
    add_common(parser)


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that `process` and `watch` share."""
    add_options(parser)
    parser.add_argument("--workers", type=int, metavar="N", help="photos at once; PHOTO_WORKERS where not set")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each photo, one a line")
    parser.add_argument("--quiet", action="store_true", help="show no progress and no summary")


def settings_of(options: argparse.Namespace) -> Settings:
    """The environment's settings, with the options' own."""
    settings = Settings.load()
    if options.workers is None:
        return settings
    if not 1 <= options.workers <= 64:
        raise BadOption("--workers is a number from 1 to 64")
    return settings.model_copy(update={"workers": options.workers})


def run(options: argparse.Namespace) -> int:
    """Process everything; returns the exit status. Raises BadOption, errors.PhotoError."""
    settings, recipe = settings_of(options), recipe_of(options)
    missing = [str(path) for path in options.inputs if not path.exists()]
    if missing:
        raise BadOption(f"{missing[0]} does not exist")
    found = find_sources(options.inputs, options.out, settings)
    sources = found.sources
    if not sources:
        raise BadOption("there is no photo in what was given")
    target = target_of(options.out, sources, recipe, options)
    target.reads(sources)
    plans = list(plans_of(found, target, 1))
    report = Report(options, total=len(plans))
    report.names(found, plans)
    return interruptible(_process(settings, target, plans, report), report)


def plans_of(found: Found, target: Target, first: int) -> Iterator[Plan]:
    """Where the results of each photo go, with what the lists of names say of it; numbered from `first`."""
    now, rows = datetime.now().astimezone(), merged(found.lists).rows
    listed = matches(rows, [source.name for source in found.sources])
    for number, (source, row) in enumerate(zip(found.sources, listed, strict=True), first):
        known = NameRow("") if row is None else rows[row]
        yield target.plan(source, PhotoName(source.name, number, now, None, known.number, known.caption))


async def _process(settings: Settings, target: Target, plans: Sequence[Plan], report: "Report") -> int:
    async with Batch(settings, target.recipe, report.told) as batch:
        async for outcome in batch.run(plans):
            report.add(outcome)
    return report.status


def interruptible(work: Coroutine[None, None, int], report: "Report") -> int:
    """Run `work` until it ends, or until Ctrl+C or SIGTERM, which end it in an orderly way."""

    async def main() -> int:
        task = asyncio.create_task(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return STOPPED

    try:
        return asyncio.run(main())
    finally:
        report.close()


class Report:
    """What a run says: a progress bar and failures on stderr, JSON on stdout."""

    def __init__(self, options: argparse.Namespace, total: int | None) -> None:
        self._json = options.json
        self._quiet = options.quiet
        self._counts: Counter[str] = Counter()
        self._bar = tqdm(total=total, unit="photo", disable=True if options.quiet else None, file=sys.stderr)

    @property
    def status(self) -> int:
        """The exit status so far."""
        return FAILED if self._counts["failed"] else DONE

    def told(self, text: str) -> None:
        """Something people should know."""
        if self._bar.disable:
            print(f"photo-processor: {text}", file=sys.stderr)
        else:
            self._bar.set_postfix_str(text)

    def names(self, found: Found, plans: Sequence[Plan]) -> None:
        """What the lists of names left open, where there are any."""
        if not found.lists or self._quiet:
            return
        names = merged(found.lists)
        listed = matches(names.rows, [plan.source.name for plan in plans])
        used = {row for row in listed if row is not None}
        unused = [row.file for number, row in enumerate(names.rows) if number not in used]
        bare = [plan.source.name for plan, row in zip(plans, listed, strict=True) if row is None]
        said = [f"names: {len(plans) - len(bare)} photos are in the list", *names.problems]
        said += [f"names: no photo for {name}" for name in unused] + [f"names: no row for {name}" for name in bare]
        for text in said:
            self._line(text, sys.stderr)

    def add(self, outcome: Outcome) -> None:
        """One photo is done."""
        self._counts[outcome.status] += 1
        self._bar.update()
        if self._json:
            self._line(outcome.model_dump_json(), sys.stdout)
        if outcome.error is not None:
            hint = f" {outcome.error.hint}" if outcome.error.hint else ""
            self._line(f"{outcome.source}: {outcome.error.message}{hint}", sys.stderr)

    def _line(self, text: str, file: object) -> None:
        self._bar.clear()
        print(text, file=file, flush=True)  # type: ignore[call-overload]
        self._bar.refresh()

    def close(self) -> None:
        """The last word."""
        self._bar.close()
        if not self._quiet:
            words = {"completed": "done", "skipped": "there already", "failed": "failed"}
            counts = [f"{self._counts[status]} {word}" for status, word in words.items() if self._counts[status]]
            print(f"photos: {', '.join(counts) or 'none'}", file=sys.stderr)
