"""`/api/jobs/{id}/sheet`: the results on paper."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from photo_processor import errors
from photo_processor.results.layout import PAPERS, PaperName, Size, layout
from photo_processor.results.sheets import copies_of, pdf, print_size, sheet_png
from photo_processor.schemas import Blob, JobFile
from photo_processor.server.delivery import disposition, held
from photo_processor.server.middleware.origins import NO_PAGE
from photo_processor.server.services import Rooms, Services
from photo_processor.storage.local import translated

PAGE = 1000
PDF = "application/pdf"
PHOTOS = frozenset({"png", "webp", "jpeg", "avif", "tiff", "gif", "bmp"})

Side = Annotated[float | None, Query(ge=5, le=500)]

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


@router.get("/{job_id}/sheet", response_class=Response, responses={200: {"content": {PDF: {}, "image/png": {}}}})
async def get_sheet(
    request: Request,
    rooms: Rooms,
    job_id: str,
    paper: PaperName = "10x15",
    form: Annotated[Literal["pdf", "png"], Query(alias="format")] = "pdf",
    copies: Annotated[int | None, Query(ge=1, le=1000)] = None,
    file: Annotated[list[str] | None, Query(max_length=1000)] = None,
    output: str | None = None,
    width_mm: Side = None,
    height_mm: Side = None,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The photos that are done on sheets of paper, as many on each as fit, with marks to cut along.

    Each photo fills a sheet of its own, unless `copies` says how many there shall be of each; `file` (repeatable)
    chooses some. Their size is that of the first by its own resolution, or `width_mm` x `height_mm`. A PDF holds every
    sheet in exact millimetres, a PNG of 300 dpi the one numbered `page`.
    """
    paths = await _results(rooms, job_id, file, output)
    size = None if width_mm is None or height_mm is None else Size(width_mm, height_mm)
    part = rooms.storage.incoming()
    made = (paths, PAPERS[paper], size, copies, page, part if form == "pdf" else None)
    try:
        async with held(rooms, job_id, [Blob("result", path.name) for path in paths]):
            sheet = await rooms.documents.run(request, made_sheet, *made, checks=True)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    headers = {
        "Content-Disposition": disposition(f"sheet-{paper}.{form}", attachment=True),
        "Content-Security-Policy": NO_PAGE,
    }
    if form == "png":
        return Response(sheet, media_type="image/png", headers=headers)
    return FileResponse(part, media_type=PDF, headers=headers, background=BackgroundTask(part.unlink, missing_ok=True))


def made_sheet(
    paths: list[Path],
    paper: Size,
    size: Size | None,
    copies: int | None,
    page: int,
    target: Path | None,
    check: Callable[[], None] = lambda: None,
) -> bytes:
    """The sheet `page` as a PNG; or, with a `target`, nothing, and all the sheets in that file. `check` may raise."""
    with translated():
        grid = layout(paper, size or print_size(paths[0]))
        photos = copies_of(paths, copies, grid)
        if target is None:
            return sheet_png(photos, grid, page, check)
        pdf(photos, grid, target, check)
        return b""


async def _results(rooms: Services, job_id: str, wanted: list[str] | None, output: str | None) -> list[Path]:
    """The result of each photo that is done, or of those `wanted`, in order of arrival.

    Raises JobNotFound, FileNotFound, NothingToPrint.
    """
    if wanted:
        files = [await rooms.queue.file(job_id, file_id) for file_id in wanted]
    else:
        files, after = [], None
        while True:
            found = await rooms.queue.files(job_id, "completed", PAGE, after)
            files += found.files
            after = found.next
            if after is None:
                break
    paths = [path for file in files if (path := _result(rooms, job_id, file, output)) is not None]
    if not paths:
        raise errors.NothingToPrint()
    return paths


def _result(rooms: Services, job_id: str, file: JobFile, output: str | None) -> Path | None:
    """The first picture made of a photo, or the one named."""
    for made in file.outputs:
        if made.format in PHOTOS and output in (None, made.name):
            return rooms.storage.path(job_id, "result", made.sha256)
    return None
