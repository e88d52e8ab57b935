"""`watch FOLDER OUT`: each photo that comes into a folder is processed once it has settled."""

import argparse
import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from photo_processor.cli.batch import Batch
from photo_processor.cli.exits import STOPPED
from photo_processor.cli.process import Report, add_common, interruptible, plans_of, settings_of
from photo_processor.cli.recipes import BadOption, recipe_of
from photo_processor.cli.results import Target
from photo_processor.cli.sources import Found, files_in, find_sources, take
from photo_processor.intake.name_lists import is_list
from photo_processor.settings import Settings

Seen = tuple[int, int]  # bytes, and time of change in ns


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "watch",
        help="process what comes into a folder, until Ctrl+C",
        description="Process what is in a folder and what comes into it, until Ctrl+C. Results that are there and "
        "newer than their photo are left; a photo that changes is processed again, in place of its results.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where photos arrive")
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder for the results")
    parser.add_argument(
        "--settle", type=float, default=2.0, metavar="SECONDS", help="how long a file must not have changed: 2"
    )
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="time between looks: 1")
    add_common(parser)


def run(options: argparse.Namespace) -> int:
    """Watch until stopped; returns the exit status. Raises BadOption, errors.PhotoError."""
    settings, recipe = settings_of(options), recipe_of(options)
    if not options.folder.is_dir():
        raise BadOption(f"{options.folder} is not a folder")
    if options.out.resolve() == options.folder.resolve():
        raise BadOption("OUT is the watched folder itself; results would be taken for new photos")
    if options.out.exists() and not options.out.is_dir():
        raise BadOption(f"{options.out} is a file; OUT is a folder")
    if options.settle < 0 or options.every <= 0:
        raise BadOption("--settle and --every are times")
    watcher = Watcher(options.folder, options.out, settings, options.settle)
    report = Report(options, total=None)
    target = Target(options.out, recipe, "update")
    status = interruptible(_watch(settings, target, watcher, options.every, report), report)
    return report.status if status == STOPPED else status


@dataclass(slots=True)
class Watcher:
    """Which files have come and settled: their size and time of change are as they were `settle` seconds ago.

    Polling works where notices of the file system do not come, as on network drives.
    """

    folder: Path
    out: Path
    settings: Settings
    settle: float
    _waiting: dict[Path, tuple[Seen, float]] = field(default_factory=dict)
    _done: dict[Path, Seen] = field(default_factory=dict)

    def found(self) -> Found:
        """The photos that are ready now, with every list of names that is in the folder."""
        ready = Found()
        for path in self.settled():
            take(self.folder, path, self.settings, ready)
        if ready.sources:
            beside = [path for path in files_in(self.folder, self.out) if is_list(path.name)]
            ready.lists = find_sources(beside, self.out, self.settings).lists
        return ready

    def settled(self) -> Iterator[Path]:
        """The files that are ready now, each once for each change."""
        now = time.monotonic()
        for path in files_in(self.folder, self.out):
            try:
                status = path.stat()
            except OSError:
                continue  # gone between two looks
            seen = status.st_size, status.st_mtime_ns
            if status.st_size == 0 or self._done.get(path) == seen:
                continue
            known, since = self._waiting.get(path, (None, now))
            if known != seen:
                self._waiting[path] = seen, now
            elif now - since >= self.settle:
                del self._waiting[path]
                self._done[path] = seen
                yield path


async def _watch(settings: Settings, target: Target, watcher: Watcher, every: float, report: Report) -> int:
    number = 0
    async with Batch(settings, target.recipe, report.told) as batch:
        while True:
            found = await asyncio.to_thread(watcher.found)
            target.reads(found.sources)
            plans = list(plans_of(found, target, number + 1))
            number += len(plans)
            async for outcome in batch.run(plans):
                report.add(outcome)
            await asyncio.sleep(every)
