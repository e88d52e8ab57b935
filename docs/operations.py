"""Writes docs/operations.md and its pictures from the operations themselves: `make operations`."""

import json
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from photo_processor.recipes import catalogue  # noqa: E402
from photo_processor.schemas import OutputSpec  # noqa: E402
from tests.operation_examples import EXAMPLES, PICTURES, applied, photo, shown  # noqa: E402

PAGE = ROOT / "docs" / "operations.md"
QUALITY = 92
HEAD = """# Operations

A recipe is a list of operations, run in the order given, and a list of outputs. This page is drawn from the operations
themselves, as `GET /api/operations`, the forms and the command line are; `make operations` writes it.

```json
{"operations": [{"op": "remove_background"}, {"op": "trim", "margin": "5%"}, {"op": "pad", "aspect": "1:1"}],
 "outputs": [{"name": "large", "format": "jpeg", "width": 2000}, {"name": "small", "format": "webp", "width": 400}]}
```

Unknown operations and parameters are refused with a pointer to them. Colours are those of CSS: a name, `#rrggbb`,
`rgb()`, `hsl()`, `transparent`. The photos are NASA's portrait of Eileen Collins, Rachel Michetti's cup of coffee and
Stéfan van der Walt's cat Chelsea, as scikit-image brings them.
"""
OUTPUTS = """## Outputs

Every output is one file of each photo; several make several sizes. What cannot hold what is asked of it says so: a
`max_bytes` that is out of reach gives the warning `budget_missed`, a photo of more frames than were used
`first_frame_only`.

Metadata: results carry no EXIF unless `keep_metadata` is set. Then camera, lens, settings, times, author, copyright and
description stay; the place, serial numbers, the owner's name entered in the camera, maker's notes, XMP, IPTC and the
embedded preview never do. The orientation is applied to the px and gone; colours are converted to sRGB.

SVG, as an output, is the outline of the subject (of what is not transparent) as one path, for cutting machines: traced
along the edges of the px, holes left by the rule `evenodd`, thinned so that it strays by at most `tolerance` px (0.5);
parts of less than 4 px are left out. Its size is in px, or in millimetres where the output has a `dpi`. SVG as a photo
is taken only where `PHOTO_SVG` is set, at 96 px to the inch and 1,024 px of the longest side at least.

Frames: with `frames` set to `all`, each frame of a GIF, WebP, PNG or AVIF, or page of a TIFF, goes through the
operations. What an operation decides by looking at the photo (a crop) it decides on the first. All frames together
may have as many megapixels as one photo. WebP and PNG are shown as often as the source says; a GIF counts its
repeats, so it is shown once more than its number. A thumbnail or smaller copy in a TIFF is no page, an APNG's
fallback no frame; of a HEIC the primary picture comes first.
"""


ELSEWHERE = """## Coming from remove.bg

| there | here |
| --- | --- |
| `crop`, `crop_margin` | [`trim`](#trim), `margin`: in px or percent of the subject, with the same limits |
| `scale`, `position` | [`place_subject`](#place_subject), `scale` from 0.1 to 1, `position` with the same words |
| `bg_color` | `background` of `remove_background` or [`replace_background`](#replace_background) |
| `bg_image_file` | `POST /api/assets`, then `background`: `asset:` and its id |
| `add_shadow` | [`shadow`](#shadow) |
| `channels=alpha` | an output of the kind `mask`, or `GET .../mask` |
| `size` | `width`, `height` of an output, or [`resize`](#resize) |
"""


def page() -> str:
    """The text of docs/operations.md."""
    contents = "\n".join(f"- [{info.title}](#{info.op}): {info.summary}" for info in catalogue())
    parts = [HEAD, contents + "\n", *(_section(info.op) for info in catalogue()), OUTPUTS]
    return "\n".join([*parts, _table(OutputSpec.model_json_schema()) + "\n", ELSEWHERE])


def _section(op: str) -> str:
    info = next(info for info in catalogue() if info.op == op)
    example = next(example for example in EXAMPLES if example.op == op)
    steps = ", ".join(json.dumps(step, ensure_ascii=False) for step in example.steps)
    return "\n".join(
        [
            f'## <a id="{op}"></a>{info.title}\n',
            f"`{op}`. {info.summary}\n",
            f"| before | after |\n| --- | --- |\n| ![before](img/operations/before-{example.photo}.webp) | "
            f"![after](img/operations/{op}.webp) |\n",
            f"```json\n[{steps}]\n```\n",
            _table(dict(info.parameters)) + "\n",
        ]
    )


def _table(schema: dict[str, object]) -> str:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    rows = ["| parameter | default | values | |", "| --- | --- | --- | --- |"]
    for name, field in properties.items():
        cells = f"`{name}`", _default(field), _values(field, schema), field["description"]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _default(field: dict[str, object]) -> str:
    default = field.get("default")
    return "" if default is None or default == "" else f"`{json.dumps(default, ensure_ascii=False)}`"


def _values(field: dict[str, object], schema: dict[str, object]) -> str:
    """The words, or the range with its unit."""
    options = [field, *field.get("anyOf", [])]  # type: ignore[misc]
    merged = {key: value for option in options for key, value in option.items()}
    if "enum" in merged:
        return ", ".join(f"`{value}`" for value in merged["enum"])
    if "const" in merged:
        return f"`{merged['const']}`"
    unit = f" {field['x-unit']}" if "x-unit" in field else ""
    low, high = merged.get("minimum", merged.get("exclusiveMinimum")), merged.get("maximum")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}{unit}"
    if low is not None:
        return f"{'above' if 'exclusiveMinimum' in merged else 'from'} {low:g}{unit}"
    kinds = [option.get("type") for option in options if option.get("type") not in (None, "null")]
    return {"boolean": "`true`, `false`", "string": "text"}.get(str(kinds[-1]) if kinds else "", "")


def draw() -> None:
    """The pictures: each photo before, and what each operation makes of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in {example.photo for example in EXAMPLES}:
        _small(Image.fromarray(photo(name))).save(PICTURES / f"before-{name}.webp", quality=QUALITY, method=6)
    for example in EXAMPLES:
        shown(applied(example)).save(example.path, quality=QUALITY, method=6)


def _small(image: Image.Image) -> Image.Image:
    image.thumbnail((320, 320), Image.Resampling.LANCZOS)
    return image


if __name__ == "__main__":
    draw()
    PAGE.write_text(page(), encoding="utf-8")
