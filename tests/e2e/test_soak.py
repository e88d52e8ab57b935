"""The short form of `make soak`'s main part."""

from pathlib import Path

import pytest

from tests.soak import mixed

pytestmark = pytest.mark.quality


def test_mixed_clients_and_kills_leave_exact_accounts(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    broken = mixed.run(tmp_path, seconds=30, kill_every=(4.0, 7.0))
    assert broken == [], "\n".join(broken)
