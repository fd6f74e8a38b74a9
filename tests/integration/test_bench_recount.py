"""The recount of `make bench-rebuild` agrees with what is counted, and notices."""

import pytest

from tests.bench.drain import fill_log
from tests.bench.rebuild import Findings, recount
from tests.bench.report import Report
from tests.bench.truth import CLASSES, AuditedWorkload, Truth
from tests.bench.workload import Workload
from tests.support.stack import Stack

pytestmark = pytest.mark.timeout(120)

RECORDS = 6_000


async def found(stack: Stack, truth: Truth, records: int = RECORDS) -> list[str]:
    """Recount; return what is unequal."""
    findings = Findings()
    await recount(stack, truth, records, findings, Report({}))
    return findings.unequal


async def test_recount_is_equal_and_notices_each_slip(stack: Stack) -> None:
    """Totals, classes and the number of records, each wrong by one.

    With many reversals, so that some are of reversals and of what is voided.
    """
    truth = Truth()
    workload = AuditedWorkload(Workload(RECORDS, reversals=0.2), truth)
    await fill_log(stack, workload)
    await stack.start("aggregation")
    await stack.wait_applied(RECORDS)
    assert await found(stack, truth) == []
    assert all(truth.classes[name] for name in CLASSES)
    (lost,) = await found(stack, truth, RECORDS + 1)
    assert lost == f"applied = records sent: {RECORDS}, expected {RECORDS + 1}"
    key = next(iter(truth.totals))
    truth.totals[key] += 1
    (total,) = await found(stack, truth)
    assert total.startswith("SHA-256 of all totals: ")
    truth.totals[key] -= 1
    truth.classes["duplicates"] += 1
    (class_,) = await found(stack, truth)
    assert class_.startswith("duplicates: ")
