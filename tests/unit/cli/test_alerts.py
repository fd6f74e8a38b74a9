"""What `uptake alerts` says: since when, why, and what comes next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.cli.alerts import AlertRow, describe, print_list, why
from tests.unit.cli.test_targets import LAGS

NOW = datetime(2026, 11, 21, 12, 40, tzinfo=UTC)
FIRING = AlertRow(
    fingerprint="0123456789abcdef0123456789abcdef",
    kind="TargetLagging",
    target="tha-cashless-2026",
    indicator="cashless_accounts",
    locality="38",
    state="firing",
    episode=1,
    state_since=NOW - timedelta(days=12),
    pending_since=NOW - timedelta(days=13),
    firing_since=NOW - timedelta(days=12),
    resolved_at=None,
    summary_en="Thanh Hóa is behind on cashless accounts: 1,674,310 against 2,009,363.",
    summary_vi="Thanh Hóa chậm tiến độ tài khoản: 1.674.310 so với 2.009.363.",
    evaluated_at=NOW,
    agency=None,
    status="lagging",
    reason=None,
    trajectory="linear",
    actual=1_674_310,
    expected=2_009_363,
    position_bp=7_100,
    pace_7_bp=343,
    pace_28_bp=362,
    looked_at=NOW,
    next_look_at=NOW + timedelta(minutes=1),
    enter_bp=9_000,
    leave_bp=9_500,
    waited_seconds=None,
    wait_seconds=None,
)
PENDING = replace(
    FIRING,
    kind="TargetAtRisk",
    state="pending",
    firing_since=None,
    waited_seconds=11_400,
    wait_seconds=86_400,
)


def test_list_says_since_when_why_and_when_it_is_looked_at_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Figures, path and windows, in 80 columns."""
    print_list([FIRING])
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "state   kind           about              since             next look",
        "─" * 76,
        "firing  TargetLagging  tha-cashless-2026  2026-11-09 19:40  2026-11-21 19:41",
        "tha-cashless-2026: lagging, 1,674,310 of 2,009,363 due now (linear), position",
        "  0.71; pace 7 d 0.03, 28 d 0.03",
        "uptake alerts show TARGET says more, uptake targets explain TARGET all of it",
    ]


def test_unknown_target_is_not_said_to_lag() -> None:
    """Its alert goes on; what it rests on is said as what it is."""
    row = replace(FIRING, status="unknown", reason="platform")
    assert why(row).startswith(
        "unknown because of platform, so neither on pace nor behind, 1,674,310 of "
    )
    assert why(replace(FIRING, status=None)) == "its target is not kept any more"


def test_one_alert_is_shown_in_full() -> None:
    """Both languages, what it waits for, and every instant."""
    assert describe(PENDING, LAGS) == [
        "TargetAtRisk   tha-cashless-2026   pending since 2026-11-09 19:40",
        "  Thanh Hóa is behind on cashless accounts: 1,674,310 against 2,009,363.",
        "  Thanh Hóa chậm tiến độ tài khoản: 1.674.310 so với 2.009.363.",
        "  actual     1,674,310, due by now 2,009,363, position 0.71",
        "  goal       2,152,000 by 2026-12-31, from 854,000 on 2026-01-01",
        "  pace       7 d 0.03, 28 d 0.03; 11,942 a day are needed",
        "  illustrative: not a target that anybody has set",
        "  behind     below 0.90, until 0.95 or until both paces are enough",
        "  waited     3:10:00 of 24:00:00 that it could be judged; then it fires",
        "  looked at  2026-11-21 19:40, next 2026-11-21 19:41 or when a total changes",
        "  pending    since 2026-11-08 19:40",
        "  firing     since -",
        "  resolved   -",
        "  episode    1, fingerprint 0123456789abcdef0123456789abcdef",
    ]


def test_kept_alert_says_how_long_it_has_been_clear() -> None:
    """Then it is resolved."""
    kept = replace(PENDING, state="kept", waited_seconds=90)
    assert (
        "  waited     0:01:30 of 24:00:00 that it could be judged; then it is resolved"
        in describe(kept, None)
    )
