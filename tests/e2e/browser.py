"""Chromium for the tests of the page, and a page that fails its test on anything it should not do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.server import ROOT
from tests.support.programs import needed

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SETTLED = """async (scheme) => {
  const frame = () => new Promise(requestAnimationFrame);
  while (!matchMedia(`(prefers-color-scheme: ${scheme})`).matches) await frame();
  await frame();
  const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition);
  const ended = Promise.all(transitions.map((one) => one.finished.catch(() => {})));
  await Promise.race([ended, new Promise((late) => setTimeout(late, 2000))]);
  await frame();
}"""
"""Fulfilled once the colours of another scheme have come: they have a transition. In a card that is out of sight
(`content-visibility`) none ever ends."""
WAIT_MS = 120_000
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """The installed Chromium; PHOTO_TEST_CHROMIUM names another."""
    return os.environ.get("PHOTO_TEST_CHROMIUM") or needed("chromium", "chromium-browser", "google-chrome")


@contextmanager
def launched() -> Iterator[Browser]:
    """A running Chromium. While it runs, this thread has an event loop: asynchronous tests must wait for its end."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        expect.set_options(timeout=WAIT_MS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page did that it should not have done."""

    hosts: tuple[str, ...]
    expected: tuple[str, ...] = ()
    """Parts of console messages that the test brings about."""
    faults: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("blob", "data", "file") and url.netloc not in self.hosts:
            self.faults.append(f"request to another origin: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning") or any(part in message.text for part in self.expected):
            return
        if "closed before the connection is established" in message.text:
            return  # a page that is left while its socket connects
        if "/thumbnail" in message.location["url"]:
            return  # a photo that cannot be read has none, and the page cannot know before it asks
        self.faults.append(f"console: {message.text} {message.location['url']}")


@contextmanager
def watched(browser: Browser, url: str, *expected: str, api: str = "", **options: Any) -> Iterator[Page]:
    """A page of a context of its own; whoever leaves it learns of errors and of requests to other origins.

    `api`: another origin that it may use.
    """
    options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(WAIT_MS)
    watch = Watch((urlsplit(url).netloc, urlsplit(api).netloc), expected)
    watch.attach(context)
    page = context.new_page()
    yield page
    context.close()
    assert not watch.faults, "\n".join(watch.faults)


AXE_RUN = "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands, in light and in dark."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci --prefix frontend")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SETTLED, scheme)
        results = page.evaluate(AXE_RUN, list(AXE_TAGS))
        if results["violations"]:  # on a busy machine colours may still be on their way from light to dark
            page.wait_for_timeout(500)
            results = page.evaluate(AXE_RUN, list(AXE_TAGS))
        found += [
            f"{scheme}: {rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in results["violations"]
            for node in rule["nodes"]
        ]
    page.emulate_media(color_scheme="light")
    return found


def upload(name: str, data: bytes | Path) -> dict[str, Any]:
    """A file for `set_input_files`, under a name of its own."""
    content = data.read_bytes() if isinstance(data, Path) else data
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}
