"""Writes the picture and the table of docs/architecture.md from the code's own imports: `make operations`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "photo_processor"
PAGE = ROOT / "docs" / "architecture.md"
TOP = ("app", "queue_manager", "job_worker", "image_processor", "websocket_manager")
EVERYWHERE = {"errors", "schemas", "settings", "memory"}  # imported by nearly all; left out of the picture


def parts() -> dict[str, list[Path]]:
    """The five modules at the top, and the folders and modules of the package, with their files."""
    found = {name: [ROOT / f"{name}.py"] for name in TOP}
    for path in sorted(PACKAGE.iterdir()):
        if path.suffix == ".py" and path.name != "__init__.py":
            found[path.stem] = [path]
        elif (path / "__init__.py").exists():
            found[path.name] = sorted(path.rglob("*.py"))
    return found


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from part_of(node.module)
        elif isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in part_of(alias.name))


def part_of(module: str) -> tuple[str, ...]:
    top, _, below = module.partition(".")
    return (below.split(".")[0],) if top == PACKAGE.name else (top,) if top in TOP else ()


def graph() -> dict[str, set[str]]:
    """What each part imports."""
    known = parts()
    return {
        name: {other for path in files for other in imports(path) if other in known} - {name}
        for name, files in known.items()
    }


def picture() -> list[str]:
    """The imports, without those that another way shows already: arrows go from who imports."""
    direct = {name: below - EVERYWHERE for name, below in graph().items() if name not in EVERYWHERE}
    direct["cli"] -= {"app"}  # a command starts the server

    def below(name: str) -> set[str]:
        return direct[name].union(*(below(other) for other in direct[name]))

    lines = ["```mermaid", "flowchart TD"]
    for name in sorted(direct):
        shown = sorted(o for o in direct[name] if not any(o in below(via) for via in direct[name] - {o}))
        lines += [f"    {name} --> {other}" for other in shown]
    return [*lines, "```"]


def table() -> list[str]:
    rows = ["| part | what it is |", "| --- | --- |"]
    for name, files in parts().items():
        first = next((path for path in files if path.name == "__init__.py"), files[0])
        text = (ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) or "").splitlines()[0]
        shown = f"{name}/" if first.name == "__init__.py" else f"{name}.py"
        rows.append(f"| `{shown}` | {text} |")
    return rows


def page() -> str:
    """The page with what is drawn from the code drawn again."""
    text = PAGE.read_text(encoding="utf-8")
    for mark, lines in (("picture", picture()), ("table", table())):
        drawn = f"<!-- {mark} -->\n" + "\n".join(lines) + f"\n<!-- /{mark} -->"
        text = re.sub(rf"<!-- {mark} -->.*?<!-- /{mark} -->", lambda _, drawn=drawn: drawn, text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
