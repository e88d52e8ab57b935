"""ZIPs out: results under their original names and folders, streamed, with a manifest."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from zipstream import ZIP_STORED, ZipStream  # type: ignore[import-untyped]

from schemas import Job, JobFile, Recipe
from storage import Storage

SUFFIXES = {"png": ".png", "webp": ".webp", "jpeg": ".jpg", "avif": ".avif", "tiff": ".tif"}
MEDIA_TYPES = {name: f"image/{name}" for name in SUFFIXES}


def result_name(file: JobFile, output: str, recipe: Recipe) -> str:
    """The original name with the ending that the recipe gives the output, and its format's own.

    Where the recipe gives none, it is the output's name, if there are several.
    """
    original = PurePosixPath(file.name)
    formats = {known.name: known.format for known in file.outputs}
    ending = next((spec.suffix for spec in recipe.outputs if spec.name == output), None)
    if ending is None:
        ending = f"-{output}" if len(file.outputs) > 1 else ""
    return str(original.with_name(original.stem + ending + SUFFIXES[formats[output]]))


@dataclass(slots=True)
class _Names:
    """Names already used in the ZIP, compared as Windows and macOS compare them."""

    used: set[str] = field(default_factory=set)

    def free(self, name: str) -> str:
        path, number, candidate = PurePosixPath(name), 1, name
        while _compared(candidate) in self.used:
            number += 1
            candidate = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        self.used.add(_compared(candidate))
        return candidate


def _compared(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@dataclass(frozen=True, slots=True)
class Download:
    """A ZIP that is made while it is sent: its `size` in bytes is known beforehand."""

    name: str
    size: int
    chunks: Iterator[bytes]


def zip_of(job: Job, files: Iterable[JobFile], storage: Storage) -> Download:
    """The results that are there now, `manifest.json`, and `errors.csv` where a file failed."""
    stream, names = ZipStream(compress_type=ZIP_STORED, sized=True), _Names({"manifest.json", "errors.csv"})
    entries: list[dict[str, object]] = []
    failed: list[JobFile] = []
    for file in files:
        paths = {}
        for output in file.outputs:
            blob: Path = storage.path(job.id, "result", output.sha256)
            paths[output.name] = names.free(result_name(file, output.name, job.recipe))
            stream.add_path(blob, paths[output.name])
        entries.append(_manifest_entry(file, paths))
        if file.status == "failed":
            failed.append(file)
    manifest = {"job": job.model_dump(mode="json", exclude={"links", "eta"}), "files": entries}
    stream.add(json.dumps(manifest, indent=2, ensure_ascii=False), "manifest.json")
    if failed:
        stream.add(errors_csv(failed), "errors.csv")
    return Download(f"{job.name or 'photos'}.zip", len(stream), iter(stream))


def _manifest_entry(file: JobFile, paths: dict[str, str]) -> dict[str, object]:
    entry: dict[str, object] = file.model_dump(mode="json", exclude={"outputs", "stage"})
    entry["outputs"] = [
        output.model_dump(mode="json", exclude={"url"}) | {"path": paths[output.name]} for output in file.outputs
    ]
    return entry


def errors_csv(failed: Iterable[JobFile]) -> str:
    """Name, code, reason and advice of each failed file; cells that a spreadsheet would run are defused."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("name", "code", "message", "hint"))
    for file in failed:
        error = file.error
        row = (file.name, error.code, error.message, error.hint or "") if error else (file.name, "", "", "")
        writer.writerow(["'" + cell if cell[:1] in ("=", "+", "-", "@", "\t") else cell for cell in row])
    return text.getvalue()
