"""Names of results: from the photo's own, or a template; safe on every system, and no two alike."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ingest.archives import clean_name
from operations.naming import FIELDS, OUTPUT, PhotoName, fields_of, filled
from schemas import Format, OutputSpec, Recipe

SUFFIXES: dict[Format, str] = {
    "png": ".png",
    "webp": ".webp",
    "jpeg": ".jpg",
    "avif": ".avif",
    "tiff": ".tif",
    "svg": ".svg",
}
MOST_CHARACTERS = 150  # of each part of a name, which leaves room for endings and numbers

_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")  # names that Windows keeps for devices


def result_name(name: PhotoName, spec: OutputSpec, recipe: Recipe) -> str:
    """The name of the result that `spec` describes, with its folders.

    By the recipe's template, or the photo's own name; then the ending that the recipe gives the output. Where it gives
    none, it is the output's name, if there are several and the template does not say it.
    """
    template = recipe.naming or "{folder}/{name}"
    ending = spec.suffix
    if ending is None:
        ending = f"-{spec.name}" if len(recipe.outputs) > 1 and OUTPUT not in fields_of(template) else ""
    suffix = SUFFIXES[spec.format]
    if recipe.naming is None:
        original = PurePosixPath(name.path)
        return str(original.with_name(original.stem + ending + suffix))
    path = PurePosixPath(safe_path(filled(template, name, _values(name, spec))) or _safe(name.value("name", "")))
    return str(path.with_name(path.name + ending + suffix))


def _values(name: PhotoName, spec: OutputSpec) -> dict[str, str]:
    """Values that may not make folders of their own; a photo that no list names keeps its own name."""
    own = name.value("name", "")
    values = {field: name.value(field, "") for field in FIELDS if field in ("name", "file")}
    values |= {field: name.value(field, "") or own for field in ("number", "caption")}
    return {field: value.replace("/", "-").replace("\\", "-") for field, value in values.items()} | {OUTPUT: spec.name}


def safe_path(name: str) -> str:
    """`name` as a relative path that every system takes; empty where nothing is left of it."""
    parts = (_safe(part) for part in clean_name(name).split("/"))
    kept = "/".join(part for part in parts if part)
    return "" if name.strip("/ ") == "" else kept


def _safe(part: str) -> str:
    part = _FORBIDDEN.sub("_", part)[:MOST_CHARACTERS].strip().rstrip(". ")
    return f"_{part}" if _RESERVED.fullmatch(part) else part


@dataclass(slots=True)
class UsedNames:
    """Names already used, compared as Windows and macOS compare them."""

    used: set[str] = field(default_factory=set)

    def free(self, name: str) -> str:
        """`name`, numbered where it is used already; used from now on."""
        path, number, candidate = PurePosixPath(name), 1, name
        while compared(candidate) in self.used:
            number += 1
            candidate = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        self.used.add(compared(candidate))
        return candidate


def compared(name: str) -> str:
    """What is the same for names that some system takes for the same."""
    return unicodedata.normalize("NFC", name).casefold()
