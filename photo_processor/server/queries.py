"""Query parameters that an address does not have are refused, not passed over."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from photo_processor import errors
from photo_processor.schemas import pointer

EVERYWHERE = frozenset({"ticket"})  # what links show instead of a key


async def check_query(connection: HTTPConnection) -> None:
    """A dependency of every route. Raises ValidationFailed with a pointer to each unknown parameter."""
    route = connection.scope.get("route")
    if not connection.query_params or not isinstance(route, APIRoute) or not route.path.startswith("/api/"):
        return
    unknown = sorted(set(connection.query_params).difference(EVERYWHERE, _names(route.dependant)))
    if unknown:
        raise errors.ValidationFailed(
            f"This address has no parameter {unknown[0]!r}.",
            fields=tuple((pointer(("query", name)), "There is no such parameter.") for name in unknown),
        )


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for other in dependant.dependencies:
        yield from _names(other)
