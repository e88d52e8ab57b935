"""`/api/jobs/{id}/similar`: photos of a job that look alike."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from photo_processor.imaging.similar import ALIKE, groups_of_photos
from photo_processor.schemas import Frozen
from photo_processor.server.services import Rooms

router = APIRouter(prefix="/api/jobs/{job_id}", tags=["files"])


class SimilarFile(Frozen):
    """A photo of a group, with its perceptual hash."""

    id: str
    name: str
    phash: str


class SimilarGroup(Frozen):
    """Photos that look alike, in order of arrival; `group` is the number that `manifest.json` has as `similar`."""

    group: int
    files: tuple[SimilarFile, ...]


class Similar(Frozen):
    """Groups of photos whose hashes differ in at most `distance` of 64 bits."""

    distance: int
    groups: tuple[SimilarGroup, ...]


@router.get("/similar")
async def list_similar(rooms: Rooms, job_id: str, distance: Annotated[int, Query(ge=0, le=20)] = ALIKE) -> Similar:
    """The job's photos that look alike, among those that are done."""
    await rooms.queue.job(job_id)
    rows = await rooms.queue.hashes(job_id)
    numbers = await asyncio.to_thread(groups_of_photos, [phash for _, _, phash in rows], distance)
    members: dict[int, list[SimilarFile]] = {}
    for (file_id, name, phash), number in zip(rows, numbers, strict=True):
        if number is not None:
            members.setdefault(number, []).append(SimilarFile(id=file_id, name=name, phash=phash))
    found = (SimilarGroup(group=number, files=tuple(files)) for number, files in members.items())
    return Similar(distance=distance, groups=tuple(found))
