"""Blobs on disk."""

import errno
import hashlib
import time
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.schemas import Blob
from photo_processor.storage.local import Shelf, Storage, digest_of, translated
from queue_manager import new_id


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path / "data")
    storage.prepare()
    return storage


def test_put_stores_under_the_digest_and_leaves_no_part(storage: Storage) -> None:
    digest = storage.put(b"picture", "job", "result")
    path = storage.path("job", "result", digest)
    assert digest == hashlib.sha256(b"picture").hexdigest() == digest_of(path)
    assert [entry.name for entry in path.parent.iterdir()] == [digest]


def test_prepare_sweeps_what_was_left_half_written(storage: Storage) -> None:
    digest = storage.put(b"picture", "job", "result")
    part = storage.path("job", "result", f"{1:016x}.part")
    part.write_bytes(b"half")
    storage.incoming().write_bytes(b"half")
    storage.prepare()
    assert not part.exists()
    assert list((storage.root / "incoming").iterdir()) == []
    assert storage.path("job", "result", digest).exists()


def test_job_folders_and_their_bytes_are_counted(storage: Storage) -> None:
    first, second = new_id(), new_id()
    storage.put(b"four", first, "result")
    storage.put(b"seven77", first, "source")
    storage.put(b"b", second, "result")
    assert storage.job_folders(time.time() + 1) == {first, second}
    assert storage.job_folders(time.time() - 60) == frozenset()
    assert storage.job_bytes(first) == 11


def test_delete_job_leaves_nothing_and_may_be_repeated(storage: Storage) -> None:
    storage.put(b"a", "job", "result")
    storage.delete_job("job")
    storage.delete_job("job")
    assert list((storage.root / "jobs").iterdir()) == []
    assert list((storage.root / "trash").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.ENOSPC, errors.StorageFull), (errno.EIO, errors.StorageUnavailable)]
)
def test_operating_system_errors_become_ours(number: int, expected: type[errors.PhotoError]) -> None:
    with pytest.raises(expected) as caught, translated():
        raise OSError(number, "secret path")
    assert "secret" not in caught.value.detail


def test_discarded_blob_is_gone_and_a_held_one_waits(storage: Storage) -> None:
    gone, held = Blob("result", storage.put(b"a", "job", "result")), Blob("result", storage.put(b"b", "job", "result"))
    storage.hold("job", [held])
    storage.hold("job", [held])
    storage.discard("job", [gone, held, Blob("mask", "never there")])
    assert not storage.path("job", *gone).exists()
    assert storage.release("job", [held]) == []
    assert storage.path("job", *held).exists()
    assert storage.release("job", [held]) == [held], "whoever releases it last looks again"
    storage.discard("job", [held])
    assert not storage.path("job", *held).exists()


def test_open_file_is_read_to_its_end_though_it_is_discarded(storage: Storage) -> None:
    blob = Blob("result", storage.put(b"picture", "job", "result"))
    with storage.path("job", *blob).open("rb") as file:
        storage.discard("job", [blob])
        assert file.read() == b"picture"


def test_shelf_holds_what_is_put_there_until_it_is_closed(storage: Storage) -> None:
    with Shelf(storage, "job") as shelf:
        blob = Blob("result", shelf.put(b"new", "result"))
        storage.discard("job", [blob])
        assert storage.path("job", *blob).read_bytes() == b"new"
        assert shelf.close() == [blob]
        with pytest.raises(errors.Cancelled):
            shelf.put(b"too late", "result")
    assert [path.name for path in storage.path("job", "result", "").iterdir()] == [blob.name]


def test_blobs_are_listed_with_their_bytes_and_without_parts(storage: Storage) -> None:
    digest = storage.put(b"four", "job", "mask")
    storage.put_as(b"[]", "job", "urls", "list")
    storage.path("job", "mask", f"{1:016x}.part").write_bytes(b"half")
    assert storage.blobs("job", time.time() + 1) == [(Blob("mask", digest), 4)]
    assert storage.blobs("job", time.time() - 60) == []
