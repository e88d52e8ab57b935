"""Lists of names: which row belongs to which photo."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from sqlite3 import Row

from photo_processor import errors
from photo_processor.queue.database import Transaction
from photo_processor.queue.records import NameRow, Names
from photo_processor.schemas import FileNaming, NamesReport

MOST_LISTED = 200  # names of each kind in a job's report
PICTURES = ".jpg .jpeg .jpe .jfif .png .apng .webp .gif .bmp .tif .tiff .avif .heic .heif .hif .svg"
RAWS = ".dng .cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .raf .orf .rw2 .rwl .pef .srw .3fr .iiq .erf .kdc .dcr .mrw .x3f"
ENDINGS = frozenset(f"{PICTURES} {RAWS}".split())


def matches(rows: Sequence[NameRow], photos: Iterable[str]) -> list[int | None]:
    """For each photo's name the number of the row that names it, or None.

    Case, folders and endings need not be written as the photo has them, as long as they do not contradict it; of
    several rows the closest is taken, of equally close ones the first. Blanks of every kind and number are alike, and
    joiners make no difference, unless two rows differ by nothing else.
    """
    by_stem: dict[str, list[tuple[int, tuple[str, ...], str, str]]] = {}
    for number, row in enumerate(rows):
        folders, stem, ending = _parts(row.file)
        by_stem.setdefault(_loose(stem), []).append((number, folders, stem, ending))
    found: list[int | None] = []
    for photo in photos:
        folders, stem, ending = _parts(photo)
        best, chosen = 0, None
        for number, row_folders, row_stem, row_ending in by_stem.get(_loose(stem), ()):
            closeness = 2 * _closeness(folders, row_folders, ending, row_ending)
            closeness += closeness > 0 and stem == row_stem
            if closeness > best:
                best, chosen = closeness, number
        found.append(chosen)
    return found


def _parts(name: str) -> tuple[tuple[str, ...], str, str]:
    """Folders, name without ending, and ending, compared without case."""
    plain = unicodedata.normalize("NFC", name).casefold().replace("\\", "/")
    path = PurePosixPath(plain)
    folders = tuple(_loose(part) for part in path.parts[:-1] if part not in ("/", "."))
    return (folders, path.stem, path.suffix) if path.suffix in ENDINGS else (folders, path.name, "")


def _loose(text: str) -> str:
    """What is left of a part of a name once blanks are alike and invisible characters gone."""
    seen = "".join(" " if char.isspace() else char for char in text if unicodedata.category(char) != "Cf")
    return " ".join(seen.split())


def _closeness(folders: tuple[str, ...], row_folders: tuple[str, ...], ending: str, row_ending: str) -> int:
    """0 where the folders contradict each other; else the more, the more is alike."""
    shared = min(len(folders), len(row_folders))
    if shared and folders[-shared:] != row_folders[-shared:]:
        return 0
    return 1 + 3 * shared + (2 if ending == row_ending else 1 if not row_ending or not ending else 0)


def insert(tx: Transaction, job_id: str, names: Names) -> None:
    """Note rows of a job; what of them names which photo is seen when it is sealed."""
    if not names.rows and not names.problems:
        return
    counted = tx.one("count_names", job_id=job_id)
    first = counted["rows"] if counted else 0
    rows = enumerate(names.rows, first)
    tx.many(
        "insert_name",
        [
            {"job_id": job_id, "position": at, "file": row.file, "number": row.number, "caption": row.caption}
            for at, row in rows
        ],
    )
    job = tx.one("get_job", job_id=job_id)
    before = NamesReport.model_validate_json(job["names"]) if job and job["names"] else NamesReport()
    report = before.model_copy(update={"problems": (before.problems + names.problems)[:MOST_LISTED]})
    tx.run("note_names", job_id=job_id, names=report.model_dump_json())


def apply(tx: Transaction, job_id: str) -> None:
    """Give each photo the number and caption of its row, and the job a report. All photos and rows are there now."""
    job = tx.one("get_job", job_id=job_id)
    if job is None or job["names"] is None:
        return
    rows = [NameRow(row["file"], row["number"], row["caption"]) for row in tx.all("names_of_job", job_id=job_id)]
    files = tx.all("list_files", job_id=job_id, status=None, limit=-1, after=None)
    found = [
        number if not file["named"] else _row_of(rows, file)
        for file, number in zip(files, matches(rows, [file["name"] for file in files]), strict=True)
    ]
    named = [(file["id"], rows[number]) for file, number in zip(files, found, strict=True) if number is not None]
    tx.many("name_file", [{"id": id_, "number": row.number, "caption": row.caption} for id_, row in named])
    by_hand = sum(1 for file, number in zip(files, found, strict=True) if number is None and _has_name(file))
    used = {number for number in found if number is not None}
    tx.many("use_name", [{"job_id": job_id, "position": number} for number in used])
    unused = [row.file for number, row in enumerate(rows) if number not in used]
    bare = [file["name"] for file, number in zip(files, found, strict=True) if number is None and not _has_name(file)]
    problems = NamesReport.model_validate_json(job["names"]).problems
    tx.run("note_names", job_id=job_id, names=report_of(len(named) + by_hand, unused, bare, problems).model_dump_json())


def _has_name(file: Row) -> bool:
    """Whether a person gave it a number or caption."""
    return bool(file["named"] and (file["number"] or file["caption"]))


def _row_of(rows: Sequence[NameRow], file: Row) -> int | None:
    """The row whose number and caption a person gave the file, if there is one."""
    given = (file["number"] or "", file["caption"] or "")
    return next((at for at, row in enumerate(rows) if any(given) and (row.number, row.caption) == given), None)


def name_file(tx: Transaction, job_id: str, file_id: str, name: str, naming: FileNaming) -> Row:
    """Call a photo `name`, with the number and caption that `naming` says; the report follows. The file as it is then.

    Raises errors.FileNotFound.
    """
    file = tx.one("get_file", job_id=job_id, file_id=file_id)
    if file is None:
        raise errors.FileNotFound()
    number = file["number"] if naming.number is None else naming.number.strip() or None
    caption = file["caption"] if naming.caption is None else naming.caption.strip() or None
    by_hand = naming.number is not None or naming.caption is not None or bool(file["number"] or file["caption"])
    tx.one("name_by_hand", id=file_id, name=name, number=number, caption=caption, named=int(by_hand))
    job = tx.one("get_job", job_id=job_id)
    if job is not None and job["sealed"] and job["names"] is not None:
        tx.run("unuse_names", job_id=job_id)
        apply(tx, job_id)
    return tx.one("get_file", job_id=job_id, file_id=file_id) or file


def report_of(matched: int, unused: Sequence[str], bare: Sequence[str], problems: tuple[str, ...]) -> NamesReport:
    """The report, its lists cut to 200 entries."""
    return NamesReport(
        matched=matched,
        rows_without_photo=tuple(unused[:MOST_LISTED]),
        photos_without_row=tuple(bare[:MOST_LISTED]),
        more=max(0, len(unused) - MOST_LISTED) + max(0, len(bare) - MOST_LISTED),
        problems=problems,
    )
