"""On which kind of file system a file is, and whether other machines may have it too."""

import os
import re
from pathlib import Path

from atode.errors import BrokerRefused

MOUNTS = Path("/proc/self/mounts")

# Served by another machine: neither the locks nor the shared memory, in which SQLite's processes
# agree on the log, hold between two of them.
_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "9p", "afs", "coda", "davfs"}
    | {"ceph", "glusterfs", "lustre", "beegfs", "gpfs", "orangefs", "pvfs2", "fuse.ceph-fuse"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.goofys"}
    | {"fuse.mount-s3", "fuse.juicefs", "fuse.mfs", "fuse.davfs2", "fuse.curlftpfs", "fuse.cifs"}
    | {"fuse.smbnetfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.seaweedfs", "fuse.vmhgfs-fuse"}
)

# A folder of a virtual machine's host: safe while only this machine uses it.
_OF_HOST = frozenset({"virtiofs", "vboxsf", "prl_fs"})

_ESCAPE = re.compile(r"\\([0-7]{3})")


def refuse_network(path: str) -> None:
    """Let pass a file on a local disk, and one of which nobody can tell.

    Raises:
        BrokerRefused: it is on a network file system.
    """
    kind, is_remote = kind_of(path)
    if is_remote:
        raise BrokerRefused(
            f"{path} is on a network file system ({kind}), on which several machines damage an "
            "SQLite file: put it on a local disk, or use Redis or PostgreSQL. If only this "
            "machine ever opens it, add ?network=allow to the URL"
        )


def kind_of(path: str) -> tuple[str, bool]:
    """The kind of file system, in the system's words, and whether it is remote; empty and False
    where that cannot be found out."""
    try:
        mounts = MOUNTS.read_text("utf-8", "surrogateescape")
        kind, source = file_system(os.path.realpath(path), mounts)
    except OSError:
        return "", False
    # gVisor serves the local disk of a container so, to its own kernel only.
    return kind, kind in _REMOTE and (kind, source) != ("9p", "none")


def may_be_shared(path: str) -> str:
    """The kind of file system, if other machines may have the same folder; else empty."""
    kind, is_remote = kind_of(path)
    return kind if is_remote or kind in _OF_HOST else ""


def file_system(path: str, mounts: str) -> tuple[str, str]:
    """The kind and the source of what is mounted there, as /proc/mounts tells; empty if nothing."""
    rows = [line.split(" ") for line in mounts.splitlines()]
    found = [
        (len(row[1]), row[2], row[0])
        for row in rows
        if len(row) > 2 and Path(path).is_relative_to(_unescaped(row[1]))
    ]
    if not found:
        return "", ""
    # Of two on one place, the later one is seen.
    _, kind, source = max(reversed(found), key=lambda each: each[0])
    return kind, source


def _unescaped(place: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), place)
