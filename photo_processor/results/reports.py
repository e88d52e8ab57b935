"""What an office reads about a job: each photo, and what about it a person should look at. As CSV, and as HTML."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from photo_processor.schemas import Job, JobFile, ReviewItem

COLUMNS = ("name", "number", "caption", "status", "results", "faces", "detector", "to look at", "what to do")
BOM = "\N{BYTE ORDER MARK}"
SHOWN = frozenset({"png", "webp", "jpeg", "avif", "gif", "bmp"})  # formats that browsers show
# What spreadsheets take for a formula, full-width forms too, at a cell's begin or behind what some split cells at.
_RUNNABLE = re.compile(r"(^|[;\t\r\n|])(?=[\s\"']*[=+\-@\t\r\uff0b\uff0d\uff1d\uff20])")
STYLE = """
:root{color-scheme:light dark;font:15px/1.45 system-ui,sans-serif}
body{max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0 0 .3rem}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
ul{list-style:none;padding:0;margin:0;display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr))}
li{border:1px solid #8886;border-radius:6px;padding:.75rem;break-inside:avoid;overflow-wrap:anywhere}
img{display:block;max-width:100%;max-height:14rem;margin:0 auto .5rem;border-radius:4px;
 background:repeating-conic-gradient(#ddd 0 25%,#fff 0 50%) 0 0/16px 16px}
p{margin:.25rem 0}
.quiet{opacity:.75;font-size:.87rem}
.look{border-left:4px solid #b7791f;padding-left:.5rem}
.failed{border-left:4px solid #c53030;padding-left:.5rem}
@media print{li{border-color:#aaa}}
"""


@dataclass(frozen=True)
class Reported:
    """A photo of the job, and where in the ZIP each of its results is, by the output's name."""

    file: JobFile
    paths: Mapping[str, str]


def is_reported(job: Job, files: Iterable[JobFile]) -> bool:
    """Whether there is something to report: faces were cut out, or a photo should be looked at."""
    faces = any(operation.op in ("crop_face", "id_photo") for operation in job.recipe.operations)
    return faces or any(file.review for file in files)


def csv_of(rows: Iterable[Sequence[str]]) -> str:
    """CSV as spreadsheets take it; cells that one would run are defused."""
    text = io.StringIO()
    csv.writer(text).writerows([[_RUNNABLE.sub(r"\1'", cell) for cell in row] for row in rows])
    return text.getvalue()


def report_csv(reported: Iterable[Reported]) -> str:
    """A row for each photo, in order of arrival; with the mark that tells spreadsheets of UTF-8."""
    return BOM + csv_of([COLUMNS, *map(_row, reported)])


def _row(one: Reported) -> tuple[str, ...]:
    file = one.file
    faces = file.faces or ()
    if file.error is not None:
        codes, advice = file.error.code, " ".join(filter(None, (file.error.message, file.error.hint)))
    else:
        codes, advice = " ".join(item.code for item in file.review), " ".join(item.message for item in file.review)
    return (
        file.name,
        file.number or "",
        file.caption or "",
        file.status,
        "; ".join(one.paths.values()),
        "" if file.faces is None else str(len(faces)),
        " ".join(sorted({face.detector for face in faces if face.detector})),
        codes,
        advice,
    )


def report_html(job: Job, reported: Sequence[Reported]) -> str:
    """A page that stands beside the results and shows them: what is to be looked at first. It loads nothing else."""
    look = [one for one in reported if one.file.review]
    failed = [one for one in reported if one.file.status == "failed"]
    fine = [one for one in reported if one.file.status == "completed" and not one.file.review]
    name = escape(job.name or "Photos")
    counts = f"{len(reported)} photos: {len(fine)} fine, {len(look)} to look at, {len(failed)} failed."
    sections = (("To look at", look), ("Failed", failed), ("Fine", fine))
    body = "".join(
        f"<h2>{title} ({len(part)})</h2><ul>{''.join(map(_card, part))}</ul>" for title, part in sections if part
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width"><style>' + STYLE + "</style>"
        f"<h1>{name}</h1><p>{counts}</p>{body}</html>\n"
    )


def _card(one: Reported) -> str:
    file = one.file
    lines = [f"<p><b>{escape(file.caption or file.name)}</b></p>"]
    if file.caption or file.number:
        lines.append(f'<p class="quiet">{escape(" · ".join(filter(None, (file.number, file.name))))}</p>')
    lines += [f'<p class="look">{escape(item.message)}{_measured(item)}</p>' for item in file.review]
    if file.error is not None:
        text = " ".join(filter(None, (file.error.message, file.error.hint)))
        lines.append(f'<p class="failed">{escape(text)}</p>')
    return f"<li>{_picture(one)}{''.join(lines)}</li>"


def _picture(one: Reported) -> str:
    for output in one.file.outputs:
        if output.format in SHOWN:
            place = quote(one.paths[output.name])
            return f'<img src="./{place}" alt="" width="{output.width}" height="{output.height}" loading="lazy">'
    return ""


def _measured(item: ReviewItem) -> str:
    """What was measured, and the range it should lie in."""
    if item.value is None:
        return ""
    unit = f" {item.unit}" if item.unit else ""
    if item.low is None and item.high is None:
        wanted = ""
    elif item.high is None:
        wanted = f"; at least {item.low:g}"
    elif item.low is None or item.low == item.high:
        wanted = f"; {'at most ' if item.low is None else ''}{item.high:g}"
    else:
        wanted = f"; {item.low:g} to {item.high:g}"
    return f' <span class="quiet">({item.value:g}{unit}{wanted})</span>'
