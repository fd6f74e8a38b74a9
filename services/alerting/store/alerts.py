"""Alerts on their way out: transitions to Kafka, current rows to Alertmanager."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.alerting.core.agency_alerts import AgencyKind, AnyKind
from services.alerting.core.alerts import Kind
from services.alerting.core.life_cycle import State
from services.alerting.core.status import Status
from services.alerting.sql import DELIVERIES, QUERIES, SILENCE
from services.alerting.store.session import transaction

Publish = Callable[[Sequence[tuple[str, bytes]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert as it is now, to be told to Alertmanager.

    Attributes:
        fingerprint: The alert's name for ever.
        version: Of the row that was read.
        kind: What it says.
        target: About which target; empty where it is about an agency.
        indicator: The target's indicator.
        locality: Code of the target's locality.
        level: What the locality is: nation, province or commune.
        province: Code of the province, or empty.
        raised_at: Since when it is raised.
        over_at: Since when it is over; None while it is not.
        summary_en: Its text in English.
        summary_vi: Its text in Vietnamese.
        is_unknown: Whether nothing honest can be said of its target now.
        read_at: When the row was read, by the database's clock.
        agency: About which agency; empty where it is about a target.
    """

    fingerprint: str
    version: int
    kind: AnyKind
    target: str
    indicator: str
    locality: str
    level: str
    province: str
    raised_at: datetime
    over_at: datetime | None
    summary_en: str
    summary_vi: str
    is_unknown: bool
    read_at: datetime
    agency: str = ""

    @property
    def told_state(self) -> State:
        """What is told of it: that it is on, or that it is over."""
        return State.FIRING if self.over_at is None else State.RESOLVED

    @property
    def told_since(self) -> datetime:
        """The instant of the transition that is told."""
        return self.over_at or self.raised_at


@dataclass(frozen=True, slots=True)
class Gauge:
    """Where one target stands, for metrics; ratios in basis points."""

    target: str
    status: Status
    expected: int
    position_bp: int | None
    pace_7_bp: int | None
    pace_28_bp: int | None
    miss_bp: int | None


class AlertStore:
    """Hands out what is to be told, and notes what was."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def relay_outbox(self, limit: int, publish: Publish) -> int:
        """Publish the oldest notices, then forget them.

        At least once: after a crash between the two they are published again, with
        the same ids. One replica at a time publishes, so their order holds.

        Args:
            limit: Most messages at a time.
            publish: Returns once Kafka has all (fingerprint, message) given.

        Returns:
            Number of notices published; `limit` means that there may be more.
        """
        async with transaction(self._pool) as session:
            if not await session.fetchval(QUERIES["lock_outbox"]):
                return 0
            rows = await session.fetch(QUERIES["read_outbox"], limit)
            if rows:
                await publish([(row["fingerprint"], row["message"]) for row in rows])
                await session.execute(
                    QUERIES["remove_from_outbox"], [row["outbox_id"] for row in rows]
                )
        return len(rows)

    async def claim_deliveries(
        self,
        limit: int,
        *,
        resolved_for: timedelta,
        lease: timedelta,
        end_sought_for: timedelta,
    ) -> list[Delivery]:
        """Take alerts that Alertmanager is to be told about now.

        Args:
            limit: Most alerts at a time.
            resolved_for: How long one that is over is still told.
            end_sought_for: How long an end that was never taken is told.
            lease: How long nobody else takes them; should we crash, somebody does.
        """
        async with transaction(self._pool) as session:
            rows = await session.fetch(
                QUERIES["claim_deliveries"],
                limit,
                resolved_for,
                lease,
                end_sought_for,
            )
        return [
            Delivery(
                fingerprint=row["fingerprint"],
                version=row["version"],
                kind=_kind(row["kind"]),
                target=row["target"],
                indicator=row["indicator"],
                locality=row["locality"],
                level=row["locality_kind"],
                province=row["province"],
                raised_at=row["told_from"],
                over_at=row["told_until"],
                summary_en=row["summary_en"],
                summary_vi=row["summary_vi"],
                is_unknown=row["status"] == Status.UNKNOWN.value,
                read_at=row["now"],
                agency=row["agency"],
            )
            for row in rows
        ]

    async def note_deliveries(
        self, deliveries: Sequence[Delivery], again_in: timedelta, reason: str = ""
    ) -> None:
        """Have alerts told again after a while, or at once if they have changed.

        Args:
            deliveries: What was told, or was to be.
            again_in: When to tell it again.
            reason: Why it was not taken, as a code; empty if it was.
        """
        fingerprints = [delivery.fingerprint for delivery in deliveries]
        noted = (
            fingerprints,
            [delivery.told_state.value for delivery in deliveries],
            [delivery.told_since for delivery in deliveries],
        )
        async with transaction(self._pool) as session:
            await session.execute(
                QUERIES["save_deliveries"],
                fingerprints,
                [delivery.version for delivery in deliveries],
                again_in,
            )
            if reason:
                await session.execute(
                    DELIVERIES["note_untold_to_alertmanager"], *noted, reason
                )
            else:
                await session.execute(DELIVERIES["note_told_to_alertmanager"], *noted)

    async def gauges(self, levels: Sequence[str]) -> list[Gauge]:
        """Read where the targets of nation, provinces or communes stand."""
        async with transaction(self._pool) as session:
            rows = await session.fetch(QUERIES["read_gauges"], list(levels))
        return [
            Gauge(
                target=row["target"],
                status=Status(row["status"]),
                expected=int(row["expected"]),
                position_bp=row["position_bp"],
                pace_7_bp=row["pace_7_bp"],
                pace_28_bp=row["pace_28_bp"],
                miss_bp=row["miss_bp"],
            )
            for row in rows
        ]

    async def silent_by_agency(self) -> Mapping[str, int]:
        """Count the indicators that agencies are silent on; 0 is a figure too."""
        async with transaction(self._pool) as session:
            rows = await session.fetch(SILENCE["count_silent"])
        return {row["agency"]: row["silent"] for row in rows}

    async def firing_by_kind(self) -> Mapping[AnyKind, int]:
        """Count the raised alerts; a kind without any is 0."""
        async with transaction(self._pool) as session:
            rows = await session.fetch(QUERIES["count_firing"])
        counts = {row["kind"]: row["firing"] for row in rows}
        return {kind: counts.get(kind, 0) for kind in (*Kind, *AgencyKind)}


def _kind(name: str) -> AnyKind:
    return AgencyKind(name) if name in set(AgencyKind) else Kind(name)
