"""Which file system a path is on, for some tell less than others of what happens there."""

import re
from pathlib import Path
from typing import Final

NETWORK: Final = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs",
    "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "pvfs2", "smb3", "smbfs", "wekafs",
})  # fmt: skip
"""File systems without locks or events that can be relied on, and with attributes from a cache."""


def file_system_of(path: Path) -> str:
    """Return the type of the file system that a path is on; empty where nobody can tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines.splitlines():
        left, _, right = line.partition(" - ")
        mounted = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), left.split()[4])
        if path.is_relative_to(mounted) and len(mounted) >= len(best):
            best, kind = mounted, right.split()[0]
    return kind
