"""Network shares are told from disks."""

from pathlib import Path

import pytest

from photo_processor.queue.mounts import network_share

MOUNTS = """/dev/vda / ext4 rw 0 0
nas:/photos /mnt/nas nfs4 rw 0 0
//nas/office /mnt/the\\040office cifs rw 0 0
/dev/sdb /mnt/nas/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/photos", None),
        ("/mnt/nas/photos", "nfs4"),
        ("/mnt/the office/photos", "cifs"),
        ("/mnt/nas/local/photos", None),
        ("/mnt/nasty", None),
    ],
)
def test_network_share_is_known_by_its_mount(tmp_path: Path, folder: str, kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_share(Path(folder), mounts) == kind
    assert network_share(Path(folder), tmp_path / "none") is None
