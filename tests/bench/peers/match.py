"""One contestant doing the job once: watched, killed, judged; bounded in any case."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from services.cli.embedded.child import ChildProcess, log_tail
from tests.bench.peers.contestant import Contestant
from tests.bench.peers.truth import Totals, Verdict, judge

POLL_SECONDS = 0.2
# It is right, and stays so for some commits: nothing more will come.
STEADY_SECONDS = 5.0
# Nothing has changed for so long: nothing more will come.
QUIET_SECONDS = 90.0
# A kill comes at no particular moment of a commit.
KILL_DELAY_SECONDS_MAX = 0.5
# Whoever ends by itself is started again, as a supervisor would do, so often.
RESTARTS_MAX = 5
# Whoever shows little before its end is killed after such a part of the time that it
# takes when nobody kills it.
HIDDEN_KILL_LEAST, HIDDEN_KILL_MOST = 0.4, 0.9
# A first commit of more than this part of everything, or after more than this part of
# the time, leaves too little to measure between two commits.
FIRST_COUNTED_MOST, FIRST_SECONDS_MOST = 0.5, 0.67
RESTART_SECONDS = 5.0
SEED = 11


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for everybody in a match.

    Attributes:
        records: How many the log holds.
        true: The totals that they come to.
        kills: How often SIGKILL comes, spread over the job.
        seconds_max: A match that takes longer is broken off.
        seconds_alone: How long this contestant took without kills; 0 when unknown.
    """

    records: int
    true: Totals
    kills: int
    seconds_max: float
    seconds_alone: float = 0.0

    @property
    def true_count(self) -> int:
        """Return what the totals should come to."""
        return sum(count for count, _ in self.true.values())


@dataclass(slots=True)
class Watch:
    """What was seen from outside: when the totals in Postgres came to how much."""

    began: float = field(default_factory=time.monotonic)
    first: tuple[float, int] | None = None
    last: tuple[float, int] = (0.0, 0)
    changed: float = 0.0

    def __post_init__(self) -> None:
        """Begin with nothing seen."""
        self.last = (self.began, 0)
        self.changed = self.began

    def note(self, counted: int) -> bool:
        """Note what the totals come to now; say whether that is new."""
        if counted == self.last[1]:
            return False
        self.changed = time.monotonic()
        self.last = (self.changed, counted)
        if self.first is None:
            self.first = self.last
        return True

    @property
    def quiet_seconds(self) -> float:
        """Return for how long nothing has changed, here or by a start."""
        return time.monotonic() - self.changed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a match.

    Attributes:
        asked: How many SIGKILLs it was to get.
        kills: How many it got before it was done, or stuck.
        verdict: Its totals against the truth.
        seconds: From its start to its last change of a total.
        rate: Records a second, from its first commit to its last; from its start where
            the first commit holds too much to leave anything to measure.
        rate_from_start: The same from its start, imports and joining included.
        remark: What else happened; empty when it simply did its job.
    """

    asked: int
    kills: int
    verdict: Verdict
    seconds: float
    rate: float
    rate_from_start: float
    remark: str


class Match:
    """Runs a contestant until it is done, stuck, or out of time."""

    def __init__(self, contestant: Contestant, rules: Rules) -> None:
        self._contestant = contestant
        self._rules = rules
        self._chance = random.Random(SEED)  # noqa: S311 -- a seeded plan
        self._watch = Watch()
        self._kills = 0
        self._restarts = 0
        self._has_moved = False
        self._remarks: list[str] = []

    async def play(self) -> Outcome:
        """Run it to its end; the program is gone afterwards."""
        child = self._contestant.spawn()
        self._watch = Watch()
        try:
            while not self._is_over():
                child = await self._step(child)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await child.kill()
        return self._outcome(await self._contestant.totals())

    async def _step(self, child: ChildProcess) -> ChildProcess:
        """Look once; kill or start again where it is time. Return who runs now."""
        self._has_moved |= self._watch.note(await self._contestant.counted())
        if not child.is_running():
            self._restarts += 1
            said = log_tail(child.log_path, lines_max=3)[-300:]
            self._remarks.append(
                f"ended by itself ({child.exit_status()}): {said}".replace("|", "/")
            )
            await child.kill()
            await asyncio.sleep(RESTART_SECONDS)
            return self._spawn()
        if not self._is_kill_due():
            return child
        await asyncio.sleep(self._chance.uniform(0, KILL_DELAY_SECONDS_MAX))
        await child.kill()
        self._kills += 1
        return self._spawn()

    def _is_kill_due(self) -> bool:
        """Say whether it is far enough in its job, or long enough at work unseen."""
        counted = self._watch.last[1]
        if self._kills >= self._rules.kills or counted == self._true:
            return False
        if self._has_moved:
            return counted >= self._true * (self._kills + 1) // (self._rules.kills + 1)
        part = self._chance.uniform(HIDDEN_KILL_LEAST, HIDDEN_KILL_MOST)
        unseen = self._rules.seconds_alone * part
        return 0 < unseen <= self._watch.quiet_seconds

    def _spawn(self) -> ChildProcess:
        """Start it again; it has to move before it is killed the next time."""
        self._has_moved = False
        self._watch.changed = time.monotonic()
        return self._contestant.spawn()

    @property
    def _true(self) -> int:
        return self._rules.true_count

    def _is_over(self) -> bool:
        """Say whether it is done, stuck, out of restarts or out of time."""
        if self._restarts > RESTARTS_MAX:
            self._remarks.append(f"given up after {RESTARTS_MAX} restarts")
            return True
        quiet = self._watch.quiet_seconds
        if self._watch.last[1] == self._true and quiet >= STEADY_SECONDS:
            return True
        if quiet >= QUIET_SECONDS:
            self._remarks.append(f"nothing new for {QUIET_SECONDS:g} s")
            return True
        if time.monotonic() - self._watch.began >= self._rules.seconds_max:
            self._remarks.append(f"broken off after {self._rules.seconds_max:g} s")
            return True
        return False

    def _outcome(self, totals: Totals) -> Outcome:
        verdict = judge(totals, self._rules.true)
        watch, true = self._watch, self._true
        ended, counted = watch.last
        began, before = watch.first or watch.last
        records = self._rules.records
        rate_from_start = _rate(records * counted / true, ended - watch.began)
        rate = _rate(records * (counted - before) / true, ended - began)
        seconds_before = (began - watch.began) / max(ended - watch.began, POLL_SECONDS)
        if before > true * FIRST_COUNTED_MOST or seconds_before > FIRST_SECONDS_MOST:
            rate = rate_from_start
            self._remarks.append("late first commit: rate is from its start")
        return Outcome(
            asked=self._rules.kills,
            kills=self._kills,
            verdict=verdict,
            seconds=ended - watch.began,
            rate=rate,
            rate_from_start=rate_from_start,
            remark="; ".join(dict.fromkeys(self._remarks)),
        )


def _rate(records: float, seconds: float) -> float:
    """Return records a second; zero where nothing can be said."""
    return max(0.0, records) / seconds if seconds > 0 else 0.0
