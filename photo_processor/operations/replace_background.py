"""Lay something else behind a subject that is already cut out."""

from dataclasses import replace
from typing import ClassVar, Literal

from photo_processor.imaging.pictures import Picture
from photo_processor.operations.backgrounds import Background, Fit, asset_of, background_field, fit_field, laid
from photo_processor.operations.base import Context, OperationParams


class ReplaceBackground(OperationParams):
    """Another background for what was cut out before, here or elsewhere."""

    title: ClassVar[str] = "Replace background"
    summary: ClassVar[str] = (
        "Lay a colour, a gradient, a picture or the photo's own blur behind what is already cut out."
    )
    short: ClassVar[tuple[str, ...]] = ("background",)

    op: Literal["replace_background"] = "replace_background"
    background: Background = background_field("#ffffff")
    fit: Fit = fit_field()

    def apply(self, picture: Picture, context: Context) -> Picture:
        """The subject before its new background. Warns `no_subject_known`. Raises AssetNotFound."""
        context.stage("replacing the background")
        if picture.subject is None:
            context.warn("no_subject_known", "The photo has no transparency and nothing was cut out of it.")
            return picture
        alpha = picture.subject if picture.alpha is None else picture.alpha
        with context.timed("composite_s"):
            return laid(replace(picture, alpha=alpha), self.background, self.fit, context)

    @property
    def assets(self) -> frozenset[str]:
        """The uploaded pictures that this needs."""
        asset = asset_of(self.background)
        return frozenset() if asset is None else frozenset({asset})
