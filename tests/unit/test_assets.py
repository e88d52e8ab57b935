"""The folder of uploaded pictures."""

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import errors
from ingest.assets import DAY, Assets
from ingest.uploads import Received


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
    assert assets.sweep(1.0) == 0
    old, used = assets.keep(received(tmp_path, "red")), assets.keep(received(tmp_path, "blue"))
    past = time.time() - 2 * DAY
    for asset in (old, used):
        os.utime(tmp_path / "assets" / asset.id, (past, past))
    assets.use(frozenset({used.id}))
    assert assets.sweep(1.0) == 1
    assert [path.name for path in (tmp_path / "assets").iterdir()] == [used.id]


def test_too_many_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.TooManyPixels):
        Assets(tmp_path / "assets", 0.0001).keep(received(tmp_path, "red"))
    assert not (tmp_path / "assets").exists()
