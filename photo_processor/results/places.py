"""Which photos of a job are meant: places from 1, as `1-3,7`."""

import re
from collections.abc import Iterable

from photo_processor import errors
from photo_processor.schemas import JobFile

PATTERN = r"^[0-9]{1,7}(-[0-9]{1,7})?(,[0-9]{1,7}(-[0-9]{1,7})?)*$"


def among(files: Iterable[JobFile], places: str | None) -> list[JobFile]:
    """Those of the files whose `index` lies in `places`; all of them without any. Raises errors.FileNotFound."""
    if places is None:
        return list(files)
    ranges = [(int(first), int(last or first)) for first, last in re.findall(r"([0-9]+)(?:-([0-9]+))?", places)]
    wanted = [file for file in files if any(first <= file.index <= last for first, last in ranges)]
    if not wanted:
        raise errors.FileNotFound()
    return wanted
