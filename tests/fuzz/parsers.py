"""Atheris on every harness, one after the other."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.fuzz.harnesses import CORPUS, HARNESSES
from tests.fuzz.process import Ended, run
from tests.fuzz.result import Result, say

DICTIONARY: Final = Path(__file__).parent / "dictionary.txt"
INPUT_BYTES_MAX: Final = 4_096
# What any input of that size may take; the longest honest one takes milliseconds.
INPUT_SECONDS_MAX: Final = 10
MEMORY_MIB_MAX: Final = 1_024
_COVERAGE: Final = re.compile(r"^#\d+\t.* cov: (\d+) ", re.MULTILINE)
_EXECUTIONS: Final = re.compile(r"^stat::number_of_executed_units: (\d+)", re.MULTILINE)
_UNCAUGHT: Final = re.compile(r"Uncaught Python exception: ===\n(.*)")


def fuzz_parsers(
    python: Path, out: Path, names: Sequence[str], seconds: float
) -> list[Result]:
    """Fuzz each harness for the same part of the time."""
    found = []
    for name in names:
        result = _fuzz(python, out, name, seconds / len(names))
        say(str(result))
        found.append(result)
    return found


def _fuzz(python: Path, out: Path, name: str, seconds: float) -> Result:
    corpus, kept = out / "corpus" / name, out / "found" / name
    for folder in (corpus, kept):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(kept.iterdir())
    command: list[str | Path] = [python, "-m", "tests.fuzz.guided", name]
    command += [corpus, CORPUS / name, f"-dict={DICTIONARY}"]
    command += [f"-max_total_time={max(1, round(seconds))}"]
    command += [f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_SECONDS_MAX}"]
    command += [f"-rss_limit_mb={MEMORY_MIB_MAX}", "-print_final_stats=1"]
    command += [f"-artifact_prefix={kept}/"]
    ended = run(command, out / "log" / f"{name}.txt", seconds=seconds)
    new = sorted(set(kept.iterdir()) - before)
    coverage = _COVERAGE.findall(ended.said)
    executions = _EXECUTIONS.search(ended.said)
    return Result(
        name=name,
        executions=int(executions[1]) if executions else 0,
        coverage=int(coverage[-1]) if coverage else 0,
        findings=tuple(_findings(name, ended, new)),
    )


def _findings(name: str, ended: Ended, files: Sequence[Path]) -> Iterator[str]:
    """Tell what was found; an end that nothing explains is a finding too."""
    uncaught = _UNCAUGHT.search(ended.said)
    what = uncaught[1] if uncaught else "\n".join(ended.said.splitlines()[-5:])
    if ended.status != 0 and not files:
        yield f"{name}: ended with {ended.status}: {what}"
    for file in files:
        yield (
            f"{name}: {what}\n  the input: {file}\n"
            f"  again: .venv/bin/python -m tests.fuzz --repeat {name} {file}"
        )


def repeat(name: str, file: Path) -> None:
    """Hand one kept input to its harness; what is wrong is raised."""
    HARNESSES[name](file.read_bytes())
