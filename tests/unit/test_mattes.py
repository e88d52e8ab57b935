"""Mattes on the disk."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from photo_processor.imaging.edges import decontaminated
from photo_processor.imaging.pictures import Pixels
from photo_processor.models.inference.mattes import MatteCache, matte_key
from photo_processor.models.inference.types import Cutout, Matte
from photo_processor.schemas import Engine

ENGINE = Engine(model="isnet-general-use", runtime="openvino", quality="best")


def matte(seed: int = 0, side: int = 64) -> Matte:
    return Matte(np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8), ENGINE)


def test_matte_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = MatteCache(tmp_path / "mattes", 10**6)
    assert cache.get("a") is None
    cache.put("a", matte())
    kept = cache.get("a")
    assert kept is not None
    assert np.array_equal(kept.alpha, matte().alpha)
    assert kept.engine == ENGINE
    assert (cache.hits, cache.misses) == (1, 1)
    assert MatteCache(tmp_path / "mattes", 10**6).get("a") is not None


def test_key_depends_on_pixels_shape_and_model() -> None:
    photo = data.coffee()
    other = photo.copy()
    other[200, 300, 1] ^= 1
    keys = {
        matte_key(photo, "a"),
        matte_key(photo, "b"),
        matte_key(other, "a"),
        matte_key(photo.reshape(600, 400, 3), "a"),
        matte_key(np.ascontiguousarray(photo[::-1]), "a"),
    }
    assert len(keys) == 5
    assert matte_key(photo[:, ::-1], "a") == matte_key(np.ascontiguousarray(photo[:, ::-1]), "a")


def test_limit_evicts_the_least_recently_used(tmp_path: Path) -> None:
    cache = MatteCache(tmp_path, 50_000)
    for number in range(9):
        cache.put(f"{number}", matte(number))
        os.utime(tmp_path / f"{number}.matte", (number, number))
    assert cache.get("0") is not None
    for number in range(9, 16):
        cache.put(f"{number}", matte(number))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 50_000
    assert cache.get("0") is not None
    assert cache.get("1") is None
    assert cache.get("15") is not None


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00\n\x01", ENGINE.model_dump_json().encode() + b"\nno picture"])
def test_damaged_file_is_a_miss_and_is_replaced(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.matte").write_bytes(content)
    cache = MatteCache(tmp_path, 10**6)
    assert cache.get("a") is None
    cache.put("a", matte())
    assert cache.get("a") is not None


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = MatteCache(tmp_path / "file", 10**6)
    cache.put("a", matte())
    assert cache.get("a") is None


def test_half_written_files_of_a_crash_are_cleared_away(tmp_path: Path) -> None:
    old, new = tmp_path / "a.1234.part", tmp_path / "b.1234.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    MatteCache(tmp_path, 10**6).put("a", matte())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.matte", "b.1234.part"]


def cutout() -> tuple[Pixels, Cutout]:
    """A photo, and a cutout of it that has a soft edge."""
    photo = data.coffee()
    alpha = np.zeros(photo.shape[:2], np.uint8)
    alpha[40:200, 180:420] = 255
    alpha[:, 420:422] = 128
    return photo, Cutout(alpha, decontaminated(photo, alpha))


def test_cutout_comes_back_as_it_was_for_its_way_alone(tmp_path: Path) -> None:
    photo, made = cutout()
    assert not np.array_equal(made.pixels, photo)
    kept = MatteCache(tmp_path, 10**7).cutouts("a")
    kept.put("refined", photo, made)
    again = MatteCache(tmp_path, 10**7).cutouts("a").get("refined", photo)
    assert again is not None
    assert np.array_equal(again.alpha, made.alpha)
    assert np.array_equal(again.pixels, made.pixels)
    assert kept.get("plain", photo) is None
    assert MatteCache(tmp_path, 10**7).cutouts("b").get("refined", photo) is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_cutout_comes_back_whether_none_or_all_of_it_is_soft(level: int, tmp_path: Path) -> None:
    photo, _ = cutout()
    alpha = np.full(photo.shape[:2], level, np.uint8)
    alpha[::7, ::5] = 200 if level == 128 else level
    made = Cutout(alpha, decontaminated(photo, alpha))
    assert (level != 128) == np.array_equal(made.pixels, photo)
    kept = MatteCache(tmp_path, 10**7).cutouts("a")
    kept.put("refined", photo, made)
    again = kept.get("refined", photo)
    assert again is not None
    assert np.array_equal(again.alpha, made.alpha)
    assert np.array_equal(again.pixels, made.pixels)


def test_cutout_that_takes_nearly_as_much_as_its_photo_is_not_kept(tmp_path: Path) -> None:
    photo, _ = cutout()
    noise = np.random.default_rng(0).integers(0, 256, photo.shape, np.uint8)
    made = Cutout(np.full(photo.shape[:2], 128, np.uint8), noise)
    kept = MatteCache(tmp_path, 10**7).cutouts("a")
    kept.put("refined", photo, made)
    assert kept.get("refined", photo) is None


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda data: data[:40] + b"x" * 40])
def test_damaged_cutout_is_none(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    photo, made = cutout()
    kept = MatteCache(tmp_path, 10**7).cutouts("a")
    kept.put("refined", photo, made)
    [path] = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert kept.get("refined", photo) is None


def test_cutout_of_a_photo_of_another_size_is_none(tmp_path: Path) -> None:
    photo, made = cutout()
    kept = MatteCache(tmp_path, 10**7).cutouts("a")
    kept.put("refined", photo, made)
    assert kept.get("refined", photo[:-1]) is None


def test_many_threads_share_it(tmp_path: Path) -> None:
    cache = MatteCache(tmp_path, 60_000)
    wrong: list[int] = []

    def work(thread: int) -> None:
        for number in range(30):
            seed = (number * 7 + thread) % 20
            cache.put(f"{seed}", matte(seed))
            kept = cache.get(f"{seed}")
            if kept is not None and not np.array_equal(kept.alpha, matte(seed).alpha):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert cache.hits + cache.misses == 120
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 60_000
