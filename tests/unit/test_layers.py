"""Imports go one way: each room may use only the rooms below it."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

# Lowest first; a room imports from lower lines, or from its own.
LAYERS = (
    {"errors", "settings", "memory"},
    {"schemas"},
    {"queue", "storage"},
    {"queue_manager", "websocket_manager"},
    {"imaging"},
    {"models"},
    {"operations"},
    {"recipes"},
    {"image_processor"},
    {"worker"},
    {"job_worker", "intake", "results"},
    {"server"},
    {"app"},
    {"cli"},
)
CLOSED = {
    "queue": {"schemas", "settings", "errors"},
    "queue_manager": {"queue", "schemas", "settings", "errors"},
    "websocket_manager": {"schemas", "settings", "errors"},
    "storage": {"schemas", "settings", "errors"},
}
NOT_YET = {"photo_processor/recipes/assets.py imports intake"}
LEVEL = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("photo_processor.").split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "photo_processor":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.removeprefix("photo_processor.").split(".")[0])
    return names


def modules() -> list[tuple[str, Path]]:
    package = ROOT / "photo_processor"
    inside = [path for path in package.rglob("*.py") if path != package / "__init__.py"]
    return [(path.stem, path) for path in ROOT.glob("*.py")] + [
        (path.relative_to(package).parts[0].removesuffix(".py"), path) for path in inside
    ]


def test_every_module_has_a_place() -> None:
    assert {room for room, _ in modules()} <= LEVEL.keys()


def test_packages_are_those_that_are_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for _, path in modules()} - {"."}
    assert folders | {"photo_processor", "photo_processor.static"} == set(listed)


def test_imports_go_one_way() -> None:
    breaches = {
        f"{path.relative_to(ROOT)} imports {name}"
        for room, path in modules()
        for name in imports_of(path) & LEVEL.keys()
        if LEVEL[name] > LEVEL[room] or (room in CLOSED and name not in CLOSED[room] and name != room)
    }
    assert breaches == NOT_YET


def test_only_models_imports_rembg() -> None:
    assert {room for room, path in modules() if "rembg" in path.read_text() and "rembg" in imports_of(path)} <= {
        "models"
    }
