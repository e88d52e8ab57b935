"""Where results go: a folder or one file; never over a photo that is read."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from photo_processor.cli.recipes import BadOption
from photo_processor.cli.sources import Source
from photo_processor.imaging.decode import taken_at
from photo_processor.operations.naming import PhotoName, fields_of
from photo_processor.results.names import SUFFIXES, UsedNames, compared, result_name
from photo_processor.schemas import Format, Recipe

Existing = Literal["number", "update", "overwrite"]
FORMATS: dict[str, Format] = {suffix: name for name, suffix in SUFFIXES.items()} | {".jpeg": "jpeg", ".tiff": "tiff"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the results of a photo go, in the order of the recipe's outputs; `done`: they are all there already."""

    source: Source
    name: PhotoName
    paths: tuple[Path, ...]
    done: bool = False


@dataclass(slots=True)
class Target:
    """The place of results. `file` where it is one file.

    What is there already: `number` takes another name, `overwrite` replaces it, `update` leaves results that are newer
    than their photo and replaces the others. A photo that is read is never replaced.
    """

    out: Path
    recipe: Recipe
    existing: Existing
    file: bool = False
    used: UsedNames = field(default_factory=UsedNames)
    read: set[str] = field(default_factory=set)
    planned: dict[Source, tuple[Path, ...]] = field(default_factory=dict)

    def reads(self, sources: Iterable[Source]) -> None:
        """Never write to these."""
        self.read |= {_key(source.path) for source in sources}

    def plan(self, source: Source, name: PhotoName) -> Plan:
        """Where the results of `source` go; they are its own from now on. Call it in order of the photos."""
        if "date" in fields_of(self.recipe.naming or "") and source.entry is None:
            name = _dated(name, source.path)
        if source.error is not None:
            return Plan(source, name, ())
        paths = self.planned.get(source)
        if paths is None:
            paths = tuple(self._free(name, spec_number) for spec_number in range(len(self.recipe.outputs)))
            self.planned[source] = paths
        done = self.existing == "update" and all(_is_newer(path, source.path) for path in paths)
        return Plan(source, name, paths, done)

    def _free(self, name: PhotoName, number: int) -> Path:
        if self.file:
            wanted, folder = self.out.name, self.out.parent
        else:
            wanted, folder = result_name(name, self.recipe.outputs[number], self.recipe), self.out
        while True:
            path = folder / PurePosixPath(self.used.free(wanted))
            if _key(path) not in self.read and (self.existing != "number" or not path.exists()):
                return path


def _dated(name: PhotoName, path: Path) -> PhotoName:
    return PhotoName(name.path, name.index, name.uploaded, taken_at(path), name.number, name.caption)


def _key(path: Path) -> str:
    return compared(str(path.resolve()))


def _is_newer(result: Path, source: Path) -> bool:
    try:
        return result.stat().st_mtime >= source.stat().st_mtime
    except OSError:
        return False


def target_of(out: Path, sources: Sequence[Source], recipe: Recipe, options: argparse.Namespace) -> Target:
    """The target that the options ask for: one file where `out` is named as a picture, and is no folder.

    Raises BadOption.
    """
    existing: Existing = "overwrite" if options.overwrite else "update" if options.skip_existing else "number"
    format = FORMATS.get(out.suffix.lower())
    if format is None or out.is_dir():
        if out.exists() and not out.is_dir():
            raise BadOption(f"{out} is a file; OUT is a folder, or a new picture such as out.png")
        return Target(out, recipe, existing)
    if len(sources) != 1 or len(recipe.outputs) != 1:
        raise BadOption(f"{out} can hold one result, and there are more; give a folder")
    if options.format is None and not options.output and options.recipe is None and options.preset is None:
        spec = recipe.outputs[0].model_copy(update={"format": format})
        recipe = recipe.model_copy(update={"outputs": (spec,)})
    elif recipe.outputs[0].format != format:
        raise BadOption(f"{out} is named as {format}, the recipe makes {recipe.outputs[0].format}")
    return Target(out, recipe, existing, file=True)
