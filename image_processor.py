"""One photo through one recipe: decode, operations, encode."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from image_io import decode, thumbnail
from imaging.encode import encode_within, png
from imaging.pictures import Picture
from operations import Context, OperationParams
from schemas import Engine, Face, FileWarning, Format, OutputSpec, Recipe

THUMBNAIL_PX = 320


@dataclass(frozen=True)
class EncodedOutput:
    """One encoded result; `width`, `height` in px."""

    name: str
    format: Format
    width: int
    height: int
    data: bytes


@dataclass(frozen=True)
class ProcessedImage:
    """What became of a photo. `width`, `height` are the upright source's, in px.

    `timings` are seconds by step; those of an operation's parts (`infer_s`, `refine_s`) are contained in its own.

    `mask` is the matte as a grey PNG of the source's size, `thumbnail` the result as WebP, 320 px at most.
    """

    width: int
    height: int
    outputs: tuple[EncodedOutput, ...]
    mask: bytes | None
    thumbnail: bytes
    engine: Engine | None
    faces: tuple[Face, ...] | None
    warnings: tuple[FileWarning, ...]
    timings: dict[str, float]


class _Timings(dict[str, float]):
    """Seconds by step."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self[name] = round(self.get(name, 0.0) + time.perf_counter() - start, 4)


def process_image(source: Path, recipe: Recipe, context: Context, max_megapixels: float) -> ProcessedImage:
    """The results of the photo in `source`. Reads that file and nothing else; writes nothing.

    Raises what decoding, the operations and encoding raise, and what `context.check` raises between them.
    """
    timings = _Timings()
    with timings.step("total_s"):
        photo = _decode(source, context, max_megapixels, timings)
        context = replace(context, source_size=(photo.width, photo.height))
        result = _operate(photo, recipe, context, timings)
        outputs = _encode(result, recipe, context, timings)
        with timings.step("encode_s"):
            mask = None if context.findings.mask is None else png(context.findings.mask)
            small = thumbnail(result, THUMBNAIL_PX)
    return ProcessedImage(
        width=photo.width,
        height=photo.height,
        outputs=outputs,
        mask=mask,
        thumbnail=small,
        engine=context.findings.engine,
        faces=context.findings.faces,
        warnings=tuple(context.findings.warnings),
        timings={**timings, **context.findings.timings},
    )


def _decode(source: Path, context: Context, max_megapixels: float, timings: _Timings) -> Picture:
    context.stage("reading the photo")
    context.check()
    with timings.step("decode_s"):
        return decode(source, max_megapixels, context.warn)


def _operate(picture: Picture, recipe: Recipe, context: Context, timings: _Timings) -> Picture:
    for operation in recipe.operations:
        context.check()
        assert isinstance(operation, OperationParams), "a recipe comes from parse_recipe"
        with timings.step(f"{operation.op}_s"):
            picture = operation.apply(picture, context)
    context.check()
    return picture


def _encode(picture: Picture, recipe: Recipe, context: Context, timings: _Timings) -> tuple[EncodedOutput, ...]:
    context.stage("saving")
    outputs = []
    for spec in recipe.outputs or (OutputSpec(),):
        with timings.step("encode_s"):
            data = encode_within(picture, spec, context.warn)
        outputs.append(EncodedOutput(spec.name, spec.format, picture.width, picture.height, data))
        context.check()
    return tuple(outputs)
