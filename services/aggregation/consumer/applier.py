"""Applying what was read: one transaction a batch, then what operators see of it."""

import logging
import time
from collections.abc import Sequence

from services.aggregation.consumer.assignment import Assignment, Cut
from services.aggregation.consumer.waiting import WaitingCuts
from services.aggregation.core.judge import Judgement
from services.aggregation.store.ledger import LedgerStore, StaleProgressError
from services.aggregation.store.unreadable import UnreadableWatch
from shared.backoff import wait_out
from shared.clock import Clock
from shared.http import Readiness
from shared.metrics import AggregationMetrics

_log = logging.getLogger(__name__)


class BatchApplier:
    """Applies batches, one at a time; several appliers share what waits."""

    def __init__(
        self,
        assignment: Assignment,
        store: LedgerStore,
        watch: UnreadableWatch,
        clock: Clock,
        *,
        metrics: AggregationMetrics,
        readiness: Readiness,
    ) -> None:
        self._assignment = assignment
        self._store = store
        self._watch = watch
        self._clock = clock
        self._metrics = metrics
        self._readiness = readiness

    async def run(self, waiting: WaitingCuts) -> None:
        """Apply until cancelled; a cancelled batch is rolled back and read again.

        Raises:
            FatalError: Too many records are unreadable.
        """
        while True:
            async with waiting.taken() as cuts:
                # A rebalance or a restart since the read makes some out of date.
                current = [cut for cut in cuts if self._assignment.is_current(cut)]
                if current:
                    await self._apply(current)

    async def _apply(self, cuts: Sequence[Cut]) -> None:
        began = time.monotonic()
        slices = [cut.slice for cut in cuts]
        await wait_out(
            "check_unreadable",
            lambda: self._watch.check(slices),
            on_outage=self._readiness.for_part("kafka"),
        )
        try:
            judgement = await wait_out(
                "apply_batch",
                lambda: self._store.apply(slices),
                on_outage=self._readiness.for_part("postgres"),
            )
        except StaleProgressError as error:
            _log.info("progress_moved_elsewhere", extra={"reason": str(error)})
            self._assignment.restart(cuts)
            return
        for cut in cuts:
            self._assignment.note_applied(cut)
        self._report(cuts, judgement, time.monotonic() - began)

    def _report(
        self, cuts: Sequence[Cut], judgement: Judgement, duration_seconds: float
    ) -> None:
        metrics = self._metrics
        classes = judgement.classes.values()
        counted = sum(each.counted for each in classes)
        duplicates = sum(each.duplicates for each in classes)
        reversals = sum(each.reversed for each in classes)
        metrics.counted.inc(counted)
        metrics.duplicate.inc(duplicates)
        metrics.reversed.inc(reversals)
        for reject in judgement.rejects:
            metrics.rejected.labels(reject.code).inc()
        metrics.batch_duration.observe(duration_seconds)
        oldest = min(cut.slice.records[0].logged_at for cut in cuts)
        visible_seconds = max((self._clock.now() - oldest).total_seconds(), 0.0)
        metrics.visible.observe(visible_seconds)
        for agency, logged_at in judgement.reports.items():
            metrics.agency_last_event.labels(agency).set(logged_at.timestamp())
        _log.info(
            "batch_applied",
            extra={
                "partitions": [cut.slice.partition for cut in cuts],
                "next_offsets": [cut.slice.next_offset for cut in cuts],
                "records": sum(len(cut.slice.records) for cut in cuts),
                "counted": counted,
                "duplicates": duplicates,
                "reversed": reversals,
                "rejected": len(judgement.rejects),
                "deltas": len(judgement.deltas),
                "duration_seconds": round(duration_seconds, 4),
                "visible_seconds": round(visible_seconds, 3),
            },
        )
