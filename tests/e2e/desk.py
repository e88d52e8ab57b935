"""What tests of the page do as a person does it."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.browser import upload
from tests.server import Server

JOB = re.compile(r"#/jobs/([^/]+)$")
OPENED = re.compile(r"#/jobs/[^/]+/[^/]+$")
NASTY = "<img src=x onerror=alert(1)>.jpg"


def choose(page: Page, *files: dict[str, object] | Path, button: str = "#choose-files") -> str:
    """Choose files as a person does; returns the id of the job that they became."""
    with page.expect_file_chooser() as chooser:
        page.locator(button).click()
    chooser.value.set_files(list(files))
    expect(page).to_have_url(JOB)
    return job_id(page)


def job_id(page: Page) -> str:
    found = JOB.search(page.url)
    assert found is not None
    return found.group(1)


def twelve(photos: dict[str, Path]) -> list[dict[str, object]]:
    """Twelve photos that were never seen before: the same photo twice, or a known one, is done in no time."""
    return [upload(f"{name}-{turn}.jpg", unseen(path)) for turn in range(4) for name, path in photos.items()]


def unseen(path: Path) -> bytes:
    """The photo with a faint grain that no other copy has."""
    pixels = np.asarray(Image.open(path)).astype(np.int16)
    grain = np.random.default_rng().integers(-3, 4, pixels.shape, np.int16)
    data = io.BytesIO()
    Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(data, "JPEG", quality=92)
    return data.getvalue()


def expect_done(page: Page, count: int) -> None:
    expect(page.locator('.card[data-status="completed"]')).to_have_count(count)
    expect(page.locator("#job-stage")).to_have_text("Done")
    expect(page.locator("#job-left")).to_be_empty()


def saved_zip(page: Page, folder: Path) -> zipfile.ZipFile:
    """The ZIP as the browser saved it."""
    with page.expect_download() as download:
        page.locator("#download-zip").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    archive = zipfile.ZipFile(path)
    assert archive.testzip() is None
    return archive


def opaque_in_the_middle(server: Server, job: str) -> int:
    """Opaque px in the middle row of the job's only result."""
    (file,) = server.files(job)
    result = server.get(f"/api/jobs/{job}/files/{file['id']}/result").content
    alpha = np.asarray(Image.open(io.BytesIO(result)).convert("RGBA"))[..., 3]
    return int((alpha[alpha.shape[0] // 2] > 127).sum())
