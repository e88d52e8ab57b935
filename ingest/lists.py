"""Lists of names: CSV files beside the photos that give them numbers and captions."""

import csv
import io
import unicodedata
from pathlib import PurePosixPath

from sql.rows import NameRow, Names

ENDINGS = (".csv", ".tsv")
MAX_BYTES = 5_000_000  # of one list
MAX_ROWS = 20_000
MAX_CELL = 200  # characters kept of a cell
DELIMITERS = ",;\t"

# What a column may be called, in the page's languages; compared without case, accents, spaces and marks.
COLUMNS = {
    "file": "file filename photo photofile picture image foto datei dateiname bild archivo fichero fichier",
    "number": "number no nr num id pupil pupilid pupilnumber student studentid studentnumber nummer schuler "
    "schulernummer numero alumno eleve matricula",
    "caption": "caption name title label fullname titel beschriftung nombre titulo nom titre legende",
}
_KNOWN = {word: column for column, words in COLUMNS.items() for word in words.split()}


def is_list(name: str) -> bool:
    """Whether a file that is no photo is named as a list of names."""
    return name.lower().endswith(ENDINGS)


def parse_list(data: bytes, name: str) -> Names:
    """The rows of the list in `data`, or in words why it cannot be read. UTF-8, UTF-16 with its mark, Windows-1252."""
    shown = PurePosixPath(name).name
    if len(data) > MAX_BYTES:
        return too_large(name)
    text = _text(data)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(map(str.strip, row))
        ]
    except csv.Error:
        return Names(problems=(f"{shown}: this is no CSV.",))
    if not rows:
        return Names(problems=(f"{shown}: the list is empty.",))
    columns = _columns(rows[0])
    if "file" not in columns and "number" not in columns:
        return Names(problems=(f"{shown}: the first row names no column for the photos, such as `file`.",))
    return _rows(rows[1:], columns, shown)


def too_large(name: str) -> Names:
    """What is said of a list that is longer than any is read."""
    return Names(problems=(f"{PurePosixPath(name).name}: a list may have at most {MAX_BYTES // 1_000_000} MB.",))


def _rows(rows: list[list[str]], columns: dict[str, int], shown: str) -> Names:
    """What stands in the columns; photos without a column of their own are named by their numbers."""
    problems = []
    if len(rows) > MAX_ROWS:
        problems.append(f"{shown}: only the first {MAX_ROWS:,} rows are read.")
    found = []
    for row in rows[:MAX_ROWS]:
        cells = {name: _cell(row[at]) if at < len(row) else "" for name, at in columns.items()}
        file = cells.get("file") or cells.get("number", "")
        if file:
            found.append(NameRow(file, cells.get("number", ""), cells.get("caption", "")))
    without = sum(1 for row in rows[:MAX_ROWS]) - len(found)
    if without:
        problems.append(f"{shown}: {without} rows name no photo.")
    return Names(tuple(found), tuple(problems))


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _columns(header: list[str]) -> dict[str, int]:
    """Which column holds what; of several that could, the first."""
    found: dict[str, int] = {}
    for at, cell in enumerate(header):
        plain = unicodedata.normalize("NFKD", cell).casefold()
        column = _KNOWN.get("".join(char for char in plain if char.isalnum()))
        if column is not None:
            found.setdefault(column, at)
    return found


def _cell(text: str) -> str:
    visible = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(visible.split())[:MAX_CELL]


def merged(lists: list[Names]) -> Names:
    """Several lists as one."""
    return Names(
        tuple(row for names in lists for row in names.rows),
        tuple(problem for names in lists for problem in names.problems),
    )
