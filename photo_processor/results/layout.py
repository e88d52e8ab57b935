"""Where photos of one size lie on a sheet of paper, in millimetres."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from photo_processor import errors

PaperName = Literal["10x15", "13x18", "a4", "letter"]
MARGIN_MM = 2.0  # what photo printers leave white; with it and the gap a 10x15 takes eight of 35x45
GAP_MM = 2.0


@dataclass(frozen=True)
class Size:
    """Width and height in mm."""

    width: float
    height: float

    @property
    def turned(self) -> "Size":
        return Size(self.height, self.width)


PAPERS: dict[PaperName, Size] = {
    "10x15": Size(100, 150),
    "13x18": Size(130, 180),
    "a4": Size(210, 297),
    "letter": Size(215.9, 279.4),
}


@dataclass(frozen=True)
class Cell:
    """Where a photo lies: its left and top edge in mm from the paper's."""

    left: float
    top: float


@dataclass(frozen=True)
class Layout:
    """A grid of photos in the middle of the paper, which may lie on its side."""

    paper: Size
    photo: Size
    columns: int
    rows: int
    beneath: float = 0.0  # mm for a line below each photo

    @property
    def count(self) -> int:
        """Photos on one sheet."""
        return self.columns * self.rows

    def cells(self) -> Iterator[Cell]:
        """Row by row, from the top left."""
        left = (self.paper.width - _span(self.photo.width, self.columns)) / 2
        high = self.photo.height + self.beneath
        top = (self.paper.height - _span(high, self.rows)) / 2
        for row in range(self.rows):
            for column in range(self.columns):
                yield Cell(left + column * (self.photo.width + GAP_MM), top + row * (high + GAP_MM))


def layout(paper: Size, photo: Size, beneath: float = 0.0) -> Layout:
    """As many photos as fit on the paper, each with `beneath` mm for a line, upright if that is no worse.

    Raises errors.SheetTooSmall where not even one does.
    """
    upright, lying = _grid(paper, photo, beneath), _grid(paper.turned, photo, beneath)
    best = lying if lying.count > upright.count else upright
    if best.count == 0:
        raise errors.SheetTooSmall(
            f"A photo of {photo.width:g} x {photo.height:g} mm does not fit on {paper.width:g} x {paper.height:g} mm."
        )
    return best


def _grid(paper: Size, photo: Size, beneath: float) -> Layout:
    columns, rows = _fitting(paper.width, photo.width), _fitting(paper.height, photo.height + beneath)
    return Layout(paper, photo, columns, rows, beneath)


def _fitting(room: float, side: float) -> int:
    return max(0, int((room - 2 * MARGIN_MM + GAP_MM + 1e-6) // (side + GAP_MM)))


def _span(side: float, count: int) -> float:
    return count * side + (count - 1) * GAP_MM
