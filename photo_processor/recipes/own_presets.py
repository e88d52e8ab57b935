"""Presets of this server's own: named recipes in `presets.json` in the data folder."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, TypeAdapter, ValidationError

from photo_processor import errors
from photo_processor.recipes import PRESETS, Preset, parse_recipe
from photo_processor.schemas import Frozen
from photo_processor.storage.local import translated, write_whole

MOST = 200
BROWSERS = "own-"  # begins the names of those that a browser keeps for itself
BUILT_IN = frozenset(preset.name for preset in PRESETS)


def _free(name: str) -> str:
    if name.startswith(BROWSERS):
        raise ValueError(f"names that begin with `{BROWSERS}` are the page's")
    return name


PresetName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"), AfterValidator(_free)]


class NewPreset(Frozen):
    """A preset as it is sent; one that was fetched before can be sent as it came."""

    name: PresetName | None = None
    title: str = Field(min_length=1, max_length=100)
    description: str = Field("", max_length=500)
    recipe: dict[str, JsonValue]
    own: bool = True


class _Stored(Frozen):
    name: PresetName
    title: str
    description: str
    recipe: dict[str, JsonValue]

    def preset(self) -> Preset:
        """Raises errors.InvalidRecipe."""
        recipe = parse_recipe(dict(self.recipe))
        return Preset(name=self.name, title=self.title, description=self.description, recipe=recipe, own=True)


_FILE = TypeAdapter(tuple[_Stored, ...])


class PresetFile(Frozen):
    """What `presets.json` holds, or in words why it cannot be read."""

    presets: tuple[Preset, ...] = ()
    problem: str | None = None


class Presets:
    """The presets that come with the server, and its own. The file may be edited by hand meanwhile. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def all(self) -> tuple[Preset, ...]:
        """Every preset, the server's own last; without those where their file cannot be read."""
        return (*PRESETS, *self._read().presets)

    def text(self) -> str:
        """The server's own presets as they stand in their file, whether that is valid or not."""
        with translated(), suppress(FileNotFoundError):
            return self._path.read_text(encoding="utf-8", errors="replace")
        return ""

    def find(self, name: str) -> Preset:
        """Raises errors.UnknownPreset."""
        found = self._read()
        for preset in (*PRESETS, *found.presets):
            if preset.name == name:
                return preset
        names = ", ".join(preset.name for preset in (*PRESETS, *found.presets))
        raise errors.UnknownPreset(found.problem or f"There is no preset '{name[:64]}'; there are {names}.")

    def put(self, name: str, new: NewPreset) -> Preset:
        """Keep a preset under `name`, in place of an own one of that name.

        Raises errors.InvalidRecipe, errors.Conflict where one that comes with the server has the name, there are 200,
        or the file cannot be read; errors.StorageFull, errors.StorageUnavailable.
        """
        kept = _Stored(name=name, title=new.title, description=new.description, recipe=new.recipe).preset()
        with self._lock:
            others = [preset for preset in self._changeable(name) if preset.name != name]
            if len(others) >= MOST:
                raise errors.Conflict(f"There are {MOST} presets already.")
            self._write([*others, kept])
        return kept

    def delete(self, name: str) -> None:
        """Raises errors.NotFound, errors.Conflict where it comes with the server or the file cannot be read."""
        with self._lock:
            own = self._changeable(name)
            others = [preset for preset in own if preset.name != name]
            if len(others) == len(own):
                raise errors.NotFound(f"There is no preset '{name[:64]}'.")
            self._write(others)

    def _changeable(self, name: str) -> tuple[Preset, ...]:
        """The server's own presets, where `name` may be changed among them."""
        if name in BUILT_IN:
            raise errors.Conflict(f"The preset '{name}' comes with the server and stays as it is; take another name.")
        found = self._read()
        if found.problem is not None:
            raise errors.Conflict(found.problem)
        return found.presets

    def _read(self) -> PresetFile:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return PresetFile()
        except OSError:
            return PresetFile(problem="The file presets.json cannot be read.")
        try:
            return PresetFile(presets=tuple(stored.preset() for stored in _FILE.validate_json(data)))
        except (ValidationError, errors.InvalidRecipe):
            return PresetFile(problem="The file presets.json is not valid; repair or delete it.")

    def _write(self, presets: list[Preset]) -> None:
        rows = [preset.model_dump(mode="json", exclude={"own"}) for preset in presets]
        with translated():
            write_whole(self._path, TypeAdapter(list[dict[str, JsonValue]]).dump_json(rows, indent=2))
