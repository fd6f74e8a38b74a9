"""Run a command that ends when the process that wanted it ends.

Run as a script, with nothing but the standard library, so that it starts in a few
milliseconds and under any user:

    python -I -S launch.py --parent PID --signal TERM [--as-nobody] -- COMMAND...

It prepares its own process and then becomes the command: the process id stays the
same, and no code of ours runs between fork and exec in the parent (`preexec_fn` is
unsafe beside threads). Elsewhere than on Linux there is no such signal; there the
command simply runs.

The kernel sends the signal when the *thread* that started us ends; start children
from the thread that lives longest.
"""

import argparse
import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path
from typing import NoReturn

# From linux/prctl.h and linux/capability.h.
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 4
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

EXIT_NOT_STARTED = 126


class _CapabilityHeader(ctypes.Structure):
    """The first argument of capget and capset."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySet(ctypes.Structure):
    """Thirty-two capabilities; the kernel wants two of these."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _check(libc: ctypes.CDLL, name: str, *arguments: object) -> None:
    """Call a function of the C library.

    Raises:
        OSError: It returned other than 0.
    """
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _keep_one_capability(libc: ctypes.CDLL, *, needs_override: bool) -> None:
    """Give up every capability but one that reads below closed folders.

    A project below `/root` (mode 0700) must work, and `nobody` may not enter it. To
    read and to pass folders is enough, unless the command itself is closed to others
    or the container has taken that capability away.

    Raises:
        OSError: The kernel refused.
    """
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    sets = (_CapabilitySet * 2)()
    _check(libc, "capget", ctypes.byref(header), sets)
    wanted = [CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE]
    if needs_override:
        wanted.reverse()
    held = [one for one in wanted if sets[0].permitted & (1 << one)]
    if not held:
        return
    bit = 1 << held[0]
    sets[0] = _CapabilitySet(bit, bit, bit)
    sets[1] = _CapabilitySet(0, 0, 0)
    _check(libc, "capset", ctypes.byref(header), sets)
    # Only an ambient capability outlives exec for a user who is not root.
    _check(libc, "prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, held[0], 0, 0)


def _hold_capabilities(libc: ctypes.CDLL) -> None:
    """Let capabilities outlast the change of user that follows.

    Raises:
        OSError: The kernel refused.
    """
    try:
        # Without this, access(2), which initdb and postgres ask about their own
        # program files, ignores the capabilities of users who are not root.
        _check(libc, "prctl", PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    except OSError:
        _check(libc, "prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)


def become_nobody(libc: ctypes.CDLL | None, command: str) -> None:
    """Change from root to `nobody`; for any other user do nothing.

    Args:
        libc: The C library; None where there are no capabilities.
        command: What will run; tells which capability it needs.

    Raises:
        OSError: The user cannot be changed, e.g. in a container with one user.
    """
    if os.geteuid() != 0:
        return
    nobody = pwd.getpwnam("nobody")
    try:
        is_closed = not Path(command).stat().st_mode & 0o001
    except OSError:
        is_closed = False
    if libc is not None:
        _hold_capabilities(libc)
    try:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    except OSError as error:
        raise OSError(error.errno, "root may not become user nobody here") from error
    if libc is None:
        return
    try:
        _keep_one_capability(libc, needs_override=is_closed)
    except OSError as error:
        # Not fatal: it matters only below folders that are closed to others.
        sys.stderr.write(f"launch: no capability kept for nobody: {error}\n")


def die_with(parent: int, death_signal: signal.Signals, libc: ctypes.CDLL) -> None:
    """Ask the kernel for `death_signal` when the parent ends.

    Call it last: a change of user or of capabilities clears the request.
    """
    _check(libc, "prctl", PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:
        # The parent ended before we asked; nobody would ever tell us.
        sys.exit(EXIT_NOT_STARTED)


def main() -> NoReturn:
    """Prepare this process and become the command."""
    parser = argparse.ArgumentParser(prog="launch.py")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", default="TERM")
    parser.add_argument("--as-nobody", action="store_true")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    libc = (
        ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
    )
    # What Python or a shell's `&` made us ignore, the command must not inherit.
    for each in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(each, signal.SIG_DFL)
    try:
        if options.as_nobody:
            become_nobody(libc, options.command[0])
        if libc is not None:
            die_with(options.parent, signal.Signals[f"SIG{options.signal}"], libc)
        os.execvp(options.command[0], options.command)  # noqa: S606 - our purpose
    except (OSError, KeyError) as error:
        sys.stderr.write(f"launch: {options.command[0]} did not start: {error}\n")
    sys.exit(EXIT_NOT_STARTED)


if __name__ == "__main__":
    main()
