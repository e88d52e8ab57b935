"""Blobs on disk."""

import errno
import hashlib
import time
from pathlib import Path

import pytest

import errors
from storage import Storage, digest_of, translated


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
    part = storage.path("job", "result", "x.part")
    part.write_bytes(b"half")
    storage.incoming().write_bytes(b"half")
    storage.prepare()
    assert not part.exists()
    assert list((storage.root / "incoming").iterdir()) == []
    assert storage.path("job", "result", digest).exists()


def test_job_folders_and_their_bytes_are_counted(storage: Storage) -> None:
    storage.put(b"four", "a", "result")
    storage.put(b"seven77", "a", "source")
    storage.put(b"b", "b", "result")
    assert storage.job_folders(time.time() + 1) == {"a", "b"}
    assert storage.job_folders(time.time() - 60) == frozenset()
    assert storage.job_bytes("a") == 11


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
