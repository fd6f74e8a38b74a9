"""An environment of its own for each peer, made from its locked requirements."""

import asyncio
import hashlib
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# Every lock file is resolved for 3.11 and later; which of them a peer has wheels for is
# the peer's business, so the oldest goes first.
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14", "python3")
CHECK = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
INSTALL_SECONDS_MAX = 900.0


class EnvironmentMissingError(Exception):
    """A peer cannot be installed here; the message says why."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended."""

    status: int
    last_line: str


async def run(*command: str | Path, seconds: float = INSTALL_SECONDS_MAX) -> Ran:
    """Run a command to its end; return its status and the last line it said.

    Raises:
        EnvironmentMissingError: It took too long, or there is no such program.
    """
    words = [str(word) for word in command]
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise EnvironmentMissingError(f"{words[0]}: {error}") from error
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise EnvironmentMissingError(
            f"{words[0]} took over {seconds:.0f} s"
        ) from error
    lines = [line for line in said.decode(errors="replace").splitlines() if line]
    return Ran(process.returncode or 0, lines[-1].strip() if lines else "")


async def find_python() -> str:
    """Return the first Python that can make environments.

    Raises:
        EnvironmentMissingError: There is none.
    """
    for name in (*PYTHONS, sys.executable):
        found = shutil.which(name)
        # A name on PATH may stand for a version that is not there.
        if found and (await run(found, "-c", CHECK, seconds=60)).status == 0:
            return found
    names = ", ".join(PYTHONS)
    raise EnvironmentMissingError(
        f"no Python 3.11 or later with ensurepip and venv among {names}"
    )


async def make_environment(home: Path, *locks: Path) -> Path:
    """Return the Python of an environment, making it when it is not there.

    Args:
        home: Where it is kept.
        locks: What is installed: files of requirements, with hashes.

    Raises:
        EnvironmentMissingError: It cannot be made; the installer's last line says why.
    """
    mark = home / ".made"
    python = home / "bin" / "python"
    content = b"".join(lock.read_bytes() for lock in locks)
    wanted = hashlib.sha256(content).hexdigest()
    if mark.exists() and mark.read_text(encoding="ascii") == wanted:
        return python
    made = await run(await find_python(), "-m", "venv", "--clear", home)
    if made.status != 0:
        raise EnvironmentMissingError(f"venv: {made.last_line}")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install += ["--no-input", "--require-hashes"]
    for lock in locks:
        install += ["-r", str(lock)]
    installed = await run(python, *install)
    if installed.status != 0:
        raise EnvironmentMissingError(f"pip: {installed.last_line}")
    mark.write_text(wanted, encoding="ascii")
    return python


def locked_version(peer: str, distribution: str) -> str:
    """Return the version of a distribution that a peer's lock file names."""
    text = (HERE / peer / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(distribution)}==(\S+)", text, re.MULTILINE)
    assert found is not None, f"{peer}/requirements.txt does not pin {distribution}"
    return found[1]


async def python_version(python: Path) -> str:
    """Return the version of an environment's Python."""
    ran = await run(python, "--version", seconds=60)
    return ran.last_line or platform.python_version()
