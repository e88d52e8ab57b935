"""The folder of uploaded pictures."""

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photo_processor import errors
from photo_processor.recipes.assets import DAY, Assets
from photo_processor.storage.received import Received
from tests.unit.test_drawings import UNSAFE, svg


def received(folder: Path, colour: str) -> Received:
    path = folder / f"{colour}.part"
    Image.new("RGB", (20, 10), colour).save(path, "PNG")
    content = path.read_bytes()
    return Received("a.png", path, len(content), content[:64], hashlib.sha256(content).hexdigest())


def test_kept_picture_is_found_and_decoded(tmp_path: Path) -> None:
    assets = Assets(tmp_path / "assets", 100.0)
    asset = assets.keep(received(tmp_path, "red"))
    assert (asset.width, asset.height, asset.media_type) == (20, 10, "image/png")
    assert np.array_equal(assets.load(asset.id).pixels[0, 0], (255, 0, 0))
    assert assets.load(asset.id) is assets.load(asset.id)
    assert np.array_equal(Assets(tmp_path / "assets", 100.0).load(asset.id).pixels[0, 0], (255, 0, 0))


def test_unknown_picture_is_an_error_of_ours(tmp_path: Path) -> None:
    for call in (Assets(tmp_path, 100.0).load, lambda name: Assets(tmp_path, 100.0).use(frozenset({name}))):
        with pytest.raises(errors.AssetNotFound):
            call("f" * 64)


def test_picture_goes_when_nobody_used_it(tmp_path: Path) -> None:
    assets = Assets(tmp_path / "assets", 100.0)
    assert assets.stale(1.0) == []
    old, used = assets.keep(received(tmp_path, "red")), assets.keep(received(tmp_path, "blue"))
    past = time.time() - 2 * DAY
    for asset in (old, used):
        os.utime(tmp_path / "assets" / asset.id, (past, past))
    assert assets.stale(1.0) == [], "the clock was set, it may be"
    assets = Assets(tmp_path / "assets", 100.0)
    assert [name for name, _ in assets.stale(1.0)] == sorted({old.id, used.id})
    assets.use(frozenset({used.id}))
    assert [assets.delete_stale(asset.id, 1.0) for asset in (old, used)] == [True, False]
    assert [path.name for path in (tmp_path / "assets").iterdir()] == [used.id]


def test_too_many_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.TooManyPixels):
        Assets(tmp_path / "assets", 0.0001).keep(received(tmp_path, "red"))
    assert not (tmp_path / "assets").exists()


def drawing(folder: Path, text: str) -> Received:
    path = folder / "drawing.part"
    path.write_text(text)
    content = path.read_bytes()
    return Received("a.svg", path, len(content), content[:64], hashlib.sha256(content).hexdigest())


def test_drawing_is_taken_where_drawings_are_and_refused_elsewhere(tmp_path: Path) -> None:
    mark = svg('<circle cx="8" cy="8" r="8"/>', 'width="16" height="16"')
    with pytest.raises(errors.UnsupportedFormat):
        Assets(tmp_path / "assets", 100.0).keep(drawing(tmp_path, mark))
    asset = Assets(tmp_path / "assets", 100.0, svg=True).keep(drawing(tmp_path, mark))
    assert (asset.width, asset.height, asset.media_type) == (1024, 1024, "image/svg+xml")


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_drawing_is_kept_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.UnsafeDrawing):
        Assets(tmp_path / "assets", 100.0, svg=True).keep(drawing(tmp_path, UNSAFE[name]))
    assert not (tmp_path / "assets").exists()


def test_drawing_is_drawn_in_few_sizes_each_once(tmp_path: Path) -> None:
    assets = Assets(tmp_path / "assets", 100.0, svg=True)
    name = assets.keep(drawing(tmp_path, svg("<rect width='20' height='10'/>", 'width="20" height="10"'))).id
    wanted = {(0, 0): 1024, (900, 0): 1024, (1025, 0): 2048, (0, 600): 2048, (2100, 100): 4096, (90_000, 9): 4096}
    for least, width in wanted.items():
        picture = assets.load(name, least)
        assert (picture.width, picture.height) == (width, width // 2)
        assert assets.load(name, least) is picture
    small = Assets(tmp_path / "assets", 3.0, svg=True).load(name, (9000, 9000))
    assert (small.width, small.height) == (2048, 1024), "as large as the limit lets it be"


def test_drawing_is_sharp_in_the_size_that_it_is_wanted(tmp_path: Path) -> None:
    """An edge goes from full to nothing within a px or two, where a small picture enlarged is soft."""
    assets = Assets(tmp_path / "assets", 100.0, svg=True)
    name = assets.keep(drawing(tmp_path, svg("<rect width='7' height='14'/>", 'width="14" height="14"'))).id
    alpha = assets.load(name, (4000, 0)).alpha
    assert alpha is not None
    row = alpha[2048].astype(int)
    assert int(((row > 10) & (row < 245)).sum()) <= 1
    assert (row[:2040].min(), row[2056:].max()) == (255, 0)
