"""The operations as data, from which forms and documents are drawn."""

from pydantic import ConfigDict, Field, JsonValue

from photo_processor.operations.base import OperationParams
from photo_processor.recipes.parse import OPERATIONS
from photo_processor.schemas import Frozen


class OperationInfo(Frozen):
    """An operation: its name, its title and summary for people, and the JSON Schema of its parameters."""

    model_config = ConfigDict(serialize_by_alias=True)

    op: str
    title: str
    summary: str
    parameters: dict[str, JsonValue] = Field(serialization_alias="schema")


def catalogue() -> tuple[OperationInfo, ...]:
    """Every operation. `x-unit` and `x-control` in a parameter's schema say how a form shows it; `x-start` is what it
    fills in when the step is switched on, and one of `x-needs` must have a value."""
    return tuple(_describe(operation) for operation in OPERATIONS)


def _describe(operation: type[OperationParams]) -> OperationInfo:
    schema = operation.model_json_schema()
    properties = schema["properties"]
    op = properties.pop("op")["default"]
    schema.pop("description", None)
    schema.pop("title", None)
    if operation.start:
        schema |= {"x-start": dict(operation.start), "x-needs": list(operation.needs)}
    return OperationInfo(op=op, title=operation.title, summary=operation.summary, parameters=schema)
