"""What is to be made of a photo."""

from typing import Literal

from pydantic import ConfigDict, Field, SerializeAsAny

from photo_processor.schemas.base import Format, Frozen, OutputKind


class OutputSpec(Frozen):
    """One encoded result of a photo."""

    name: str = Field(
        "full",
        title="Name",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        description="Names the result in addresses and the ZIP.",
    )
    format: Format = Field(
        "png",
        title="Format",
        description="File format. JPEG has no transparency; SVG is the outline of the subject, for cutting machines.",
    )
    kind: OutputKind = Field(
        "picture",
        title="What",
        description="The `picture`, or its `mask`: white where the subject is, as a grey file.",
        json_schema_extra={"x-group": "More"},
    )
    width: int | None = Field(
        None,
        ge=1,
        le=20_000,
        title="Width",
        description="Most px across; left open, as wide as the picture is. Nothing is enlarged.",
        json_schema_extra={"x-unit": "px"},
    )
    height: int | None = Field(
        None,
        ge=1,
        le=20_000,
        title="Height",
        description="Most px down; left open, as high as the picture is. Nothing is enlarged.",
        json_schema_extra={"x-unit": "px"},
    )
    mode: Literal["fit", "fill", "stretch", "pad"] = Field(
        "fit",
        title="Size",
        description="`fit` lies within width and height, `fill` covers both and is cut, `stretch` takes both exactly, "
        "`pad` lies within both and has clear room added to them.",
        json_schema_extra={"x-group": "More"},
    )
    quality: int = Field(
        90, ge=1, le=100, title="Quality", description="For WebP, JPEG and AVIF, from 1 (small) to 100 (best)."
    )
    lossless: bool = Field(
        False,
        title="Lossless",
        description="For WebP: keep every pixel as it is.",
        json_schema_extra={"x-group": "More"},
    )
    background: str = Field(
        "#ffffff",
        pattern=r"^#[0-9a-fA-F]{6}$",
        title="Background",
        description="For JPEG and BMP: the colour behind what is transparent.",
        json_schema_extra={"x-control": "color"},
    )
    dpi: float | None = Field(
        None,
        ge=1,
        le=65_535,
        title="Resolution",
        description="For PNG, JPEG and TIFF: how large the picture prints; left open, as the photo says.",
        json_schema_extra={"x-group": "More", "x-unit": "dpi"},
    )
    max_bytes: int | None = Field(
        None,
        ge=1_000,
        title="Most bytes",
        description="The quality is lowered until the file is no larger. What cannot be made so small (PNG, TIFF and "
        "lossless WebP have no quality to lower) gets the warning `budget_missed`.",
        json_schema_extra={"x-unit": "bytes"},
    )
    keep_metadata: bool = Field(
        False,
        title="Keep metadata",
        description="Keep the photo's EXIF: camera, settings, time, author, copyright. Place, serial numbers and "
        "maker's notes are dropped all the same.",
        json_schema_extra={"x-group": "More"},
    )
    frames: Literal["first", "all"] = Field(
        "first",
        title="Frames",
        description="Of an animation or a document of several pages: the `first`, or `all` for WebP, PNG, AVIF, "
        "GIF and TIFF.",
        json_schema_extra={"x-group": "More"},
    )
    colour: Literal["full", "grey"] = Field(
        "full",
        title="Colour",
        description="`grey` makes a file of 8-bit grey; WebP and AVIF have no such form, theirs looks grey.",
        json_schema_extra={"x-group": "More"},
    )
    progressive: bool = Field(
        True,
        title="Progressive",
        description="For JPEG: shows coarsely at once, then finer.",
        json_schema_extra={"x-group": "More"},
    )
    chroma: Literal["auto", "full", "half"] = Field(
        "auto",
        title="Colour detail",
        description="For JPEG and AVIF: `full`, or `half` in both directions; `auto` is full from quality 90 on in "
        "JPEG, half in AVIF.",
        json_schema_extra={"x-group": "More"},
    )
    speed: int = Field(
        9,
        ge=0,
        le=10,
        title="AVIF speed",
        description="From 0 (slowest, smallest) to 10; 6 takes ten times as long as 9 and saves 5 %.",
        json_schema_extra={"x-group": "More"},
    )
    compression: Literal["lzw", "deflate", "none"] = Field(
        "lzw",
        title="TIFF compression",
        description="All keep every pixel; `deflate` is smallest, `none` fastest.",
        json_schema_extra={"x-group": "More"},
    )
    tolerance: float = Field(
        0.5,
        ge=0,
        le=20,
        title="Outline's tolerance",
        description="For SVG: how far the outline may stray from the mask's, for fewer corners.",
        json_schema_extra={"x-group": "More", "x-unit": "px"},
    )
    suffix: str | None = Field(
        None,
        pattern=r"^[\w .()@-]{0,40}$",
        title="Name's ending",
        description="What a file's name ends with, such as `-small`; left open, the output's name where there are "
        "several.",
        json_schema_extra={"x-group": "More"},
    )


class Operation(Frozen):
    """One step of a recipe. The steps themselves, with their parameters, are the classes of `operations`."""

    model_config = ConfigDict(extra="allow")

    op: str


class Recipe(Frozen):
    """What to do with each photo: operations in order, then outputs. As stored; `operations.parse_recipe` checks it."""

    operations: tuple[SerializeAsAny[Operation], ...] = Field((), max_length=20)
    outputs: tuple[OutputSpec, ...] = Field((OutputSpec(),), max_length=20)
    naming: str | None = Field(
        None,
        max_length=200,
        title="Names",
        description="What results are called, with folders: `{folder}/{number}_{output}`. Fields: `{name}`, `{file}`, "
        "`{folder}`, `{date}`, `{index:03}`, `{number}`, `{caption}`, `{output}`; left open, the photo's own name.",
    )
