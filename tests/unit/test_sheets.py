"""Print sheets: how many fit, and that a millimetre is one."""

import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from photo_processor import errors
from photo_processor.results.layout import GAP_MM, MARGIN_MM, PAPERS, Layout, Size, layout
from photo_processor.results.sheets import copies_of, marks, pdf, print_size, sheet_png

ICAO = Size(35, 45)
DPI = 600


def photo(folder: Path, name: str = "a.png", size: tuple[int, int] = (413, 531), colour: str = "navy") -> Path:
    """A photo of one colour, which says that it has 300 dpi."""
    Image.new("RGB", size, colour).save(folder / name, dpi=(300, 300))
    return folder / name


@pytest.mark.parametrize(
    ("paper", "size", "count"),
    [
        ("10x15", ICAO, 8),
        ("a4", ICAO, 30),
        ("letter", ICAO, 28),
        ("10x15", Size(50.8, 50.8), 2),
        ("13x18", Size(50.8, 50.8), 6),
        ("a4", Size(200, 290), 1),
    ],
)
def test_as_many_fit_as_the_paper_holds(paper: str, size: Size, count: int) -> None:
    assert layout(PAPERS[paper], size).count == count  # type: ignore[index]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("size", [ICAO, Size(25, 35), Size(50.8, 50.8), Size(85.6, 54)])
def test_photos_keep_their_gap_and_margin(paper: str, size: Size) -> None:
    grid = layout(PAPERS[paper], size)  # type: ignore[index]
    cells = list(grid.cells())
    assert len(cells) == grid.count
    assert min(cell.left for cell in cells) >= MARGIN_MM - 1e-6
    assert max(cell.top + size.height for cell in cells) <= grid.paper.height - MARGIN_MM + 1e-6
    for one in cells:
        for other in cells:
            apart = max(abs(one.left - other.left) - size.width, abs(one.top - other.top) - size.height)
            assert one == other or apart >= GAP_MM - 1e-6


def test_photo_that_does_not_fit_is_refused() -> None:
    with pytest.raises(errors.SheetTooSmall, match="120 x 160 mm does not fit on 100 x 150 mm"):
        layout(PAPERS["10x15"], Size(120, 160))


def test_size_comes_from_the_resolution(tmp_path: Path) -> None:
    assert print_size(photo(tmp_path)) == ICAO
    Image.new("RGB", (600, 600)).save(tmp_path / "b.png")
    assert print_size(tmp_path / "b.png") == Size(50.8, 50.8)


def rendered(file: Path, page: int = 0) -> np.ndarray:
    """A page of a PDF as (H, W, 3) uint8 at 600 dpi."""
    return np.asarray(pypdfium2.PdfDocument(file)[page].render(scale=DPI / 72).to_pil().convert("RGB"))


def navy(sheet: np.ndarray) -> np.ndarray:
    return np.asarray((sheet[..., 2] > 90) & (sheet[..., 0] < 60))


def test_pdf_has_exact_millimetres(tmp_path: Path) -> None:
    grid = layout(PAPERS["10x15"], ICAO)
    path = photo(tmp_path)
    assert pdf([path] * grid.count, grid, tmp_path / "sheet.pdf") == 1
    document = pypdfium2.PdfDocument(tmp_path / "sheet.pdf")
    width, height = document[0].get_size()
    assert (width * 25.4 / 72, height * 25.4 / 72) == pytest.approx((150, 100), abs=0.001)
    found = navy(rendered(tmp_path / "sheet.pdf"))
    columns = np.flatnonzero(np.diff(found[len(found) // 4].astype(int))) * 25.4 / DPI
    widths = columns[1::2] - columns[::2]
    assert widths == pytest.approx([35] * 4, abs=0.06)
    assert columns[2::2] - columns[1:-1:2] == pytest.approx([GAP_MM] * 3, abs=0.06)


def test_png_shows_the_same_sheet_at_300_dpi(tmp_path: Path) -> None:
    grid = layout(PAPERS["a4"], ICAO)
    path = photo(tmp_path)
    image = Image.open(io.BytesIO(sheet_png([path] * 31, grid)))
    assert (image.size, round(image.info["dpi"][0])) == ((2480, 3508), 300)
    pdf([path] * 31, grid, tmp_path / "sheet.pdf")
    printed = navy(rendered(tmp_path / "sheet.pdf")[::2, ::2])[:3508, :2480]
    drawn = navy(np.asarray(image))[: len(printed), : printed.shape[1]]
    assert (printed != drawn).sum() < 30 * 2 * (413 + 531)  # one px around each of the thirty
    second = navy(np.asarray(Image.open(io.BytesIO(sheet_png([path] * 31, grid, 2)))))
    assert second.sum() == 413 * 531
    with pytest.raises(errors.PageNotFound):
        sheet_png([path] * 31, grid, 3)


def test_marks_meet_in_the_corners_and_touch_no_photo() -> None:
    grid = Layout(Size(100, 100), Size(30, 40), 2, 2)
    for x1, y1, x2, y2 in marks(grid):
        for cell in grid.cells():
            across = cell.left <= max(x1, x2) and min(x1, x2) <= cell.left + 30
            down = cell.top <= max(y1, y2) and min(y1, y2) <= cell.top + 40
            assert not (across and down)
    verticals = {round(x1, 3) for x1, _, x2, _ in marks(grid) if x1 == x2}
    assert verticals == {round(cell.left + side, 3) for cell in grid.cells() for side in (0, 30)}


def test_photo_of_another_shape_lies_whole_on_white_and_transparency_is_white(tmp_path: Path) -> None:
    wide = photo(tmp_path, size=(800, 200))
    Image.new("RGBA", (413, 531), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    grid = layout(PAPERS["10x15"], ICAO)
    sheet = np.asarray(Image.open(io.BytesIO(sheet_png([wide, tmp_path / "clear.png"], grid))))
    found = navy(sheet)
    assert found.any(axis=0).sum() == 413
    assert found.any(axis=1).sum() == 103
    pdf([wide], grid, tmp_path / "sheet.pdf")
    assert navy(rendered(tmp_path / "sheet.pdf")).sum() == pytest.approx(4 * 413 * 103, rel=0.02)


def test_each_photo_fills_a_sheet_unless_copies_are_counted(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    grid = layout(PAPERS["10x15"], ICAO)
    assert copies_of(paths, None, grid) == [paths[0]] * 8 + [paths[1]] * 8
    assert copies_of(paths, 1, grid) == paths
    with pytest.raises(errors.TooManyPages, match="1,250 sheets"):
        copies_of([tmp_path] * 10_000, 1, grid)
