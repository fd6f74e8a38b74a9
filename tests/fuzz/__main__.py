"""`make fuzz`: schemathesis on the doors, atheris on the parsers; 1 if they find.

Both live in an environment of their own, made at the first run from
`tests/fuzz/requirements.txt`.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.bench.peers.environment import make_environment
from tests.fuzz.doors import Schemathesis, fuzz_doors
from tests.fuzz.harnesses import HARNESSES
from tests.fuzz.parsers import fuzz_parsers, repeat
from tests.fuzz.process import ROOT
from tests.fuzz.result import Result, say

OUT: Final = Path(".uptake/fuzz")
LOCKS: Final = (
    ROOT / "requirements" / "run.txt",
    Path(__file__).parent / "requirements.txt",
)
DOORS_SHARE: Final = 1 / 3


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all together")
    parser.add_argument("--seed", type=int, default=1, help="of schemathesis")
    parser.add_argument("--only", choices=("doors", "parsers"))
    parser.add_argument(
        "--harness", action="append", choices=tuple(HARNESSES), help="only this parser"
    )
    parser.add_argument(
        "--repeat",
        nargs=2,
        metavar=("HARNESS", "FILE"),
        help="hand a kept input to its harness, without a fuzzer",
    )
    return parser.parse_args()


def fuzz(options: argparse.Namespace) -> list[Result]:
    """Run both fuzzers, each for its part of the time."""
    OUT.mkdir(parents=True, exist_ok=True)
    say("the fuzzers' environment: tests/fuzz/requirements.txt")
    out = OUT.resolve()
    python = asyncio.run(make_environment(out / "environment", *LOCKS))
    only = "parsers" if options.harness else options.only
    share = {"doors": 1.0, "parsers": 0.0}.get(only, DOORS_SHARE)
    results: list[Result] = []
    if only != "parsers":
        schemathesis = Schemathesis(python, out, options.seconds * share, options.seed)
        with tempfile.TemporaryDirectory(dir=out) as name:
            folder = Path(name)
            # The database's server does not run as root.
            folder.chmod(0o755)
            results += asyncio.run(fuzz_doors(schemathesis, folder))
    if only != "doors":
        names = options.harness or tuple(HARNESSES)
        left = options.seconds * (1 - share)
        results += fuzz_parsers(python, out, names, left)
    return results


def main() -> int:
    """Fuzz, or repeat; return the exit status."""
    options = arguments()
    if options.repeat:
        name, file = options.repeat
        repeat(name, Path(file))
        say(f"{name}: nothing is wrong with {file}")
        return 0
    began = time.monotonic()
    results = fuzz(options)
    findings = [finding for result in results for finding in result.findings]
    for finding in findings:
        print(f"\nFOUND {finding}")  # noqa: T201 -- the report
    say(
        f"{sum(each.executions for each in results):,} inputs, "
        f"{sum(each.coverage for each in results):,} places reached, "
        f"{len(findings)} findings in {time.monotonic() - began:,.0f} s"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
