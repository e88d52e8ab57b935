"""The npm package as others use it: packed, installed into an empty app, built, and run against a real server."""

import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import launched, upload, violations, watched
from tests.server import ROOT, Server
from tests.support.programs import needed

pytestmark = pytest.mark.serial  # it writes `frontend/dist` again and again, from which other tests build
FRONTEND = ROOT / "frontend"
EXAMPLES = FRONTEND / "examples"


def npm(*arguments: str, cwd: Path, **environment: str) -> str:
    """Run npm; returns what it wrote."""
    run = subprocess.run(
        ["npm", *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as `npm pack` makes it, which builds it first."""
    needed("npm")
    if not (FRONTEND / "node_modules").exists():
        pytest.skip("the package's tools are not installed: npm ci --prefix frontend")
    folder = tmp_path_factory.mktemp("pack")
    npm("pack", "--pack-destination", str(folder), cwd=FRONTEND)
    (packed,) = folder.glob("*.tgz")
    return packed


@pytest.fixture(scope="module")
def browser(model_folder: Path, package: Path) -> Iterator[Browser]:
    with launched() as browser:
        yield browser


def process(page: Page, photos: dict[str, Path]) -> None:
    """A good photo and a bad one, in the component or in the element: both have the same parts."""
    expect(page.locator('[data-pp-part="preset"]')).to_have_count(2)
    assert violations(page) == [], "empty"
    page.locator('[data-pp-part="root"] input[type=file]').set_input_files(
        [upload("cup.jpg", photos["coffee"]), upload("letter.jpg", b"This is no picture. " * 9)]  # type: ignore[list-item]
    )
    done = page.locator('[data-pp-part="file"][data-pp-status="completed"]')
    failed = page.locator('[data-pp-part="file"][data-pp-status="failed"]')
    expect(done).to_have_count(1)
    expect(failed).to_have_count(1)
    expect(page.locator("#last")).to_have_text("Finished: 1 of 2")
    expect(page.locator('[data-pp-part="stage"]')).to_have_text("Done")
    expect(failed.locator('[data-pp-part="reason"]')).not_to_be_empty()
    expect(failed.get_by_role("button", name="Retry letter.jpg")).to_have_count(0)
    expect(done.locator("img")).to_be_visible()
    with page.expect_download() as download:
        done.get_by_role("link", name="Download cup.jpg").click()
    assert download.value.suggested_filename == "cup.png"
    with page.expect_download() as archive:
        page.locator('[data-pp-part="zip"]').click()
    assert archive.value.suggested_filename.endswith(".zip")
    assert violations(page) == [], "done"
    page.get_by_role("button", name="New photos").click()
    expect(page.locator('[data-pp-part="file"]')).to_have_count(0)


@pytest.mark.parametrize("react", ["18", "19"])
def test_packed_package_works_in_an_empty_vite_app(
    browser: Browser,
    start_server: Callable[..., Server],
    package: Path,
    site: tuple[Path, str],
    photos: dict[str, Path],
    tmp_path: Path,
    react: str,
) -> None:
    folder, origin = site
    server = start_server(allowed_origins=json.dumps([origin]))
    app = tmp_path / "app"
    shutil.copytree(EXAMPLES / "vite", app, ignore=shutil.ignore_patterns("node_modules", "dist"))
    reacts = [f"react@{react}", f"react-dom@{react}"]
    npm("install", "--prefer-offline", "--no-package-lock", *reacts, str(package), cwd=app)
    npm("run", "build", cwd=app, VITE_PHOTO_URL=server.url)
    shutil.copytree(app / "dist", folder, dirs_exist_ok=True)
    with watched(browser, origin, api=server.url) as page:
        page.goto("/")
        process(page, photos)


def test_element_works_in_plain_html_and_remove_background_gives_a_blob(
    browser: Browser,
    start_server: Callable[..., Server],
    package: Path,
    site: tuple[Path, str],
    photos: dict[str, Path],
) -> None:
    folder, origin = site
    server = start_server(allowed_origins=json.dumps([origin]))
    html = (EXAMPLES / "html" / "index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(html.replace("http://127.0.0.1:5000", server.url), encoding="utf-8")
    shutil.copytree(FRONTEND / "dist", folder / "photo-processor")
    shutil.copy(photos["astronaut"], folder / "photo.jpg")
    with watched(browser, origin, "status of 415", "status of 422", api=server.url) as page:
        page.goto("/")
        process(page, photos)
        made = page.evaluate(
            """async (endpoint) => {
              const { removeBackground } = await import('/photo-processor/core.js');
              const photo = await (await fetch('/photo.jpg')).blob();
              const cutout = await removeBackground(photo, { endpoint, format: 'webp' });
              const { width, height } = await createImageBitmap(cutout);
              const refused = await removeBackground(new Blob(['no picture'.repeat(99)]), { endpoint })
                .then(() => '', (error) => `${error.name} ${error.code}`);
              return [cutout.type, width, height, refused];
            }""",
            server.url,
        )
    assert made == ["image/webp", 512, 512, "ProblemError unsupported_format"]


AT_ONCE = re.compile(r"""\b(?:from|import)\s*["'`]\./([\w.-]+\.js)["'`]""")
EVER = re.compile(r"""\b(?:from|import)\s*\(?\s*["'`]\./([\w.-]+\.js)["'`]""")


def loads(entry: str, imports: re.Pattern[str] = EVER) -> set[str]:
    """The entry, with what it imports, at once or ever, and what that imports."""
    found, waiting = {f"{entry}.js"}, [f"{entry}.js"]
    while waiting:
        text = (FRONTEND / "dist" / waiting.pop()).read_text(encoding="utf-8")
        new = set(imports.findall(text)) - found
        found |= new
        waiting += new
    return found


def gzipped(names: set[str]) -> int:
    return sum(len(gzip.compress((FRONTEND / "dist" / name).read_bytes(), 9)) for name in names)


@pytest.mark.parametrize("entry", ["index", "element", "headless", "core"])
def test_package_is_small_whichever_entry_is_used(package: Path, entry: str) -> None:
    first, ever = loads(entry, AT_ONCE), loads(entry)
    assert {name.partition("-")[0] for name in ever - first} == {"later"}
    assert gzipped(first) <= 15_300
    assert gzipped(ever) <= 36_000


def test_every_chunk_belongs_to_an_entry(package: Path) -> None:
    """What no entry loads would be counted by nobody."""
    entries = ("index", "element", "headless", "core")
    assert set().union(*(loads(entry) for entry in entries)) == {path.name for path in (FRONTEND / "dist").glob("*.js")}


def test_package_is_sound(package: Path) -> None:
    npm("test", cwd=FRONTEND)
    npm("run", "check", cwd=FRONTEND)
    npm("run", "lint:package", cwd=FRONTEND)
