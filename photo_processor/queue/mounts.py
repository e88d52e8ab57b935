"""What file system a folder is on: SQLite's locks do not hold on network shares."""

from pathlib import Path

NETWORK = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "fuse.davfs2", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs"}
    | {"fuse.glusterfs", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
MOUNTS = Path("/proc/mounts")


def network_share(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system that `folder` is on; None for a disk of this machine, or where nobody says."""
    try:
        rows = [line.split(" ") for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return None
    path, best, kind = folder.resolve(), -1, ""
    for row in rows:
        point = Path(row[1].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) > best:
            best, kind = len(point.parts), row[2]
    return kind if kind in NETWORK else None
