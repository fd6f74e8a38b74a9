"""`python -m tests.faults.year --broker embedded --seed 7`.

Replays the scripted year of 34 provinces through the real alerting service, kills it
and takes Alertmanager away, and prints what was told beside what had to be told.
Exit status: 0 when all of it is right, 1 when anything differs; then the folder with
the logs is kept and named.
"""

import argparse
import asyncio
import logging
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.faults.year.account import Account, Outcome, render_table, settle
from tests.faults.year.figures import instant_of
from tests.faults.year.house import House, open_house
from tests.faults.year.plan import Plan, make_plan
from tests.faults.year.replay import EVE, Replay, StoryBrokenError
from tests.support.hasty_truth import Look, Truth, expected_truth
from tests.support.scripted_year import END, LENGTH, Province, scripted_year

KEPT: Final = Path(__file__).parents[3] / ".uptake" / "year"
SEED: Final = 20_261_122
KILLS: Final = 20
TOLD_AT_ONCE_MAX: Final = 2
"""A change while it is being told is told too; more often would be a storm."""


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripted-year", description=__doc__)
    parser.add_argument("--broker", choices=("apache", "embedded"), default="embedded")
    parser.add_argument("--seed", type=int, default=SEED, help="of kills and absences")
    parser.add_argument("--days", type=int, default=END, help="of the story")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--folder", type=Path, help="for data and logs; must be new")
    return parser.parse_args()


def show_plan(plan: Plan) -> None:
    """Print what is going to happen."""
    for kill in plan.kills:
        say(
            f"  kill: day {kill.look.day}, minute {kill.look.minute}, "
            f"{kill.delay_seconds:.3f} s into {kill.moment}"
        )
    for absence in plan.absences:
        first, back = absence.first, absence.back
        say(
            f"  Alertmanager away ({absence.manner}): day {first.day}, minute "
            f"{first.minute}, to day {back.day}, minute {back.minute}"
        )


async def tell_story(
    folder: Path,
    year: Sequence[Province],
    truths: Mapping[str, Truth],
    plan: Plan,
    *,
    days: int,
    is_embedded: bool,
) -> tuple[Outcome, House]:
    """Replay the story in a house of its own."""
    async with open_house(
        folder, year, is_embedded=is_embedded, eve=instant_of(EVE)
    ) as house:
        say(f"the service is ready; {days} days of {len(year)} provinces:")
        replay = Replay(house, year, truths, plan, say)
        return await replay.run(days), house


def conclude(account: Account, outcome: Outcome, plan: Plan, house: House) -> bool:
    """Print the table and what it comes to; return whether all is right."""
    say(render_table(account.rows))
    for difference in account.differences:
        say(f"DIFFERS: {difference}")
    raised = sum(row[1] != "none" for row in account.rows)
    say(
        f"alerts {raised}, statuses right {outcome.statuses}, records told again "
        f"after a kill under their own id {account.repeats}; Alertmanager turned "
        f"{house.receiver.turned_away} requests away, and heard of no alert more than "
        f"{house.receiver.most_at_once} times at a look"
    )
    say(
        f"transitions right {account.right} of {account.expected}, duplicates "
        f"{account.duplicates}, kills {house.kills}, Alertmanager away "
        f"{len(plan.absences)} stretches"
    )
    return (
        account.right == account.expected
        and not account.duplicates
        and not account.differences
        and house.kills == len(plan.kills)
        and house.receiver.most_at_once <= TOLD_AT_ONCE_MAX
    )


def main() -> int:
    """Run, and return the exit status."""
    arguments = read_arguments()
    # Whom a kill cuts off is no news.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    began = time.monotonic()
    folder: Path = (arguments.folder or KEPT / f"seed-{arguments.seed}").absolute()
    if folder.exists():
        say(f"{folder} exists: remove it, or name another --folder")
        return 2
    days: int = min(arguments.days, END)
    year = scripted_year()
    truths = {each.code: expected_truth(each, days) for each in year}
    told = [each for truth in truths.values() for each in truth.told]
    waits = {day for truth in truths.values() for day in truth.waits}
    plan = make_plan(
        arguments.seed,
        days,
        busy={Look(each.day, each.minute) for each in told},
        waiting=waits | {LENGTH + 1},
        kills=arguments.kills,
    )
    say(f"scripted year: seed {arguments.seed}, broker {arguments.broker}")
    show_plan(plan)
    try:
        outcome, house = asyncio.run(
            tell_story(
                folder,
                year,
                truths,
                plan,
                days=days,
                is_embedded=arguments.broker == "embedded",
            )
        )
    except (StoryBrokenError, TimeoutError) as error:
        say(f"BROKEN: {error}")
        say(f"seed {arguments.seed}; logs are kept in {folder}")
        return 1
    expected = {code: truth.told for code, truth in truths.items()}
    account = settle(year, expected, outcome)
    is_right = conclude(account, outcome, plan, house)
    say(f"{time.monotonic() - began:.0f} s")
    if not is_right:
        say(f"seed {arguments.seed}; logs are kept in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
