"""The folder of one server: held by one run at a time, emptied at its start."""

import contextlib
import errno
import fcntl
import os
import pwd
import shutil
from pathlib import Path

from services.cli.embedded.child import poll_until
from services.cli.embedded.errors import ServerStartError

DYING_SECONDS_MAX = 20.0


def _is_alive(pid: int) -> bool:
    """Say whether a process of this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class ServerFolder:
    """A folder with `lock`, `server.log` and `data`; nothing else in it is touched.

    The lock belongs to an open file which the server inherits: it lasts as long as
    any process of that server lives, even when the process that started it is dead.
    """

    def __init__(self, path: Path) -> None:
        """Name the folder; it is made when it is taken."""
        self.path = path.absolute()
        self.log_path = self.path / "server.log"
        self.data_path = self.path / "data"
        self._lock_path = self.path / "lock"
        self._lock_fd = -1

    @property
    def lock_fd(self) -> int:
        """The descriptor that holds the lock, for the server to inherit."""
        return self._lock_fd

    def _try_lock(self) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _owner(self) -> int:
        """Return the process that last took the lock, 0 when unknown."""
        text = os.pread(self._lock_fd, 32, 0).decode(errors="replace").strip()
        return int(text) if text.isdecimal() else 0

    async def take(self, server: str) -> None:
        """Make the folder and hold it for this process.

        Waits a while for servers that are ending because their parent is dead.

        Raises:
            ServerStartError: Another run holds it, or it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock_fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _not_writable(self.path, server, error) from error
        is_held = self._try_lock()
        if not is_held and not _is_alive(owner := self._owner()) and owner != 0:
            is_held = await poll_until(self._try_lock, DYING_SECONDS_MAX)
        if not is_held:
            owner = self._owner()
            os.close(self._lock_fd)
            self._lock_fd = -1
            raise ServerStartError(
                f"{server} cannot start: process {owner or '(unknown)'} already runs "
                f"one in {self.path}; stop it, or choose another name"
            )
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, f"{os.getpid()}\n".encode(), 0)

    def clear(self, server: str) -> None:
        """Remove the data and the log of an earlier run; call it while held.

        Raises:
            ServerStartError: They cannot be removed.
        """
        try:
            if self.data_path.exists():
                shutil.rmtree(self.data_path)
            self.log_path.unlink(missing_ok=True)
        except OSError as error:
            raise _not_writable(self.path, server, error) from error

    def make_data(self, server: str, *, as_nobody: bool = False) -> None:
        """Make the empty data folder, of mode 0700.

        Args:
            server: Its name, for the error.
            as_nobody: Give it to `nobody` when we are root.

        Raises:
            ServerStartError: It cannot be made.
        """
        try:
            self.data_path.mkdir(mode=0o700)
            if as_nobody:
                give_to_nobody(self.data_path)
        except OSError as error:
            raise _not_writable(self.path, server, error) from error

    def release(self) -> None:
        """Let another run have the folder once the server's processes are gone."""
        if self._lock_fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._lock_fd)
            self._lock_fd = -1


def give_to_nobody(path: Path) -> None:
    """Make `nobody` the owner when we are root; else do nothing.

    Raises:
        OSError: The owner cannot be changed.
    """
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _not_writable(path: Path, server: str, error: OSError) -> ServerStartError:
    """Say in one line why a folder cannot be used."""
    reason = error.strerror or errno.errorcode.get(error.errno or 0, str(error))
    return ServerStartError(
        f"{server} cannot use {error.filename or path}: {reason.lower()}; "
        "remove that folder, or run as the user who owns it"
    )
