"""Headers for bytes that came from users: typed, never sniffed, never run."""

from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from routes.origins import NO_PAGE

BYTES = "application/octet-stream"


def disposition(name: str, *, attachment: bool) -> str:
    """A Content-Disposition for any file name (RFC 6266); what is not plain ASCII goes percent-encoded."""
    base = name.rsplit("/", 1)[-1]
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%;' else "_" for char in base)
    kind = "attachment" if attachment else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(base, safe='')}"


def source(path: Path, media_type: str | None, name: str, background: BackgroundTask | None) -> FileResponse:
    """What a user uploaded, as it is: never shown by a browser, only saved."""
    headers = {
        "Content-Disposition": disposition(name, attachment=True),
        "Content-Security-Policy": NO_PAGE,
        "Cache-Control": "private, no-cache",
    }
    return FileResponse(path, media_type=media_type or BYTES, headers=headers, background=background)


def blob(path: Path, media_type: str, name: str, *, attachment: bool, etag: str) -> FileResponse:
    """A stored blob; it never changes under its digest, so clients may keep it."""
    headers = {
        "Content-Disposition": disposition(name, attachment=attachment),
        "Content-Security-Policy": NO_PAGE,
        "Cache-Control": "private, max-age=3600",
        "ETag": f'"{etag}"',
    }
    return FileResponse(path, media_type=media_type, headers=headers)
