"""`python -m tests.faults.chaos --seconds 600 --seed 7 --broker apache`.

Exit status: 0 when everything held, 1 when something did not; then the folder with
all logs is kept and named.
"""

import argparse
import asyncio
import logging
import random
import shutil
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.faults.chaos.disk import enter_own_mounts, lacks_small_disk
from tests.faults.chaos.plan import Fault, make_plan
from tests.faults.chaos.run import run_chaos

KEPT: Final = Path(__file__).parents[3] / ".uptake" / "chaos"
SEED_MAX: Final = 999_999
DISK_MEBIBYTES: Final = 384
DISK_MEBIBYTES_PER_SECOND: Final = 1
VIOLATED: Final = "VIOLATED"


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, help="a random one when not given")
    parser.add_argument("--broker", choices=("apache", "embedded"), default="apache")
    parser.add_argument("--folder", type=Path, help="for data and logs; must be new")
    return parser.parse_args()


def violations(error: BaseException) -> Iterator[BaseException]:
    """Go through what went wrong, groups taken apart."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from violations(each)
    else:
        yield error


def show_plan(plan: tuple[Fault, ...]) -> None:
    """Print what is going to be done."""
    say(f"plan: {len(plan)} faults")
    for fault in plan:
        say(f"{fault.at_seconds:7.1f} s  {fault.line()}")
    say("run:")


def main() -> int:
    """Run, and return the exit status."""
    arguments = read_arguments()
    # Whom a fault cuts off is no news, and the clients' own log would bury the rest.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    seconds: float = arguments.seconds
    given: int | None = arguments.seed
    # The seed is printed, so that this run can be repeated.
    seed = random.randint(1, SEED_MAX) if given is None else given  # noqa: S311 -- no secret
    folder: Path = (arguments.folder or KEPT / f"seed-{seed}").absolute()
    if folder.exists():
        say(f"{folder} exists: remove it, or name another --folder")
        return 2
    is_embedded = arguments.broker == "embedded"
    disk_mebibytes = DISK_MEBIBYTES + round(DISK_MEBIBYTES_PER_SECOND * seconds)
    lacking = lacks_small_disk(disk_mebibytes)
    say(f"chaos: seed {seed}, {seconds:g} s, broker {arguments.broker}")
    if lacking:
        say(f"left out: full disk ({lacking})")
    if is_embedded:
        say("left out: stopping and killing Kafka (the embedded log is in memory)")
    plan = make_plan(
        seed, seconds, has_durable_broker=not is_embedded, has_small_disk=not lacking
    )
    show_plan(plan)
    try:
        summary = asyncio.run(
            run_chaos(
                folder,
                plan,
                seconds=seconds,
                seed=seed,
                is_embedded=is_embedded,
                disk_mebibytes=None if lacking else disk_mebibytes,
                say=say,
            )
        )
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 -- shown, status 1
        traceback.print_exc()
        for violation in violations(error):
            say(f"{VIOLATED}: {type(violation).__name__}: {violation}")
        say(f"seed {seed}; logs are kept in {folder}")
        return 1
    say(summary)
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    enter_own_mounts(["-m", "tests.faults.chaos", *sys.argv[1:]])
    sys.exit(main())
