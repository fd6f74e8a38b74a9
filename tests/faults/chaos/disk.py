"""A small disk for Postgres: a tmpfs that can be filled to the last byte."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

OWN_MOUNTS: Final = "CHAOS_HAS_OWN_MOUNTS"
"""Set once this process has a mount namespace, which ends with the last process."""
PROBE_SECONDS_MAX: Final = 10.0
FREE_MEMORY_SHARE: Final = 3
KIBIBYTES: Final = 1024
"""In a mebibyte."""
UNSHARE: Final = ("unshare", "--mount", "--propagation", "private", "--")


def enter_own_mounts(arguments: Sequence[str]) -> None:
    """Begin this program again where mounts are its own, if the system allows it.

    A mount made there is gone with its last process, however that ended.
    """
    if OWN_MOUNTS in os.environ or os.geteuid() != 0 or not _can_mount():
        return
    os.execvpe(  # noqa: S606 - our own program, in its own words
        UNSHARE[0],
        [*UNSHARE, sys.executable, *arguments],
        {**os.environ, OWN_MOUNTS: "1"},
    )


def _can_mount() -> bool:
    """Try a mount in a namespace that is gone at once."""
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        return False
    probe = [*UNSHARE, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    try:
        done = subprocess.run(
            probe, capture_output=True, check=False, timeout=PROBE_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def lacks_small_disk(size_mebibytes: int) -> str | None:
    """Say why no disk can be filled; None where it can."""
    if OWN_MOUNTS not in os.environ:
        return "mounting a tmpfs needs root, util-linux and permission"
    memory = Path("/proc/meminfo").read_text(encoding="ascii")
    free = int(memory.partition("MemAvailable:")[2].split()[0]) // KIBIBYTES
    if free < FREE_MEMORY_SHARE * size_mebibytes:
        return f"a tmpfs of {size_mebibytes} MiB is too much for {free} MiB of memory"
    return None


class SmallDisk:
    """A mounted tmpfs; entered and left as a context."""

    def __init__(self, folder: Path, *, size_mebibytes: int) -> None:
        """Name the folder; it is made."""
        self.folder = folder
        self._size_mebibytes = size_mebibytes
        self._ballast = folder / "ballast"

    def fill(self) -> int:
        """Take all free room; return how many bytes that was."""
        room = os.statvfs(self.folder)
        left = room.f_bavail * room.f_frsize
        with self._ballast.open("ab") as ballast:
            while left:
                try:
                    os.posix_fallocate(
                        ballast.fileno(), ballast.seek(0, os.SEEK_END), left
                    )
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    # Postgres took some of it meanwhile.
                    left //= 2
            return ballast.seek(0, os.SEEK_END)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Mount it."""
        self.folder.mkdir(parents=True)
        options = f"size={self._size_mebibytes}m,mode=0755"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        subprocess.run(command, check=True, timeout=PROBE_SECONDS_MAX)
        return self

    def __exit__(self, *_: object) -> None:
        """Unmount it; what a server still holds open goes with the server."""
        command = ["umount", "--lazy", str(self.folder)]
        subprocess.run(command, check=True, timeout=PROBE_SECONDS_MAX)


async def fill_again_and_again(disk: SmallDisk, seconds: float) -> int:
    """Keep a disk full for some time; return the most bytes it took.

    Postgres recycles files of its write-ahead log, which makes room for a moment.
    """
    taken = 0
    for _ in range(max(1, round(seconds / 0.5))):
        taken = max(taken, disk.fill())
        await asyncio.sleep(0.5)
    return taken
