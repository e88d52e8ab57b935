"""`operations`: the steps that a recipe may have, and their parameters."""

import argparse
import json

from photo_processor import errors
from photo_processor.cli.exits import DONE
from photo_processor.recipes import OperationInfo, catalogue


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "operations",
        help="list the operations, or say the parameters of one",
        description="List the operations that a recipe may have; with NAME, the parameters of one.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="an operation, such as resize")
    parser.add_argument("--json", action="store_true", help="print name, title, summary and JSON Schema of each")


def run(options: argparse.Namespace) -> int:
    """Say it; returns the exit status. Raises errors.InvalidRecipe where there is no such operation."""
    infos = catalogue()
    if options.name is not None:
        infos = tuple(info for info in infos if info.op == options.name.replace("-", "_"))
        if not infos:
            raise errors.InvalidRecipe(f"There is no operation {options.name!r}; `operations` lists them.")
    if options.json:
        print(json.dumps([info.model_dump(mode="json") for info in infos], indent=2))
    elif options.name is not None:
        print(described(infos[0]))
    else:
        print("\n".join(f"{info.op:<20} {info.summary}" for info in infos))
    return DONE


def described(info: OperationInfo) -> str:
    """An operation for people: a line for each parameter."""
    properties = info.parameters["properties"]
    assert isinstance(properties, dict)
    lines = [f"{info.op}: {info.summary}"]
    for name, schema in properties.items():
        assert isinstance(schema, dict)
        default = schema.get("default")
        shown = "" if default in (None, "") else f" ({json.dumps(default)})"
        lines.append(f"  {name}{shown}: {schema['description']}")
    return "\n".join(lines)
