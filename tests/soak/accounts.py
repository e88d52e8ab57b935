"""Whether a queue's rows, its events and the files on the disk agree with each other, and with what clients know."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Set
from pathlib import Path

COUNTED = {"queued": "queued", "processing": "running", "completed": "succeeded", "failed": "failed"}


def faults_of_rows(
    database: sqlite3.Connection,
    names: Mapping[str, list[str]],
    once: Set[str],
    cancelled: Set[str],
    unreadable: str,
) -> list[str]:
    """What is wrong with jobs, files and events. `names`: of each job's photos; `once`: jobs that were done once;
    `unreadable` begins the names of photos that have to fail."""
    jobs = {row[0]: row[1:] for row in database.execute("SELECT id, seq, queued, running, succeeded, failed FROM jobs")}
    broken = [f"job {job} is lost" for job in names.keys() - jobs.keys()]
    broken += [f"job {job} is nobody's" for job in jobs.keys() - names.keys()]
    files: dict[str, list[tuple[str, str, str, str | None, str | None]]] = defaultdict(list)
    columns = "job_id, id, name, status, json_extract(error, '$.code'), duplicate_of"
    for job, *file in database.execute(f"SELECT {columns} FROM files"):  # noqa: S608 (names of our own)
        files[job].append(tuple(file))
    events: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    text = "SELECT job_id, seq, type, json_extract(payload, '$.file_ids[0]') FROM events ORDER BY job_id, seq"
    for job, *event in database.execute(text):
        events[job].append(tuple(event))
    for job, (seq, *counts) in jobs.items():
        if sorted(name for _, name, *_ in files[job]) != names.get(job, []):
            broken.append(f"job {job} has other photos than were sent")
        statuses = Counter(status for _, _, status, *_ in files[job])
        if job not in cancelled and counts != [statuses[status] for status in COUNTED]:
            broken.append(f"job {job} counts {counts}, and has {dict(statuses)}")
        if [number for number, *_ in events[job]] != list(range(1, seq + 1)):
            broken.append(f"job {job} has gaps in its events")
        broken += _faults_of_files(job, files[job], unreadable, is_cancelled=job in cancelled)
        done = Counter(file for _, kind, file in events[job] if kind == "file_completed")
        if job in once and any(count > 1 for count in done.values()):
            broken.append(f"job {job} has a photo that was done twice")
    return broken


def _faults_of_files(
    job: str, files: list[tuple[str, str, str, str | None, str | None]], unreadable: str, *, is_cancelled: bool
) -> list[str]:
    broken = []
    for _, name, status, code, _ in files:
        wanted = {"failed"} if name.startswith(unreadable) else {"completed"}
        if status not in wanted | ({"cancelled"} if is_cancelled else set()):
            broken.append(f"job {job}: {name} is {status}, {code}")
    return broken


def faults_of_disk(database: sqlite3.Connection, data: Path) -> list[str]:
    """What the disk lacks that rows name, and has that none does."""
    named = {(job, "source", digest) for job, digest in database.execute("SELECT job_id, sha256 FROM files")}
    named |= set(
        database.execute("SELECT job_id, 'result', o.sha256 FROM outputs AS o JOIN files AS f ON f.id = o.file_id")
    )
    thumbnails = "SELECT job_id, 'thumbnail', thumbnail FROM files WHERE thumbnail IS NOT NULL"
    named |= set(database.execute(thumbnails))
    named |= set(database.execute("SELECT job_id, kind, key FROM former_blobs"))
    there = {path.relative_to(data / "jobs").parts for path in (data / "jobs").rglob("*") if path.is_file()}
    left = [path for folder in ("incoming", "trash") for path in (data / folder).iterdir()]
    return [
        *(f"missing: {'/'.join(blob)}" for blob in sorted(named - there)),
        *(f"left over: {'/'.join(blob)}" for blob in sorted(there - named)),
        *(f"left over: {path.name}" for path in left),
    ]
