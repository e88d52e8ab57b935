"""Writes docs/api.md from the server's OpenAPI document and its errors: `make api`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from app import create_app  # noqa: E402
from photo_processor.errors import codes  # noqa: E402
from photo_processor.settings import Settings  # noqa: E402

PAGE = ROOT / "docs" / "api.md"
METHODS = ("get", "post", "put", "patch", "delete")
GROUPS = {
    "jobs": "Jobs",
    "files": "Photos of a job",
    "catalogue": "What the server can do",
    "assets": "Pictures that recipes name",
    "access": "Access",
    "system": "The server itself",
}
HEAD = """# HTTP and WebSocket

Drawn from the server's own OpenAPI document (`/docs`, `/openapi.json`) and its errors; `make api` writes this page.
[integration.md](integration.md) says how to use it, [operations.md](operations.md) what recipes are made of.

Every error is `application/problem+json`: `type`, `title`, `status`, `detail`, and the `code` and `hint` of the table
at the end; `pointer` or `faults` say where in a recipe it is. Where the server asks for a key, it goes into
`Authorization: Bearer KEY` or `X-Api-Key`; a socket, and a link that a browser opens by itself, take a ticket
(`POST /api/tickets`) as `?ticket=`.

"""
SOCKET = """## WebSocket

`/ws/job/{id}?since=SEQ` sends JSON alone. First comes the whole state (`"snapshot": true`), or, with `since`, exactly
the numbered changes that were missed; then changes, at most ten a second. `seq` grows by the message. Every 15 s
without one there is `{"type": "heartbeat", "seq": ...}`. The last message has `"final": true`, then the server closes
with 1000. Other ends:

| code | why |
| --- | --- |
| 4404 | there is no such job |
| 4401 | a key or a ticket is missing |
| 4403 | the page's origin is not allowed |
| 1012 | the server is stopping: come back with `since` |
| 1013 | too many sockets or requests: come back later |

```json
{
  "type": "progress", "job_id": "...", "status": "processing",
  "progress": {"processed": 15, "total": 50, "percentage": 30.0, "succeeded": 14, "failed": 1, "review": 2},
  "metadata": {"created_at": "...", "updated_at": "...", "job_type": "batch", "file_count": 50},
  "error": null, "seq": 118, "snapshot": false, "final": false, "stage": "removing background",
  "files": [{"id": "...", "name": "a.jpg", "status": "completed", "error": null, "review": ["blurred"]}]
}
```

"""


def page() -> str:
    """The text of docs/api.md."""
    document = create_app(Settings()).openapi()
    calls = list(_calls(document))
    lines = []
    for tag in (*GROUPS, *sorted({tag for tag, *_ in calls} - GROUPS.keys())):
        own = [call for call in calls if call[0] == tag]
        if own:
            lines += [f"## {GROUPS.get(tag, tag.capitalize())}", ""]
            for _, method, path, operation in own:
                lines += _call(method, path, operation, document)
    lines += [SOCKET, "## What answers hold", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += _schema(name, schema)
    lines += ["## Errors", "", "| status | code | what it says | what to do |", "| --- | --- | --- | --- |"]
    for code, kind in sorted(codes().items(), key=lambda item: (item[1].status, item[0])):
        lines.append(f"| {kind.status} | `{code}` | {_line(kind.title)} | {_line(kind.hint)} |")
    return HEAD + "\n".join(lines) + "\n"


def _calls(document: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                yield operations[method].get("tags", ["system"])[0], method, path, operations[method]


def _call(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    lines = [f"### `{method.upper()} {path}`", "", operation.get("description", ""), ""]
    rows = [
        (found["name"], found["in"], found["schema"], found.get("description", ""))
        for found in operation.get("parameters", [])
        if found["in"] != "path"
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = _resolved(content.get("schema", {}), document)
        if kind == "multipart/form-data":
            rows += [
                (name, "form field", field, field.get("description", ""))
                for name, field in schema["properties"].items()
            ]
        else:
            lines += [f"Body: {kind}{_of(content.get('schema', {}))}.", ""]
    if rows:
        lines += ["| parameter | in | what it takes | default | |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| `{name}` | {place} | {_type(schema)} | {_default(schema)} | {_line(text)} |"
            for name, place, schema, text in rows
        ]
        lines.append("")
    answers = [
        f"{status}{_of(next(iter(answer.get('content', {'': {}}).values())).get('schema', {}))}"
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    return [*lines, f"Answers {', '.join(answers)}.", ""]


def _of(schema: dict[str, Any]) -> str:
    shown = _type(schema) if schema else ""
    return f" with {shown}" if shown not in ("", "anything") else ""


def _schema(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", "", schema.get("description", "").strip(), ""]
    properties = schema.get("properties", {})
    if properties:
        lines += ["| field | | default |", "| --- | --- | --- |"]
        lines += [f"| `{field}` | {_type(kind)} | {_default(kind)} |" for field, kind in properties.items()]
        lines.append("")
    return lines


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    shown = str(schema.get("format") or schema.get("type") or "anything")
    return shown if low is None and high is None else f"{shown}, {_range(low, high)}"


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"at least {low:g}" if high is None else f"at most {high:g}"
    return f"{low:g} to {high:g}"


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    return "" if value in (None, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
