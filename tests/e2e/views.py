"""The three front ends as one: the page, the custom element and the React component, each on a real server."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser import watched
from tests.server import ROOT, Server
from tests.support.frontend import building
from tests.support.programs import needed

FRONTEND = ROOT / "frontend"
EMBEDDED = Path(__file__).parent / "embedded"
NAMES = ("page", "element", "component")
IN_HOSTILE_PAGE = ("page", "element hostile", "component hostile")
"""The embedded ones in a page whose resets reach every element (`embedded/hostile.css`)."""
VITE = """
import { fileURLToPath } from 'node:url';
const modules = %(modules)s;
const dist = %(dist)s;
export default {
  root: %(root)s, logLevel: 'warn', cacheDir: %(root)s + '/.cache',
  resolve: { alias: [
    { find: 'photo-processor/styles.css', replacement: dist + '/styles.css' },
    { find: 'photo-processor/element', replacement: dist + '/element.js' },
    { find: /^photo-processor$/, replacement: dist + '/index.js' },
    { find: /^react-dom\\/client$/, replacement: modules + '/react-dom/client.js' },
    { find: /^react\\/jsx-runtime$/, replacement: modules + '/react/jsx-runtime.js' },
    { find: /^react-dom$/, replacement: modules + '/react-dom/index.js' },
    { find: /^react$/, replacement: modules + '/react/index.js' },
  ] },
};
"""


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built page that embeds the package, as a shop would have it."""
    needed("npm")
    if not (FRONTEND / "node_modules").exists():
        pytest.skip("the package's tools are not installed: npm ci --prefix frontend")
    root = tmp_path_factory.mktemp("embedding")
    shutil.copytree(EMBEDDED, root, dirs_exist_ok=True)
    paths = {"modules": FRONTEND / "node_modules", "dist": FRONTEND / "dist", "root": root}
    text = VITE % {name: json.dumps(str(path)) for name, path in paths.items()}
    (root / "vite.config.mjs").write_text(text, encoding="utf-8")
    with building(tmp_path_factory):
        run("npm", "run", "build", cwd=FRONTEND)
        run("npx", "vite", "build", "--config", str(root / "vite.config.mjs"), cwd=FRONTEND)
    return root / "dist"


@dataclass
class View:
    """One front end in one tab."""

    name: str
    page: Page
    server: Server
    url: str

    @property
    def is_page(self) -> bool:
        return self.name == "page"

    def go(self, job: str = "") -> None:
        self.page.goto(f"{self.url}#{f'/jobs/{job}' if self.is_page else job}" if job else self.url)
        if not job:
            expect(self.of("#preset-cutout", '[data-pp-part="preset"] input >> nth=0')).to_be_checked()

    def of(self, page: str, embedded: str) -> Locator:
        return self.page.locator(page if self.is_page else embedded)

    def unfold(self) -> None:
        """The options are always there on the page; an embedded view has them folded, and nothing of them before."""
        if self.is_page:
            return
        asked: list[str] = []
        self.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        self.page.locator('[data-pp-part="options-title"]').click()
        expect(self.section("outputs")).to_be_visible()
        assert {"operations", "models"} <= set(asked)

    def section(self, name: str) -> Locator:
        return self.page.locator(f'[data-section="{name}"]')

    def choose(self, *files: Any) -> str:
        """The id of the job that the files became."""
        self.of("#input-files", '[data-pp-part="root"] > input[type=file]').set_input_files(list(files))
        self.page.wait_for_function("() => /[0-9a-f]{32}/.test(location.hash)")
        return self.job

    @property
    def job(self) -> str:
        return str(self.page.evaluate("() => /[0-9a-f]{32}/.exec(location.hash)[0]"))

    @property
    def cards(self) -> Locator:
        return self.of(".card", '[data-pp-part="file"]')

    def with_status(self, status: str) -> Locator:
        return self.of(f'.card[data-status="{status}"]', f'[data-pp-part="file"][data-pp-status="{status}"]')

    @property
    def stage(self) -> Locator:
        return self.of("#job-stage", '[data-pp-part="stage"]')

    def expect_done(self, count: int, text: str = "Done") -> None:
        expect(self.with_status("completed")).to_have_count(count)
        expect(self.stage).to_have_text(text)

    @property
    def zip(self) -> Locator:
        return self.of("#download-zip", '[data-pp-part="zip"]')

    def open_photo(self, index: int = 0) -> Locator:
        """Opens a photo; returns its slider."""
        self.cards.nth(index).locator('.thumb, [data-pp-part="thumb"]').click()
        slider = self.of("#stage input[type=range]", '[data-pp-part="slider"]')
        expect(self.of('#stage[data-mode="slider"]', '[data-pp-mode="slider"]')).to_be_visible()
        return slider

    def open_named(self, name: str) -> Locator:
        """Opens a photo by its name; returns the dialog, once it has all its buttons."""
        with self.page.expect_response(re.compile(r"/files/[0-9a-f]+$")):
            self.cards.filter(has_text=name).locator('.thumb, [data-pp-part="thumb"]').click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Do again with")).to_be_visible()
        self.page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        return dialog


Opener = Callable[..., Any]


@pytest.fixture
def opened(
    browser: Browser, start_server: Callable[..., Server], site: tuple[Path, str], request: pytest.FixtureRequest
) -> Opener:
    """Opens a front end in a browser context of its own, on one server for the test ("component hostile": above)."""
    folder, origin = site
    servers: list[Server] = []

    @contextmanager
    def open_view(
        name: str,
        *expected: str,
        given: dict[str, str] | None = None,
        settings: dict[str, Any] | None = None,
        **options: Any,
    ) -> Iterator[View]:
        if not servers:
            servers.append(start_server(allowed_origins=json.dumps([origin]), **(settings or {})))
        server = servers[0]
        name, _, host = name.partition(" ")
        if name == "page":
            with watched(browser, server.url, *expected, **options) as page:
                yield View(name, page, server, f"{server.url}/")
            return
        shutil.copytree(request.getfixturevalue("embedding"), folder, dirs_exist_ok=True)
        query = urlencode({"view": name, "host": host, "endpoint": server.url, **(given or {})})
        with watched(browser, origin, *expected, api=server.url, **options) as page:
            yield View(name, page, server, f"{origin}/?{query}")

    return open_view
