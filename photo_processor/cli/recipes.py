"""The recipe that options ask for. Shortcuts, parameters and their help come from the operations themselves."""

import argparse
import json
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from photo_processor import errors
from photo_processor.imaging.decode import SNIFF_BYTES
from photo_processor.operations import OperationParams
from photo_processor.recipes import OPERATIONS, PRESETS, catalogue, parse_recipe
from photo_processor.recipes.assets import Assets
from photo_processor.recipes.own_presets import Presets
from photo_processor.recipes.parse import MAX_RECIPE_BYTES
from photo_processor.schemas import OutputSpec, Recipe
from photo_processor.settings import Settings
from photo_processor.storage.local import digest_of
from photo_processor.storage.received import Received

Step = dict[str, JsonValue]
ALIASES = {"remove_background": "remove-bg"}


class BadOption(ValueError):
    """An option that cannot be read; the text says why."""


class StepAction(argparse.Action):
    """Adds an operation to the recipe; steps run in the order of their options."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        text = values if isinstance(values, str) else ""
        op = str(self.const) if self.const else ""
        try:
            step = shortcut(op, text) if op else written(text)
        except BadOption as problem:
            parser.error(f"argument {option_string}: {problem}")
        namespace.steps = [*(namespace.steps or ()), step]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what to do with each photo."""
    names = ", ".join(preset.name for preset in PRESETS)
    base = parser.add_argument_group("what to do").add_mutually_exclusive_group()
    base.add_argument("--recipe", type=Path, metavar="FILE", help="a recipe as JSON, as the server takes it")
    base.add_argument("--preset", metavar="NAME", help=f"a ready-made recipe: {names}, or one of the data folder")
    steps = parser.add_argument_group(
        "operations, run in the order given", "`photo-processor operations NAME` says every parameter of one."
    )
    steps.add_argument(
        "--op",
        action=StepAction,
        dest="steps",
        metavar="'NAME KEY=VALUE ...'",
        help="any operation, such as --op 'resize width=800 mode=fill'; may be repeated",
    )
    for operation in OPERATIONS:
        _add_shortcut(steps, operation)
    changes = parser.add_argument_group("changes to the recipe")
    changes.add_argument("--model", help="the model of every operation that takes one")
    changes.add_argument("--background", help="what is laid behind the subject where the background is removed")
    changes.add_argument("--format", choices=_formats(), help="the format of every output")
    changes.add_argument("--quality", type=int, metavar="1-100", help="the quality of every output")
    changes.add_argument("--naming", metavar="TEMPLATE", help="names of results, such as {folder}/{number}_{output}")
    changes.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="'KEY=VALUE ...'",
        help="an output instead of the recipe's, such as 'name=web format=webp width=1200'; may be repeated. "
        f"Keys: {', '.join(OutputSpec.model_fields)}",
    )
    parser.set_defaults(steps=None)


def _add_shortcut(group: "argparse._ArgumentGroup", operation: type[OperationParams]) -> None:
    """`--crop-face`, or `--resize VALUE` where the operation says what a bare value stands for."""
    op = str(operation.model_fields["op"].default)
    names = [f"--{name}" for name in (ALIASES.get(op), op.replace("_", "-")) if name]
    keys = [name for name in operation.model_fields if name != "op"]
    text = f"{operation.summary} Parameters: {', '.join(keys)}."
    if not operation.short:
        group.add_argument(*names, action=StepAction, dest="steps", const=op, nargs=0, help=text.replace("%", "%%"))
        return
    metavar = "x".join(name.upper() for name in operation.short)
    text = f"{operation.summary} Or 'KEY=VALUE ...': {', '.join(keys)}."
    group.add_argument(*names, action=StepAction, dest="steps", const=op, metavar=metavar, help=text.replace("%", "%%"))


def _formats() -> list[str]:
    return [str(name) for name in _schema_of("")["format"]["enum"]]


def written(text: str) -> Step:
    """The step that `resize width=800 mode=fill` writes. Raises BadOption."""
    name, _, rest = text.strip().partition(" ")
    op = name.replace("-", "_")
    known = {str(operation.model_fields["op"].default) for operation in OPERATIONS}
    op = next((full for full, short in ALIASES.items() if short == name), op)
    if op not in known:
        raise BadOption(f"there is no operation {name!r}; there are {', '.join(sorted(known))}")
    return {"op": op, **pairs(rest, op)}


def shortcut(op: str, text: str) -> Step:
    """The step of an operation's own option: its parameters, or what its bare value stands for. Raises BadOption."""
    if not text:
        return {"op": op}
    operation = next(found for found in OPERATIONS if found.model_fields["op"].default == op)
    first = text.split("=", 1)[0].strip()
    if "=" in text and first in operation.model_fields:
        return {"op": op, **pairs(text, op)}
    names = operation.short
    values = [text] if len(names) == 1 else text.lower().split("x")
    if len(values) > len(names):
        raise BadOption(f"{text!r} has more than {len(names)} values")
    schema = _schema_of(op)
    given = [(name, value) for name, value in zip(names, values, strict=False) if value]
    return {"op": op, **{name: _typed(value, schema[name]) for name, value in given}}


def pairs(text: str, op: str = "") -> Step:
    """`KEY=VALUE ...`, quoted as in a shell, typed as the operation (or the output) has them. Raises BadOption."""
    try:
        words = shlex.split(text)
    except ValueError as problem:
        raise BadOption(f"{text!r}: {problem}") from problem
    schema = _schema_of(op)
    found: Step = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise BadOption(f"{word!r} is not KEY=VALUE")
        if key not in schema:
            raise BadOption(f"there is no parameter {key!r}; there are {', '.join(schema)}")
        found[key] = _typed(value, schema[key])
    return found


Schema = Mapping[str, "Mapping[str, JsonValue]"]


def _schema_of(op: str) -> dict[str, dict[str, list[JsonValue]]]:
    """The JSON Schema of each parameter of an operation, or with no name of an output."""
    schema: object = OutputSpec.model_json_schema()
    if op:
        schema = next(info.parameters for info in catalogue() if info.op == op)
    assert isinstance(schema, dict)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return properties


def _typed(text: str, schema: object) -> JsonValue:
    """A number, a list or yes and no where the parameter is one; else the text as it stands."""
    if "string" in _types(schema):
        return None if text == "null" and "null" in _types(schema) else text
    words = {"yes": True, "on": True, "no": False, "off": False}
    try:
        value: JsonValue = words[text.lower()] if text.lower() in words else json.loads(text)
    except ValueError:
        return text
    return value


def _types(schema: object) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    own = {str(schema["type"])} if "type" in schema else set()
    return own.union(*(_types(option) for option in schema.get("anyOf", ())))


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The recipe that the options ask for. Raises BadOption, errors.InvalidRecipe, errors.UnknownPreset."""
    document = _base(options)
    operations = document.setdefault("operations", [])
    assert isinstance(operations, list)
    operations += options.steps or []
    _change_steps(operations, options)
    if options.output:
        document["outputs"] = [pairs(text) for text in options.output]
    for output in document.get("outputs") or document.setdefault("outputs", [{}]):  # type: ignore[union-attr]
        assert isinstance(output, dict)
        output |= {key: value for key in ("format", "quality") if (value := getattr(options, key)) is not None}
    if options.naming:
        document["naming"] = options.naming
    for step in operations:
        assert isinstance(step, dict)
        step |= {key: _asset(value) for key, value in step.items() if isinstance(value, str) and value[:1] == "@"}
    return parse_recipe(document)  # type: ignore[arg-type]


def _base(options: argparse.Namespace) -> Step:
    """The recipe that is begun with."""
    if options.preset is not None:
        found = Presets(Settings.load().presets_path).find(options.preset)
        return dict(found.recipe.model_dump(mode="json"))
    if options.recipe is None:
        return {}
    try:
        with options.recipe.open("rb") as file:
            text = file.read(MAX_RECIPE_BYTES + 1)
    except OSError as problem:
        raise BadOption(f"{options.recipe}: {problem.strerror}") from problem
    return dict(parse_recipe(text).model_dump(mode="json"))


def _asset(text: str) -> str:
    """The name of the picture that `@FILE` stands for, which is kept among the data folder's. Raises BadOption."""
    path, settings = Path(text[1:]), Settings.load()
    part = settings.assets_path / f".{secrets.token_hex(8)}.part"
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        with part.open("rb") as file:
            received = Received(path.name, part, part.stat().st_size, file.read(SNIFF_BYTES), digest_of(part))
        assets = Assets(settings.assets_path, settings.max_megapixels, svg=settings.svg)
        return f"asset:{assets.keep(received).id}"
    except OSError as problem:
        raise BadOption(f"{path}: {problem.strerror}") from problem
    except errors.PhotoError as problem:
        raise BadOption(f"{path}: {problem.detail}") from problem
    finally:
        part.unlink(missing_ok=True)


def _change_steps(steps: list[JsonValue], options: argparse.Namespace) -> None:
    """Set `--model` and `--background` in the steps that take them."""
    taking = {info.op: _schema_of(info.op) for info in catalogue()}
    if options.model is not None:
        changed = [step for step in steps if isinstance(step, dict) and "model" in taking.get(str(step["op"]), {})]
        if not changed:
            raise BadOption("--model needs an operation that takes one, such as --remove-bg")
        for step in changed:
            step["model"] = options.model
    if options.background is not None:
        removing = [step for step in steps if isinstance(step, dict) and step["op"] == "remove_background"]
        if not removing:
            raise BadOption("--background needs --remove-bg")
        for step in removing:
            step["background"] = options.background
