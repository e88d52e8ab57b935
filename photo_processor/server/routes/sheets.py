"""`/api/jobs/{id}/sheet`: the results on paper."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from photo_processor import errors
from photo_processor.results.layout import PAPERS, PaperName, Size, layout
from photo_processor.results.places import PATTERN, among
from photo_processor.results.sheets import LINE_MM, copies_of, pages_of, pdf, print_size, sheet_png
from photo_processor.schemas import Blob, Frozen, JobFile
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
    form: Annotated[Literal["pdf", "png", "json"], Query(alias="format")] = "pdf",
    copies: Annotated[int | None, Query(ge=1, le=1000)] = None,
    file: Annotated[list[str] | None, Query(max_length=1000)] = None,
    output: str | None = None,
    width_mm: Side = None,
    height_mm: Side = None,
    paper_width_mm: Side = None,
    paper_height_mm: Side = None,
    photos: Annotated[str | None, Query(pattern=PATTERN, max_length=8000)] = None,
    accepted: bool = False,
    names: bool = False,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The photos that are done on sheets of paper, as many on each as fit, with marks to cut along.

    Each photo fills a sheet of its own, unless `copies` says how many there shall be of each; `file` (repeatable) or
    `photos` (their places, as `1-3,7`) chooses some, `accepted` those with nothing left to look at; `names` writes
    number and caption below each, else its name. The paper may be `paper_width_mm` x `paper_height_mm`. Their size is
    that of the first by its own resolution, or `width_mm` x `height_mm`. A PDF holds every sheet in exact millimetres,
    a PNG of 300 dpi the one numbered `page`; `format=json` says how many sheets there are.
    """
    files = await _files(rooms, job_id, file)
    chosen = [one for one in among(files, photos) if not accepted or _is_fine(one)]
    found = [(path, one) for one in chosen if (path := _result(rooms, job_id, one, output)) is not None]
    if not found:
        raise errors.NothingToPrint()
    paths = [path for path, _ in found]
    captions = tuple(_caption(one) for _, one in found) if names else ()
    own = None if paper_width_mm is None or paper_height_mm is None else Size(paper_width_mm, paper_height_mm)
    size = None if width_mm is None or height_mm is None else Size(width_mm, height_mm)
    part = rooms.storage.incoming()
    wanted = Wanted(tuple(paths), captions, own or PAPERS[paper], size, copies, page, form)
    try:
        async with held(rooms, job_id, [Blob("result", path.name) for path in paths]):
            sheet = await rooms.documents.run(request, made_sheet, wanted, part, checks=True)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    headers = {
        "Content-Disposition": disposition(f"sheet-{paper}.{form}", attachment=True),
        "Content-Security-Policy": NO_PAGE,
    }
    if form != "pdf":
        headers = headers if form == "png" else {}
        return Response(sheet, media_type="image/png" if form == "png" else "application/json", headers=headers)
    return FileResponse(part, media_type=PDF, headers=headers, background=BackgroundTask(part.unlink, missing_ok=True))


class SheetCount(Frozen):
    """How many sheets there are, and how many photos lie on each."""

    pages: int
    photos_per_page: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be printed: `paths` with their `captions`, on `paper`, each of `size` (by itself where None)."""

    paths: tuple[Path, ...]
    captions: tuple[str, ...]
    paper: Size
    size: Size | None
    copies: int | None
    page: int
    form: Literal["pdf", "png", "json"]


def made_sheet(wanted: Wanted, target: Path, check: Callable[[], None] = lambda: None) -> bytes:
    """The sheet `page` as a PNG; nothing for a PDF, whose sheets are in `target`; or their number as JSON."""
    with translated():
        photo = wanted.size or print_size(wanted.paths[0])
        grid = layout(wanted.paper, photo, LINE_MM if wanted.captions else 0.0)
        if wanted.form == "json":
            pages = pages_of(len(wanted.paths), wanted.copies, grid)
            return SheetCount(pages=pages, photos_per_page=grid.count).model_dump_json().encode()
        photos = copies_of(wanted.paths, wanted.copies, grid)
        times = len(photos) // len(wanted.paths)
        captions = [caption for caption in wanted.captions for _ in range(times)]
        if wanted.form == "png":
            return sheet_png(photos, grid, wanted.page, check, captions)
        pdf(photos, grid, target, check, captions)
        return b""


async def _files(rooms: Services, job_id: str, wanted: list[str] | None) -> list[JobFile]:
    """The photos that are done, or those `wanted`, in order. Raises JobNotFound, FileNotFound."""
    if wanted:
        return [await rooms.queue.file(job_id, file_id) for file_id in wanted]
    files: list[JobFile] = []
    after = None
    while True:
        found = await rooms.queue.files(job_id, "completed", PAGE, after)
        files += found.files
        after = found.next
        if after is None:
            return files


def _is_fine(file: JobFile) -> bool:
    return not file.review and (file.accepted or not file.warnings)


def _caption(file: JobFile) -> str:
    """Number and caption, else the photo's name."""
    return " · ".join(filter(None, (file.number, file.caption))) or PurePosixPath(file.name).stem


def _result(rooms: Services, job_id: str, file: JobFile, output: str | None) -> Path | None:
    """The first picture made of a photo, or the one named."""
    for made in file.outputs:
        if made.format in PHOTOS and output in (None, made.name):
            return rooms.storage.path(job_id, "result", made.sha256)
    return None
