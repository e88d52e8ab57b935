"""ZIPs out: results under their original names and folders, streamed, with a manifest."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zipstream import ZIP_STORED, ZipStream  # type: ignore[import-untyped]

from photo_processor.imaging.similar import groups_of_photos
from photo_processor.intake.file_names import shortened
from photo_processor.operations.naming import PhotoName
from photo_processor.results.names import SUFFIXES, UsedNames, result_name
from photo_processor.results.reports import Reported, csv_of, is_reported, report_csv, report_html
from photo_processor.schemas import Job, JobFile, Output, OutputSpec
from photo_processor.storage.local import Storage

PLACE = {"latitude", "longitude", "altitude_m"}  # not in the manifest: ZIPs are passed on
OWN_NAMES = frozenset({"manifest.json", "errors.csv", "report.csv", "report.html"})
MEDIA_TYPES = {name: f"image/{name}" for name in SUFFIXES} | {"svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Download:
    """A ZIP that is made while it is sent: its `size` in bytes is known beforehand."""

    name: str
    size: int
    chunks: Iterator[bytes]


def zip_of(job: Job, files: Iterable[JobFile], storage: Storage, unused: Sequence[str] = ()) -> Download:
    """The results that are there now, `manifest.json`, `errors.csv` where a file failed, and a report on portraits.

    `unused` are the rows of the list of names that no photo belongs to.
    """
    stream, names = ZipStream(compress_type=ZIP_STORED, sized=True), UsedNames({*OWN_NAMES})
    entries: list[dict[str, object]] = []
    reported: list[Reported] = []
    files = list(files)
    alike = _alike(files)
    for file in files:
        paths = {}
        for output in file.outputs:
            blob: Path = storage.path(job.id, "result", output.sha256)
            paths[output.name] = names.free(name_of(file, output, job))
            stream.add_path(blob, paths[output.name])
        entries.append(_manifest_entry(file, paths) | {"similar": alike.get(file.id)})
        reported.append(Reported(file, paths))
    manifest: dict[str, object] = {
        "job": job.model_dump(mode="json", exclude={"links", "eta", "names"}),
        "files": entries,
    }
    if job.names is not None:
        bare = [entry["name"] for entry in entries if entry["number"] is None and entry["caption"] is None]
        found = {"matched": job.names.matched, "problems": job.names.problems}
        manifest["names"] = {**found, "rows_without_photo": list(unused), "photos_without_row": bare}
    stream.add(json.dumps(manifest, indent=2, ensure_ascii=False), "manifest.json")
    failed = [file for file in files if file.status == "failed"]
    if failed:
        stream.add(errors_csv(failed), "errors.csv")
    if is_reported(job, files):
        stream.add(report_csv(reported), "report.csv")
        stream.add(report_html(job, reported), "report.html")
    return Download(f"{job.name or 'photos'}.zip", len(stream), iter(stream))


def name_of(file: JobFile, output: Output, job: Job) -> str:
    """The name of a file's result, with its folders; each face of several has its number."""
    recipe = file.recipe or job.recipe
    recipe = recipe.model_copy(update={"naming": recipe.naming or job.recipe.naming})
    number = "" if output.face is None else f"-{output.face}"
    name = output.name.removesuffix(number)
    specs = (spec for spec in recipe.outputs if spec.name == name)
    spec = next(specs, OutputSpec(name=name)).model_copy(update={"format": output.format})
    path = PurePosixPath(result_name(photo_name(file, job), spec, recipe))
    return str(path.with_name(shortened(path.stem, number + path.suffix))) if number else str(path)


def photo_name(file: JobFile, job: Job) -> PhotoName:
    """What templates may say of a file."""
    return PhotoName(
        file.name, file.index, job.created_at.astimezone(), file.taken, file.number or "", file.caption or ""
    )


def _alike(files: Iterable[JobFile]) -> dict[str, int | None]:
    """By file id the number of the group of photos that look alike."""
    hashed = [(file.id, file.facts.phash) for file in files if file.facts is not None]
    numbers = groups_of_photos([phash for _, phash in hashed])
    return {id_: number for (id_, _), number in zip(hashed, numbers, strict=True)}


def _manifest_entry(file: JobFile, paths: dict[str, str]) -> dict[str, object]:
    entry: dict[str, object] = file.model_dump(mode="json", exclude={"outputs", "stage", "facts"})
    if file.facts is not None:
        entry["facts"] = file.facts.model_dump(mode="json", exclude={"exif": PLACE})
    entry["outputs"] = [
        output.model_dump(mode="json", exclude={"url"}) | {"path": paths[output.name]} for output in file.outputs
    ]
    return entry


def errors_csv(failed: Iterable[JobFile]) -> str:
    """Name, code, reason and advice of each failed file; cells that a spreadsheet would run are defused."""
    rows = [("name", "code", "message", "hint")]
    for file in failed:
        error = file.error
        rows.append((file.name, error.code, error.message, error.hint or "") if error else (file.name, "", "", ""))
    return csv_of(rows)
