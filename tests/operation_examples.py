"""One example of each operation: what the documents show, and what the golden tests compare."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

from photo_processor.imaging.pictures import Picture, Pixels
from photo_processor.operations import Context
from photo_processor.operations.base import OperationParams
from photo_processor.operations.naming import PhotoName
from photo_processor.recipes import parse_recipe
from tests.unit.test_remove_background import KnownMatte

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "img" / "operations"
MASK = ROOT / "tests" / "unit" / "golden" / "astronaut_mask.png"
SIDE = 320  # px, of the longest side of what is shown


@dataclass(frozen=True)
class Example:
    """The operation `op` on a photo of scikit-image, after the operations in `before`."""

    op: str
    photo: str = "astronaut"
    parameters: dict[str, object] = field(default_factory=dict)
    before: tuple[dict[str, object], ...] = ()

    @property
    def steps(self) -> list[dict[str, object]]:
        return [*self.before, {"op": self.op, **self.parameters}]

    @property
    def path(self) -> Path:
        return PICTURES / f"{self.op}.webp"


CUT = ({"op": "remove_background"},)
ROOM = (*CUT, {"op": "trim"}, {"op": "place_subject", "aspect": "1:1", "scale": 0.7})

EXAMPLES = (
    Example("rotate", "coffee", {"angle": 12}),
    Example("flip", "coffee"),
    Example("straighten", "leaning"),
    Example("crop", "coffee", {"x": 20, "y": 5, "width": 60, "height": 75, "unit": "percent"}),
    Example("denoise", "noisy", {"strength": 1, "colour": 1}),
    Example("remove_background"),
    Example("crop_face", parameters={"aspect": "35:45", "margin": 0.1}),
    Example("id_photo", parameters={"preset": "icao_35x45", "background": "blue"}),
    Example("smart_crop", "coffee", {"aspect": "1:1"}),
    Example("trim", parameters={"margin": "3%"}, before=CUT),
    Example("place_subject", parameters={"aspect": "1:1", "scale": 0.8, "position": "50% 100%"}, before=CUT),
    Example("auto_enhance", "dull"),
    Example("adjust", "coffee", {"exposure": 0.4, "contrast": 0.15, "saturation": 0.2, "temperature": -0.6}),
    Example("grayscale", "coffee"),
    Example("replace_background", parameters={"background": "linear-gradient(160deg, #f7d9c4, #6fa3d8)"}, before=CUT),
    Example("shadow", parameters={"offset_x": 0.03}, before=ROOM),
    Example("mask", before=CUT),
    Example("pad", "coffee", {"margin": 0.06, "aspect": "1:1", "background": "#c8d3dd"}),
    Example("resize", "coffee", {"width": 200, "height": 200, "mode": "fill"}),
    Example("sharpen", "soft", {"amount": 3, "radius": 3}),
    Example("label", "coffee", {"text": "{name}, No. {index:03}", "position": "bottom-left", "size": 0.07}),
    Example("watermark", "coffee", {"text": "© Photo Processor", "size": 0.6, "position": "bottom"}),
)


@cache
def photo(name: str) -> Pixels:
    """(H, W, 3) uint8 RGB: a photo that comes with scikit-image, or one of them spoilt."""
    if name == "noisy":
        grain = np.random.default_rng(7).normal(0, 26, (300, 451, 3))
        return np.clip(np.rint(data.chelsea() + grain), 0, 255).astype(np.uint8)
    if name == "dull":
        pale = 60 + 0.55 * data.coffee().astype(float)
        return np.clip(np.rint(pale * (1.06, 1.0, 0.86)), 0, 255).astype(np.uint8)
    if name == "leaning":
        matrix = cv2.getRotationMatrix2D((225, 130), -22, 1.0)
        turned = cv2.warpAffine(data.astronaut(), matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(turned[:330, 50:400], np.uint8)
    if name == "soft":
        return np.asarray(cv2.GaussianBlur(data.chelsea(), (0, 0), 2.2), np.uint8)
    return np.asarray(getattr(data, name)(), np.uint8)


def applied(example: Example) -> Picture:
    """What the example makes of its photo. The astronaut's matte is the stored one."""
    with Image.open(MASK) as stored:
        matte = np.asarray(stored.convert("L"), np.uint8)
    picture = Picture(photo(example.photo))
    name = PhotoName(f"{example.photo.title()}.jpg", 7)
    context = Context(models=KnownMatte(matte), source_size=(picture.width, picture.height), name=name)
    for step in parse_recipe({"operations": example.steps}).operations:
        assert isinstance(step, OperationParams)
        picture = step.apply(picture, context)
    return picture


def shown(picture: Picture) -> Image.Image:
    """`picture` as the documents show it, with its transparency."""
    image = Image.fromarray(picture.pixels)
    if picture.alpha is not None:
        image.putalpha(Image.fromarray(picture.alpha))
    factor = min(1.0, SIDE / max(image.size))
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
