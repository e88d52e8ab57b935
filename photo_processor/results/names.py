"""Names of results: from the photo's own, or a template; safe on every system, and no two alike."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from photo_processor.intake.file_names import clean_name, cut, shortened
from photo_processor.operations.naming import FIELDS, OUTPUT, PhotoName, fields_of, filled
from photo_processor.schemas import Format, OutputSpec, Recipe

SUFFIXES: dict[Format, str] = {
    "png": ".png",
    "webp": ".webp",
    "jpeg": ".jpg",
    "avif": ".avif",
    "tiff": ".tif",
    "gif": ".gif",
    "bmp": ".bmp",
    "svg": ".svg",
}
MOST_CHARACTERS = 150  # of each part of a template's name
MOST_BYTES = 255  # of a folder's name

_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Names that Windows keeps for devices, whatever follows a dot; it takes COM¹ for COM1.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])\s*(\..*)?")


def result_name(name: PhotoName, spec: OutputSpec, recipe: Recipe) -> str:
    """The name of the result that `spec` describes, with its folders.

    By the recipe's template, or the photo's own name; then the ending that the recipe gives the output. Where it gives
    none, it is the output's name, if there are several and the template does not say it.
    """
    template = recipe.naming or "{folder}/{name}"
    ending = spec.suffix
    if ending is None:
        ending = f"-{spec.name}" if len(recipe.outputs) > 1 and OUTPUT not in fields_of(template) else ""
    filled_in = filled(recipe.naming, name, _values(name, spec)) if recipe.naming is not None else ""
    path = PurePosixPath(safe_path(filled_in, MOST_CHARACTERS) or _own_path(name))
    last = _safe(shortened(path.name, ending + SUFFIXES[spec.format]))
    return str(path.with_name(last))


def _own_path(name: PhotoName) -> str:
    """The photo's own name, without its ending, in its folders."""
    folder, stem = safe_path(name.value("folder", "")), _safe(name.value("name", "")) or "unnamed"
    return f"{folder}/{stem}" if folder else stem


def _values(name: PhotoName, spec: OutputSpec) -> dict[str, str]:
    """Values that may not make folders of their own; a photo that no list names keeps its own name."""
    own = name.value("name", "")
    values = {field: name.value(field, "") for field in FIELDS if field in ("name", "file")}
    values |= {field: name.value(field, "") or own for field in ("number", "caption")}
    return {field: value.replace("/", "-").replace("\\", "-") for field, value in values.items()} | {OUTPUT: spec.name}


def safe_path(name: str, most: int = MOST_BYTES) -> str:
    """`name` as a relative path that every system takes, its parts of `most` characters; empty where it has none."""
    if name.strip("/ ") == "":
        return ""
    parts = (_safe(part[:most]) for part in clean_name(name).split("/"))
    return "/".join(part for part in parts if part)


def _safe(part: str) -> str:
    """`part` as Windows, macOS and Linux all take it."""
    part = cut(_FORBIDDEN.sub("_", part).strip().rstrip(". "), MOST_BYTES)
    return cut(f"_{part}", MOST_BYTES) if _RESERVED.fullmatch(part) else part


@dataclass(slots=True)
class UsedNames:
    """Names already used, compared as Windows and macOS compare them; a folder has no file's name either."""

    used: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    def free(self, name: str) -> str:
        """`name`, numbered where it is used already; used from now on."""
        path = PurePosixPath(name)
        folder = PurePosixPath()
        for part in path.parts[:-1]:
            folder = self._numbered(folder / part, self.used)
            self.folders.add(compared(str(folder)))
        free = self._numbered(folder / path.name, self.used, self.folders)
        self.used.add(compared(str(free)))
        return str(free)

    @staticmethod
    def _numbered(path: PurePosixPath, *taken: set[str]) -> PurePosixPath:
        number, candidate = 1, path
        while any(compared(str(candidate)) in names for names in taken):
            number += 1
            candidate = path.with_name(shortened(path.stem, f" ({number}){path.suffix}"))
        return candidate


def compared(name: str) -> str:
    """What is the same for names that some system takes for the same."""
    return unicodedata.normalize("NFC", name).casefold()
