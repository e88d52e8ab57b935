"""Templates for names and labels: `{name}`, `{date}`, `{index:03}` and the like, filled in for each photo."""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

FIELDS: Mapping[str, str] = {
    "name": "the photo's name without its ending",
    "file": "the photo's name with its ending",
    "folder": "the folders it came in",
    "date": "the day it was taken, else of its upload; `{date:%d.%m.%Y}` writes it otherwise",
    "index": "its place in the job, from 1; `{index:03}` writes three digits",
    "number": "its number in the list of names",
    "caption": "its caption in the list of names",
}
OUTPUT = "output"  # the field that only names of results have
LONGEST = 500  # characters of what a template becomes

LONG_AGO = datetime.fromtimestamp(0, UTC)  # where nobody says when

_INDEX = re.compile(r"(0?[1-9])?")
_DATE = re.compile(r"(?:%[YymdjHMS]|[ ._-]){0,40}")
_DAY = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class PhotoName:
    """What templates may say of a photo.

    `path` is its name as it came, with folders; `index` its place in the job, from 1; `taken` its own time, by the
    camera's clock; `number` and `caption` are those of the list of names, empty where it has none.
    """

    path: str = "photo"
    index: int = 1
    uploaded: datetime = LONG_AGO
    taken: datetime | None = None
    number: str = ""
    caption: str = ""

    def value(self, field: str, form: str) -> str:
        """What stands for `{field:form}`."""
        path = PurePosixPath(self.path)
        match field:
            case "name":
                return path.stem
            case "file":
                return path.name
            case "folder":
                return "" if str(path.parent) == "." else str(path.parent)
            case "date":
                return (self.taken or self.uploaded).strftime(form or _DAY)
            case "index":
                return format(self.index, f"{form}d")
        return self.number if field == "number" else self.caption


def fields_of(template: str) -> tuple[str, ...]:
    """The fields that `template` names. Raises ValueError where it names others, or in another form."""
    return tuple(field for _, field, _ in _parts(template) if field)


def filled(template: str, name: PhotoName, own: Mapping[str, str] | None = None) -> str:
    """`template` with each field's value, at most 500 characters; `own` values stand before the photo's."""
    known = own or {}
    parts = [
        text + (known[field] if field in known else name.value(field, form) if field else "")
        for text, field, form in _parts(template)
    ]
    return "".join(parts)[:LONGEST]


def _parts(template: str) -> Iterator[tuple[str, str, str]]:
    """Text, the field after it and the field's form, checked."""
    for text, field, form, conversion in string.Formatter().parse(template):
        if field is None:
            yield text, "", ""
            continue
        if conversion or (field not in FIELDS and field != OUTPUT):
            names = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise ValueError(f"There is no field {{{field}}}; there are {names}.")
        allowed = {"index": _INDEX, "date": _DATE}.get(field)
        if form and (allowed is None or not allowed.fullmatch(form)):
            raise ValueError(f"The field {{{field}}} cannot be written as `{form}`.")
        yield text, field, form or ""
