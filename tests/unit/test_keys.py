"""Keys at rest, and how they are told apart."""

import json
from pathlib import Path

import pytest

from photo_processor import errors
from photo_processor.server import keys
from photo_processor.server.keys import KeyRing, includes


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "data" / "keys.json")


def test_key_is_found_by_its_whole_text_alone(ring: KeyRing) -> None:
    key = ring.create("office", "submit")
    found = ring.find(key)
    assert found is not None
    assert (found.name, found.scope) == ("office", "submit")
    for other in (key[:-1], key + "a", key.upper(), key.replace("pp_", "pq_"), "", "pp__", "a" * 100_000, "\udcff_é_x"):
        assert ring.find(other) is None


def test_file_holds_no_key_and_is_its_owners_alone(ring: KeyRing, tmp_path: Path) -> None:
    key = ring.create("office", "read")
    path = tmp_path / "data" / "keys.json"
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert key not in text
    assert key.split("_", 2)[2] not in text
    assert json.loads(text)[0]["name"] == "office"
    assert list(path.parent.iterdir()) == [path]


def test_revoked_key_is_gone_for_a_ring_that_runs_already(
    ring: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH", 0.0)
    running = KeyRing(tmp_path / "data" / "keys.json")
    key = ring.create("office", "admin")
    row = running.find(key)
    assert row is not None
    assert ring.revoke(row.id)
    assert not ring.revoke(row.id)
    assert running.find(key) is None


def test_local_key_is_no_row_and_good_for_its_own_process(ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    ring.create_local(path)
    assert path.stat().st_mode & 0o777 == 0o600
    found = ring.find(path.read_text())
    assert found is not None
    assert found.scope == "admin"
    assert ring.rows() == ()
    assert KeyRing(tmp_path / "data" / "keys.json").find(path.read_text()) is None


def test_damaged_file_lets_nobody_in(ring: KeyRing, tmp_path: Path) -> None:
    ring.create("office", "admin")
    (tmp_path / "data" / "keys.json").write_text("[{]")
    with pytest.raises(errors.KeysUnreadable):
        KeyRing(tmp_path / "data" / "keys.json").rows()


def test_scopes_include_those_before_them() -> None:
    assert includes("admin", "read")
    assert includes("submit", "submit")
    assert not includes("read", "submit")
    assert not includes("submit", "admin")
