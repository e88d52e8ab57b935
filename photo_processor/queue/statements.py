"""Named queries and numbered migrations, read from the files beside this one."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def queries() -> Mapping[str, str]:
    """The statements of `queries.sql` by their names."""
    parts = _NAME.split((FOLDER / "queries.sql").read_text(encoding="utf-8"))
    return MappingProxyType(dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True)))


def migrations() -> tuple[tuple[int, str], ...]:
    """`(number, script)` of every migration, in order."""
    files = sorted((FOLDER / "migrations").glob("[0-9]*.sql"))
    return tuple((int(file.name.split("_")[0]), file.read_text(encoding="utf-8")) for file in files)
