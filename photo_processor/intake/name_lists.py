"""Lists of names: CSV files beside the photos that give them numbers and captions."""

import csv
import io
import re
import unicodedata
from pathlib import PurePosixPath

from photo_processor.intake.code_pages import likeliest
from photo_processor.intake.file_names import is_kept
from photo_processor.queue.records import NameRow, Names

ENDINGS = (".csv", ".tsv")
MAX_BYTES = 5_000_000  # of one list
MAX_ROWS = 20_000
MAX_CELL = 200  # characters kept of a cell
MAX_NAME = 2_000  # of a photo's name with its folders
DELIMITERS = ",;\t"
LIST_PAGES = (
    "cp1252",
    "cp932",
    "cp936",
    "cp1251",
    "cp850",
)  # of Windows' languages, and the older one of Excel for DOS

# What a column may be called, in the page's languages; compared without case, accents, spaces and marks.
COLUMNS = {
    "file": "file filename photo photofile picture image foto datei dateiname bild archivo fichero fichier "
    "ファイル ファイル名 写真 文件 文件名 照片 файл фото",
    "number": "number no nr num id pupil pupilid pupilnumber student studentid studentnumber nummer schuler "
    "schulernummer numero alumno eleve matricula "
    "番号 学籍番号 编号 学号 номер",
    "caption": "caption name title label fullname titel beschriftung nombre titulo nom titre legende "
    "名前 氏名 姓名 имя фио",
}
_BLANKS = re.compile(r" {2,}")
_SEPARATOR = re.compile(r'"?sep=([^\w\r\n"]?)"?[,;\t]*\r?(?:\n|$)', re.IGNORECASE)  # for Excel


def is_list(name: str) -> bool:
    """Whether a file that is no photo is named as a list of names."""
    return name.lower().endswith(ENDINGS)


def parse_list(data: bytes, name: str) -> Names:
    """The rows of the list in `data`, or in words why it cannot be read. UTF-8, UTF-16 or a code page."""
    shown = PurePosixPath(name).name
    if len(data) > MAX_BYTES:
        return too_large(name)
    delimiter, text = _delimited(_text(data))
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
        cells = {name: _cell(row[at], name) if at < len(row) else "" for name, at in columns.items()}
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
        lines = data.splitlines()
        return data.decode(likeliest(lines, LIST_PAGES) or "cp1252", "replace")


def _delimited(text: str) -> tuple[str, str]:
    """What parts the cells, and the list without the line that says so to Excel (`sep=;`)."""
    text = text.lstrip("\r\n")
    said = _SEPARATOR.match(text)
    if said is not None:
        text = text[said.end() :]
    if said is not None and said[1]:
        return said[1], text
    return max(DELIMITERS, key=text.partition("\n")[0].count), text


def _plain(head: str) -> str:
    """What a column is called, without case, accents, spaces and marks."""
    return "".join(char for char in unicodedata.normalize("NFKD", head).casefold() if char.isalnum())


_KNOWN = {_plain(word): column for column, words in COLUMNS.items() for word in words.split()}


def _columns(header: list[str]) -> dict[str, int]:
    """Which column holds what; of several that could, the first."""
    found: dict[str, int] = {}
    for at, cell in enumerate(header):
        column = _KNOWN.get(_plain(cell))
        if column is not None:
            found.setdefault(column, at)
    return found


def _cell(text: str, column: str) -> str:
    """What a cell says, without control characters; a photo's name keeps its blanks as they are."""
    visible = "".join(char if is_kept(char) else " " if char.isspace() else "" for char in text).strip()
    return visible[:MAX_NAME] if column == "file" else _BLANKS.sub(" ", visible)[:MAX_CELL]


def merged(lists: list[Names]) -> Names:
    """Several lists as one."""
    return Names(
        tuple(row for names in lists for row in names.rows),
        tuple(problem for names in lists for problem in names.problems),
    )
