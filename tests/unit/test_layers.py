"""What import-linter does not read: the five modules at the top, and what is installed. `make check` runs the rest."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "photo_processor"

# What each may import, of the package and of the others.
FIVE = {
    "websocket_manager": {"schemas", "settings", "errors"},
    "queue_manager": {"queue", "schemas", "settings", "errors"},
    "image_processor": {"operations", "models", "imaging", "schemas", "settings", "errors"},
    "job_worker": {
        "queue_manager",
        "image_processor",
        *("intake", "worker", "recipes", "operations", "models", "imaging"),
        *("queue", "storage", "schemas", "settings", "errors", "memory"),
    },
    "app": {
        *("queue_manager", "job_worker", "image_processor", "websocket_manager"),
        *(path.stem for path in PACKAGE.iterdir() if path.stem != "cli"),
    },
}


def imports_of(path: Path) -> set[str]:
    """The names after `photo_processor.`, and other modules by theirs."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("photo_processor.").split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "photo_processor":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.removeprefix("photo_processor.").split(".")[0])
    return names


def test_five_modules_stand_at_the_top() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == set(FIVE)


def test_five_modules_import_only_what_lies_below() -> None:
    own = {*FIVE, *(path.stem for path in PACKAGE.iterdir())}
    for name, allowed in FIVE.items():
        assert imports_of(ROOT / f"{name}.py") & own <= allowed, name


def test_packages_are_those_that_are_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in PACKAGE.rglob("*.py")}
    assert folders | {"photo_processor.static"} == set(listed)
