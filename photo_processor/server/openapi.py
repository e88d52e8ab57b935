"""The OpenAPI document, as the server really answers: every error is a problem document."""

from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, where the server asks for one."},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}


def install(app: FastAPI, base_path: str) -> None:
    """Make it once, when it is first asked for; its addresses are under `base_path`."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _corrected(
                get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            )
            if base_path:
                app.openapi_schema["servers"] = [{"url": base_path}]
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    for path in document["paths"].values():
        for operation in path.values():
            responses = cast(dict[str, Any], operation["responses"])
            responses.pop("422", None)  # FastAPI's own; it is one of 4XX here
            for status, response in responses.items():
                if status in ("4XX", "5XX"):
                    response["content"] = PROBLEM
    components = document["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = KEYS
    document["security"] = [{}, {"bearer": []}, {"header": []}]
    return document
