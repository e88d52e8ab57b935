"""Imports go one way: each room may use only the rooms below it."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

# Lowest first; a room imports from lower lines, or from its own.
LAYERS = (
    {"errors", "settings", "memory", "supervisor"},
    {"schemas", "metrics"},
    {"sql"},
    {"queue_manager", "websocket_manager", "storage", "live", "keys"},
    {"imaging"},
    {"image_io"},
    {"weights"},
    {"detection"},
    {"engines"},
    {"models"},
    {"operations"},
    {"image_processor"},
    {"ingest"},
    {"results"},
    {"runners", "admission"},
    {"job_worker", "upkeep", "idle"},
    {"routes"},
    {"connections"},
    {"app"},
    {"commands"},
    {"cli"},
)
CLOSED = {
    "queue_manager": {"sql", "schemas", "settings", "errors"},
    "websocket_manager": {"schemas", "settings", "errors"},
    "storage": {"schemas", "settings", "errors"},
}
LEVEL = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def modules() -> list[tuple[str, Path]]:
    rooms = [(path.stem, path) for path in ROOT.glob("*.py")]
    folders = (name for names in LAYERS for name in names if (ROOT / name).is_dir())
    return rooms + [(folder, path) for folder in folders for path in (ROOT / folder).glob("*.py")]


def test_every_module_has_a_place() -> None:
    assert {room for room, _ in modules()} <= LEVEL.keys()


def test_packages_are_those_that_are_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    assert {room for room, path in modules() if path.parent != ROOT} == set(listed) - {"static"}


def test_imports_go_one_way() -> None:
    breaches = [
        f"{path.relative_to(ROOT)} imports {name}"
        for room, path in modules()
        for name in imports_of(path) & LEVEL.keys()
        if LEVEL[name] > LEVEL[room] or (room in CLOSED and name not in CLOSED[room] and name != room)
    ]
    assert breaches == []


def test_only_models_imports_rembg() -> None:
    assert {room for room, path in modules() if "rembg" in path.read_text() and "rembg" in imports_of(path)} <= {
        "models"
    }
