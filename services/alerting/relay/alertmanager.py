"""Deliveries to Alertmanager (API v2).

It is told of the row as it is now, never of a queued transition: however long it was
away, it hears of each alert once and in its present state.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import aiohttp

from services.alerting.core.agency_alerts import (
    AGENCY_RUNBOOKS,
    AGENCY_SEVERITIES,
    AgencyKind,
)
from services.alerting.core.alerts import RUNBOOKS, SEVERITIES, Kind
from services.alerting.store import AlertStore, Delivery
from shared.alerting_metrics import AlertingMetrics
from shared.backoff import delays_seconds, wait_out
from shared.errors import TransientError

# Two thirds of a megabyte in one request. To choose the next ones costs Postgres some
# 20 ms while thousands are to be told, so there should not be many requests.
ALERTS_MAX: Final = 500
POLL_SECONDS: Final = 0.5
RESOLVED_FOR: Final = timedelta(minutes=15)
# Once it has not heard of an alert for longer than `endsAt` lies ahead, it takes it for
# over by itself; beyond that there is nothing to tell it any more.
END_SOUGHT_FOR: Final = timedelta(hours=6)
# While an alert fires, how far ahead its end is given: should we be gone for longer
# than this, Alertmanager takes it for over.
END_AHEAD: Final = timedelta(hours=1)
LEVELS: Final = ("nation", "province", "commune")
KINDS: Final = (*Kind, *AgencyKind)
# Beyond two missed repetitions: how long an unknown target's alerts stay quiet.
UNKNOWN_AHEAD: Final = timedelta(seconds=30)
# A claim outlives the slowest request, so that nobody else sends the same meanwhile.
LEASE_EXTRA: Final = timedelta(seconds=30)
REFUSAL_CHARACTERS_MAX: Final = 300
AWAY: Final = "away"
REFUSED: Final = "refused"
UNKNOWN: Final = "TargetUnknown"
"""Told beside the alerts of a target that is unknown, to keep them quiet."""

_SEVERITIES: Final[Mapping[str, str]] = {
    kind.value: severity
    for kind, severity in (*SEVERITIES.items(), *AGENCY_SEVERITIES.items())
}
_RUNBOOKS: Final[Mapping[str, str]] = {
    kind.value: page for kind, page in (*RUNBOOKS.items(), *AGENCY_RUNBOOKS.items())
}

_log = logging.getLogger(__name__)


def render_alert(delivery: Delivery, resend: timedelta) -> dict[str, object]:
    """Render an alert for `POST /api/v2/alerts`.

    Labels hold no figures: they are the alert's identity, and another figure would
    be another alert.

    Args:
        delivery: The alert's row.
        resend: How often it is sent again while it fires.
    """
    ends_at = delivery.over_at or delivery.read_at + END_AHEAD + 2 * resend
    return {
        "labels": {
            "alertname": delivery.kind.value,
            **_place_labels(delivery),
            "severity": _SEVERITIES[delivery.kind.value],
        },
        "annotations": {
            "summary": delivery.summary_en,
            "summary_vi": delivery.summary_vi,
            "runbook": _RUNBOOKS[delivery.kind.value],
        },
        "startsAt": _instant(delivery.raised_at),
        "endsAt": _instant(ends_at),
    }


def render_alerts(
    deliveries: Sequence[Delivery], resend: timedelta
) -> list[dict[str, object]]:
    """Render alerts, and one `TargetUnknown` for each of their unknown targets.

    What an alert is about cannot be one of its labels, but Alertmanager's inhibition
    knows labels only. So an alert that nobody can stand up for at the moment is
    joined by another about the same target, which the configuration that ships uses
    to keep it quiet. It ends by itself when it is not sent again: should we be gone,
    nothing is kept quiet for long.

    Whatever keeps others quiet stands before them: of alerts that have been on for
    longer than its `group_wait`, as after an outage, Alertmanager tells at once.
    """
    in_order = sorted(deliveries, key=_rank)
    bodies = [render_alert(each, resend) for each in in_order]
    unknown = {
        each.target: each
        for each in deliveries
        if each.is_unknown and each.over_at is None
    }
    kept_quiet_by: list[dict[str, object]] = [
        {
            "labels": {
                "alertname": UNKNOWN,
                **_place_labels(each),
                "severity": "none",
            },
            "startsAt": _instant(each.read_at),
            "endsAt": _instant(each.read_at + UNKNOWN_AHEAD + 2 * resend),
        }
        for each in unknown.values()
    ]
    return kept_quiet_by + bodies


def _rank(delivery: Delivery) -> tuple[int, int]:
    """Order alerts: parents before children, lag before risk."""
    return LEVELS.index(delivery.level), KINDS.index(delivery.kind)


def _place_labels(delivery: Delivery) -> dict[str, str]:
    # An alert about an agency has that label in the place of the target's.
    about = (
        {"agency": delivery.agency} if delivery.agency else {"target": delivery.target}
    )
    return {
        **about,
        "indicator": delivery.indicator,
        "locality": delivery.locality,
        "level": delivery.level,
        "province": delivery.province,
        # So that nothing is kept quiet by what is due on another day.
        **({} if delivery.due is None else {"due": delivery.due.isoformat()}),
    }


class AlertmanagerDelivery:
    """Tells Alertmanager at once of what changed, and again and again of what fires."""

    def __init__(
        self,
        store: AlertStore,
        metrics: AlertingMetrics,
        *,
        url: str,
        resend: timedelta,
        timeout: timedelta,
        moved: asyncio.Event,
        on_outage: Callable[[str | None], None],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Take what is needed.

        Args:
            store: Holds the alerts.
            metrics: Told of failures.
            url: Alertmanager's base address.
            resend: How often a firing alert is sent again.
            timeout: Longest that one request may take.
            moved: Set when an alert may have moved, so that it need not wait for the
                next poll; that sees what another replica has found.
            on_outage: Told of Postgres's outages.
            poll_seconds: How often it looks by itself.
        """
        self._store = store
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._url = url.rstrip("/") + "/api/v2/alerts"
        self._resend = resend
        self._timeout = timeout
        self._moved = moved
        self._on_outage = on_outage
        self._failures = 0

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._timeout.total_seconds())
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                self._moved.clear()
                if await self._deliver(session) < ALERTS_MAX:
                    await self._rest()

    async def _rest(self) -> None:
        """Wait until something has moved, for no longer than until the next poll."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):
                await self._moved.wait()

    async def _deliver(self, session: aiohttp.ClientSession) -> int:
        """Send what is due once; after a failure claim anew what is due then.

        A crash after the claim delays those alerts by the lease; a crash after the
        request repeats it.
        """
        deliveries = await wait_out(
            "claim_deliveries",
            lambda: self._store.claim_deliveries(
                ALERTS_MAX,
                resolved_for=RESOLVED_FOR,
                lease=self._timeout + LEASE_EXTRA,
                end_sought_for=END_SOUGHT_FOR,
            ),
            on_outage=self._on_outage,
        )
        if not deliveries:
            return 0
        try:
            reason = await self._post(session, render_alerts(deliveries, self._resend))
        except TransientError as error:
            await self._put_off(deliveries, error)
            return 0
        self._failures = 0
        await self._note(deliveries, self._resend, reason)
        _log.info("alerts_delivered", extra={"alerts": len(deliveries)})
        return len(deliveries)

    async def _post(
        self, session: aiohttp.ClientSession, body: list[dict[str, object]]
    ) -> str:
        """Send alerts; return why some of them were refused, if they were."""
        try:
            async with session.post(self._url, json=body) as response:
                if response.ok:
                    return ""
                status = response.status
                said = (await response.text())[:REFUSAL_CHARACTERS_MAX]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientError(
                f"alertmanager is away: {type(error).__name__}: {error}"
            ) from error
        if status != HTTPStatus.BAD_REQUEST:
            raise TransientError(f"alertmanager answered {status}: {said}")
        # It has taken the alerts of the batch that it can read; to hurry would not
        # make it read the others.
        self._metrics.delivery_failures.inc()
        _log.error("alertmanager_refused", extra={"reason": said})
        return REFUSED

    async def _put_off(
        self, deliveries: Sequence[Delivery], error: TransientError
    ) -> None:
        self._failures += 1
        self._metrics.delivery_failures.inc()
        delay = delays_seconds(self._failures)
        _log.warning(
            "alertmanager_away",
            extra={
                "reason": str(error),
                "attempt": self._failures,
                "wait_seconds": round(delay, 3),
            },
        )
        await self._note(deliveries, timedelta(), AWAY)
        await asyncio.sleep(delay)

    async def _note(
        self, deliveries: Sequence[Delivery], again_in: timedelta, reason: str
    ) -> None:
        await wait_out(
            "note_deliveries",
            lambda: self._store.note_deliveries(deliveries, again_in, reason),
            on_outage=self._on_outage,
        )


def _instant(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")
