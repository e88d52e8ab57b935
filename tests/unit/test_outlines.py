"""SVG out: drawn again by another program, the outline is the mask."""

import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from photo_processor.imaging.drawings import drawn, read_drawing
from photo_processor.imaging.encode import encode
from photo_processor.imaging.outlines import contours
from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.schemas import OutputSpec
from tests.operation_examples import MASK


def shapes() -> Pixels:
    """A disc with a hole, a thin bar, a triangle at the edge."""
    mask = np.zeros((700, 1100), np.uint8)
    cv2.circle(mask, (300, 350), 220, 255, -1, cv2.LINE_AA)
    cv2.circle(mask, (330, 330), 90, 0, -1, cv2.LINE_AA)
    cv2.rectangle(mask, (600, 60), (605, 640), 255, -1)
    cv2.fillPoly(mask, [np.array([(800, 0), (1099, 0), (1099, 300)])], 255)
    return mask


def person() -> Pixels:
    with Image.open(MASK) as stored:
        grey = np.asarray(stored.convert("L"), np.uint8)
    return np.asarray(cv2.resize(grey, (1500, 1500), interpolation=cv2.INTER_CUBIC), np.uint8)


def svg_of(mask: Pixels, **parameters: object) -> bytes:
    spec = OutputSpec.model_validate({"format": "svg", **parameters})
    return encode(Picture(np.zeros((*mask.shape, 3), np.uint8), mask), spec)


def again(svg: bytes) -> Pixels:
    """(H, W) uint8: what resvg draws of it."""
    return np.asarray(drawn(read_drawing(io.BytesIO(svg))).getchannel("A"), np.uint8)


def overlap(one: Pixels, other: Pixels) -> float:
    both, either = (one > 127) & (other > 127), (one > 127) | (other > 127)
    return float(both.sum() / either.sum())


@pytest.mark.parametrize("mask", [shapes(), person()], ids=["shapes", "person"])
@pytest.mark.parametrize(("tolerance", "least"), [(0.0, 0.998), (0.5, 0.99), (2.0, 0.98)])
def test_outline_drawn_again_is_the_mask(mask: Pixels, tolerance: float, least: float) -> None:
    svg = svg_of(mask, tolerance=tolerance)
    assert again(svg).shape == mask.shape
    assert overlap(again(svg), mask) >= least


def test_outline_goes_along_the_edges_of_px() -> None:
    mask = np.zeros((1200, 1200), np.uint8)
    mask[100:300, 200:600] = 255
    mask[150:200, 300:310] = 0
    outer, hole = sorted(contours(mask, 0.5), key=lambda line: cv2.contourArea(np.float32(line)), reverse=True)
    assert {tuple(point) for point in outer} == {(200, 100), (600, 100), (600, 300), (200, 300)}
    assert {tuple(point) for point in hole} == {(300, 150), (310, 150), (310, 200), (300, 200)}


def test_thin_ring_keeps_its_hole() -> None:
    mask = np.zeros((1100, 1100), np.uint8)
    cv2.line(mask, (550, 100), (1000, 550), 255, 2)
    cv2.line(mask, (1000, 550), (550, 1000), 255, 2)
    cv2.line(mask, (550, 1000), (100, 550), 255, 2)
    cv2.line(mask, (100, 550), (550, 100), 255, 2)
    assert again(svg_of(mask))[550, 550] == 0
    assert overlap(again(svg_of(mask, tolerance=0)), mask) > 0.95


def test_tolerance_saves_corners_and_is_kept_to() -> None:
    mask = person()
    sizes = [len(svg_of(mask, tolerance=tolerance)) for tolerance in (0, 0.5, 2)]
    assert sizes[0] > 5 * sizes[1] > 5 * sizes[2]
    edge = cv2.Canny(np.where(mask > 127, 255, 0).astype(np.uint8), 50, 150)
    far = cv2.distanceTransform(255 - edge, cv2.DIST_L2, 5)
    for line in contours(mask, 2.0):
        for (x, y), (to_x, to_y) in zip(line, np.roll(line, -1, axis=0), strict=True):
            for share in np.linspace(0, 1, 9):
                at = round(y + share * (to_y - y)), round(x + share * (to_x - x))
                if min(at) > 2 and max(at) < 1498:  # at the picture's own edge there is none of the mask's
                    assert far[at] <= 2.0 + 2, "2 px, and those of the comparison"


def test_size_is_px_or_millimetres_and_the_rule_leaves_holes() -> None:
    svg = svg_of(shapes()).decode()
    assert 'width="1100" height="700" viewBox="0 0 1100 700"' in svg
    assert 'fill-rule="evenodd"' in svg
    assert len(re.findall("M", svg)) == 4
    assert 'width="93.133mm" height="59.267mm" viewBox="0 0 1100 700"' in svg_of(shapes(), dpi=300).decode()


def test_nothing_and_everything_have_outlines_too() -> None:
    assert b'd=""' in svg_of(np.zeros((30, 40), np.uint8))
    whole = encode(Picture(np.zeros((30, 40, 3), np.uint8)), OutputSpec(format="svg")).decode()
    (path,) = re.findall(' d="(.*)"', whole)
    assert sorted(re.findall(r"[\d.]+ [\d.]+", path)) == ["0 0", "0 30", "40 0", "40 30"]


def test_specks_are_left_out() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[20:80, 20:80] = 255
    mask[5, 5] = 255
    mask[50, 50] = 0
    assert len(contours(mask, 0.5)) == 1
