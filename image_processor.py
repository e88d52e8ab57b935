"""One photo through one recipe: decode, operations, encode."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from photo_processor.imaging.composite import behind_of
from photo_processor.imaging.decode import FIRST_ALONE, decode, decode_frames, thumbnail
from photo_processor.imaging.encode import encode, encode_frames, encode_within, png
from photo_processor.imaging.facts import facts_of
from photo_processor.imaging.geometry import CLEAR, padded, sized
from photo_processor.imaging.pictures import Picture
from photo_processor.operations import Context, OperationParams
from photo_processor.operations.sizes import check_size, check_sizes, output_size, px_of
from photo_processor.schemas import Engine, Face, FileWarning, Format, Frame, OutputSpec, PhotoFacts, Recipe, ReviewItem

THUMBNAIL_PX = 320


@dataclass(frozen=True)
class EncodedOutput:
    """One encoded result; `width`, `height` in px. `face` numbers those of a photo that was cut into several."""

    name: str
    format: Format
    width: int
    height: int
    data: bytes
    face: int | None = None


@dataclass(frozen=True)
class ProcessedImage:
    """What became of a photo. `width`, `height` are the upright source's, in px.

    `timings` are seconds by step; those of an operation's parts (`infer_s`, `refine_s`) are contained in its own,
    and those of a network (`Matte.timings`) in `infer_s`.

    `facts` are the photo's own. `mask` is the matte as a grey PNG of the source's size,
    `thumbnail` the result as WebP, 320 px at most.
    """

    width: int
    height: int
    outputs: tuple[EncodedOutput, ...]
    mask: bytes | None
    thumbnail: bytes
    engine: Engine | None
    faces: tuple[Face, ...] | None
    frame: Frame | None
    review: tuple[ReviewItem, ...]
    warnings: tuple[FileWarning, ...]
    timings: dict[str, float]
    facts: PhotoFacts | None = None


@dataclass(frozen=True)
class _Shown:
    """A frame that is done, as the pictures that it was cut into, and the seconds it is shown.

    `plays`: how often the animation is shown, as far as was known by then, 0 for ever.
    """

    pictures: tuple[Picture, ...]
    seconds: float
    plays: int


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
        frames = _decode(source, recipe, context, max_megapixels, timings)
        photo, shown = next(frames)
        with timings.step("facts_s"):
            facts = facts_of(photo)
        name = replace(context.name, taken=facts.exif.taken if facts.exif else None)
        context = replace(context, source_size=(photo.width, photo.height), name=name, max_megapixels=max_megapixels)
        check_sizes(recipe, photo.width, photo.height, max_megapixels)
        results = [_Shown(_operate(photo, recipe, context, timings), shown, _plays(photo))]
        results += _others(results[0], frames, recipe, context, timings)
        outputs = _encode(results, recipe, context, timings)
        with timings.step("encode_s"):
            mask = None if context.findings.mask is None else png(context.findings.mask)
            small = thumbnail(results[0].pictures[0], THUMBNAIL_PX)
    return ProcessedImage(
        width=photo.width,
        height=photo.height,
        outputs=outputs,
        mask=mask,
        thumbnail=small,
        engine=context.findings.engine,
        faces=context.findings.faces,
        frame=context.findings.frame,
        review=tuple(context.findings.review),
        warnings=tuple(context.findings.warnings),
        timings={**timings, **context.findings.timings},
        facts=facts,
    )


def _decode(
    source: Path, recipe: Recipe, context: Context, max_megapixels: float, timings: _Timings
) -> Iterator[tuple[Picture, float]]:
    """The photo; where an output takes them, all its frames, with the seconds each is shown."""
    context.stage("reading the photo")
    context.check()
    if not any(map(_takes_all, recipe.outputs)):
        with timings.step("decode_s"):
            photo = decode(source, max_megapixels, context.warn)
        yield photo, 0.0
        return
    frames = decode_frames(source, max_megapixels, context.warn)
    while True:
        with timings.step("decode_s"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _plays(frame: Picture) -> int:
    return frame.origin.plays if frame.origin else 0


def _takes_all(spec: OutputSpec) -> bool:
    return spec.frames == "all" and spec.format not in ("jpeg", "bmp", "svg")


def _operate(photo: Picture, recipe: Recipe, context: Context, timings: _Timings) -> tuple[Picture, ...]:
    """What the operations make of the photo: one picture, or one of each face."""
    steps = [step for step in recipe.operations if isinstance(step, OperationParams)]
    assert len(steps) == len(recipe.operations), "a recipe comes from parse_recipe"
    pictures: tuple[Picture, ...] = (photo,)
    for number, operation in enumerate(steps):
        here = replace(context, step=number, later=tuple(steps[number + 1 :]))
        made: list[Picture] = []
        for part, picture in enumerate(pictures):
            context.check()
            if not operation.varies:
                size = operation.planned(picture.width, picture.height)
                check_size(*size, context.max_megapixels, px_of(made))
            with timings.step(f"{operation.op}_s"):
                made += operation.apply_all(picture, replace(here, part=part))
        pictures = tuple(made)
    context.check()
    return tuple(replace(picture, photo=None) for picture in pictures)  # which a hundred frames would keep


def _others(
    first: _Shown,
    frames: Iterator[tuple[Picture, float]],
    recipe: Recipe,
    context: Context,
    timings: _Timings,
) -> list[_Shown]:
    """The frames after the `first`, all of which are kept at once. What the photo is said to show, that one shows."""
    results: list[_Shown] = []
    for frame, shown in frames:
        findings = replace(context.findings, engine=None, mask=None, faces=None, frame=None, review=[])
        made = _operate(frame, recipe, replace(context, findings=findings), timings)
        results.append(_Shown(made, shown, _plays(frame)))
        pictures = [picture for result in (first, *results) for picture in result.pictures]
        check_size(pictures[0].width, pictures[0].height, context.max_megapixels, px_of(pictures[1:]))
    if results and not all(map(_takes_all, recipe.outputs)):
        context.warn(*FIRST_ALONE)
    return results


def _encode(
    results: Sequence[_Shown], recipe: Recipe, context: Context, timings: _Timings
) -> tuple[EncodedOutput, ...]:
    context.stage("saving")
    outputs = []
    specs = recipe.outputs or (OutputSpec(),)
    parts = min(len(result.pictures) for result in results)
    for part in range(parts):
        for spec in specs:
            face = part + 1 if parts > 1 else None
            shown = results if _takes_all(spec) else results[:1]
            with timings.step("encode_s"):
                outputs.append(_output([result.pictures[part] for result in shown], shown, spec, face, context))
            context.check()
    return tuple(outputs)


def _output(
    pictures: list[Picture], results: Sequence[_Shown], spec: OutputSpec, face: int | None, context: Context
) -> EncodedOutput:
    if spec.width or spec.height:
        size = output_size(spec, pictures[0].width, pictures[0].height)
        check_size(*size, context.max_megapixels)
        pictures = [_sized(picture, spec) for picture in pictures]
    first = pictures[0]
    if len(pictures) == 1:
        data = encode_within(spec, context.warn, partial(encode, first))
    else:
        if spec.format != "tiff":
            pictures = [behind_of(picture, first.width, first.height, "contain", CLEAR) for picture in pictures]
        seconds = [one.seconds for one in results]
        data = encode_within(spec, context.warn, partial(encode_frames, pictures, seconds, plays=results[-1].plays))
    name = spec.name if face is None else f"{spec.name}-{face}"
    return EncodedOutput(name, spec.format, first.width, first.height, data, face)


def _sized(picture: Picture, spec: OutputSpec) -> Picture:
    if spec.mode != "pad":
        return sized(picture, spec.width, spec.height, spec.mode)
    inner = sized(picture, spec.width, spec.height, "fit")
    across, down = (spec.width or inner.width) - inner.width, (spec.height or inner.height) - inner.height
    return padded(inner, across // 2, down // 2, across - across // 2, down - down // 2, CLEAR)
