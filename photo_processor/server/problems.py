"""Errors as `application/problem+json` (RFC 9457). No exception's own text ever reaches a client."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from photo_processor import errors
from photo_processor.schemas import Problem, pointer

RETRY_AFTER = 5  # seconds, where the server is what is missing
log = logging.getLogger("photo.http")


def problem(error: errors.PhotoError) -> JSONResponse:
    """The response that says `error`."""
    body = Problem(
        type=f"urn:photo-processor:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        hint=error.hint,
        errors=tuple({"pointer": place, "detail": text} for place, text in error.fields),
    )
    headers: dict[str, str] = {}
    if error.status in (429, 503, 507):
        headers["Retry-After"] = str(error.retry_after or RETRY_AFTER)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        body.model_dump(exclude_none=True), error.status, headers, media_type="application/problem+json"
    )


async def _photo_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, errors.PhotoError):
        raise error
    if error.status >= 500:
        log.error("%s: %s", error.code, error.detail, exc_info=error.__cause__)
    return problem(error)


async def _validation_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    fields = tuple((pointer(item["loc"]), item["msg"]) for item in error.errors())
    return problem(errors.ValidationFailed(fields=fields))


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, errors.PhotoError):  # FastAPI wraps what is raised while it reads a document
        return await _photo_error(request, error.__cause__)
    known = {404: errors.NotFound, 405: errors.MethodNotAllowed}
    response = problem(known.get(error.status_code, errors.BadRequest)())
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response


async def _gone(_: Request, error: Exception) -> Response:
    """The client has left in the middle of its upload; nobody reads this."""
    if not isinstance(error, ClientDisconnect):
        raise error
    return problem(errors.InvalidMultipart("The upload ended half-way."))


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return problem(errors.InternalError())


def install(app: FastAPI) -> None:
    """Every error of `app` becomes a problem document."""
    app.add_exception_handler(errors.PhotoError, _photo_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)
