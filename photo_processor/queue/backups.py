"""Copies of the queue's database, and what happens when the database itself is found damaged."""

import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

KEPT = 3  # daily backups


@dataclass(frozen=True, slots=True)
class Healed:
    """A damaged database was put aside; `backup` is the one that took its place, None where there was none."""

    quarantine: Path
    backup: Path | None


def is_sound(path: Path) -> bool:
    """Whether SQLite can read every page of the file."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def back_up(path: Path, folder: Path) -> Path:
    """A whole copy of the database at `path` in `folder`, named by the time; the oldest beyond `KEPT` go."""
    target = folder / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}{path.suffix}"
    copy(path, target)
    others = [backup for backup in backups(folder, path.stem) if backup != target]  # of the future, it may be
    for old in others[KEPT - 1 :]:
        old.unlink()
    return target


def copy(path: Path, target: Path) -> None:
    """A whole copy of the database at `path`, which may be in use."""
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_parts(target.parent)
    part = target.with_suffix(".part")
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        part.replace(target)
    finally:
        clear_parts(target.parent)


def clear_parts(folder: Path) -> None:
    """Delete what a copy left that was killed or had no room."""
    for part in folder.glob("*.part*"):
        part.unlink(missing_ok=True)


def backups(folder: Path, stem: str) -> list[Path]:
    """The backups in `folder`, newest first."""
    return sorted(folder.glob(f"{stem}-*.db"), reverse=True)


def heal(path: Path, folder: Path, quarantine: Path) -> Healed | None:
    """Where the database at `path` is damaged, put it aside with its log and restore the newest sound backup.

    None: it is sound, or there is none yet.
    """
    clear_parts(folder)
    if not path.exists() or is_sound(path):
        return None
    aside = quarantine / time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    aside.mkdir(parents=True)
    for part in path.parent.glob(f"{path.name}*"):
        part.replace(aside / part.name)
    for backup in backups(folder, path.stem):
        if is_sound(backup):
            shutil.copyfile(backup, path)
            return Healed(aside, backup)
    return Healed(aside, None)
