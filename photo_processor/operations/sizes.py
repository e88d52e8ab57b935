"""How large a recipe's pictures get, told before any is made: memory goes by the largest of them."""

from collections.abc import Iterable, Iterator

from photo_processor import errors
from photo_processor.imaging.geometry import Size, sized_to
from photo_processor.imaging.pictures import Picture
from photo_processor.operations.base import OperationParams
from photo_processor.schemas import OutputSpec, Recipe

MEGA = 1e6


def largest_px(recipe: Recipe, width: int, height: int) -> int:
    """How many px the largest picture has that the recipe makes of a photo of that size; the most it may have where
    what the photo shows decides."""
    return max((across * down for across, down, _ in _planned(recipe, width, height)), default=0)


def check_sizes(recipe: Recipe, width: int, height: int, max_megapixels: float) -> None:
    """Raises OutputTooLarge where the recipe is certain to make a picture of more than `max_megapixels`."""
    for across, down, varies in _planned(recipe, width, height):
        if varies:
            return
        check_size(across, down, max_megapixels)


def check_size(width: int, height: int, max_megapixels: float, others: int = 0) -> None:
    """Raises OutputTooLarge where a picture of that size is too large, together with the px of `others`."""
    megapixels = (width * height + others) / MEGA
    if megapixels > max_megapixels:
        together = "together with the others " if others else ""
        raise errors.OutputTooLarge(
            f"A picture of {width} x {height} pixels would be made, {together}{megapixels:,.0f} megapixels; "
            f"this server makes up to {max_megapixels:g}. Make the photo or the frame smaller."
        )


def _planned(recipe: Recipe, width: int, height: int) -> Iterator[tuple[int, int, bool]]:
    """Width and height after each step and of each output, and whether what the photo shows decides from there on."""
    varies = False
    for step in recipe.operations:
        if isinstance(step, OperationParams):
            width, height = step.planned(width, height)
            varies = varies or step.varies
            yield width, height, varies
    for spec in recipe.outputs or (OutputSpec(),):
        yield *output_size(spec, width, height), varies


def output_size(spec: OutputSpec, width: int, height: int) -> Size:
    """Width and height of an output of a picture of that size, in px."""
    if spec.mode != "pad":
        return sized_to(width, height, spec.width, spec.height, spec.mode)
    across, down = sized_to(width, height, spec.width, spec.height, "fit")
    return spec.width or across, spec.height or down


def px_of(pictures: Iterable[Picture]) -> int:
    """How many px the pictures have together."""
    return sum(picture.width * picture.height for picture in pictures)
