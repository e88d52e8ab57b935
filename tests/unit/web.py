"""A real web server for downloads: it resumes, redirects, breaks off, falls silent, and counts what it is asked for."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What lies at one path. `cut_after` bytes the connection breaks off, once; `silent_s` passes before the answer."""

    content: bytes = b""
    etag: str | None = '"1"'
    cut_after: int | None = None
    silent_s: float = 0.0
    slow_s: float = 0.0
    status: int = 200
    location: str | None = None
    ranges: bool = True


@dataclass
class Web:
    """The server's pages, and the requests it has had: path and Range header."""

    address: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Web]:
    """A server on a free port, for the block."""
    web = Web("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            web.asked.append((self.path, wanted))
            page = web.pages.get(self.path)
            if page is None:
                self.send_error(404)
                return
            time.sleep(page.silent_s)
            self.answer(page, wanted)

        def answer(self, page: Page, wanted: str | None) -> None:
            condition = self.headers.get("If-Range")
            fits = page.ranges and (condition is None or condition == page.etag)
            begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and fits else 0
            if begin > len(page.content) or (begin and begin == len(page.content)):
                self.send_error(416)
                return
            self.send_response(206 if begin else page.status)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(page.content) - 1}/{len(page.content)}")
            if page.location:
                self.send_header("Location", page.location)
            if page.etag:
                self.send_header("ETag", page.etag)
            self.send_header("Content-Length", str(len(page.content) - begin))
            self.end_headers()
            self.send_content(page, begin)

        def send_content(self, page: Page, begin: int) -> None:
            end = len(page.content) if page.cut_after is None else page.cut_after
            page.cut_after = None
            self.close_connection = True
            for at in range(begin, end, 64 * 1024):
                try:
                    self.wfile.write(page.content[at : min(end, at + 64 * 1024)])
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(page.slow_s)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
