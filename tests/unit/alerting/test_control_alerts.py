"""One look at an agency's claims: the alert, what is said, when to look again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.alerting.core.agency_alerts import AgencyKind, Duty
from services.alerting.core.control import PATIENCE, Control
from services.alerting.core.control_alerts import (
    LOOK_AGAIN,
    Claims,
    Comparison,
    compare,
)
from services.alerting.core.life_cycle import (
    Firing,
    Kept,
    Life,
    Pending,
    Quiet,
    Resolved,
    State,
)
from services.alerting.core.texts import Summary

NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
"""Of the local day, in Vietnam."""
MIDNIGHT = datetime(2026, 11, 21, 17, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
YESTERDAY = date(2026, 11, 20)
DUTY = Duty(
    agency="bank",
    agency_name="Bank association",
    indicator="cashless_accounts",
    indicator_name="Cashless accounts",
    indicator_name_vi="Tài khoản không dùng tiền mặt",
    locality="38",
    province="38",
    timezone="Asia/Ho_Chi_Minh",
    cadence=None,
    expected_at=NOON,
    is_removed=False,
)
WRONG = Control(YESTERDAY, 1_250, 1_240)
RIGHT = Control(YESTERDAY, 1_250, 1_250)
FIRST = Firing(1, pending_since=NOON - HOUR, since=NOON)


def look(
    *controls: Control,
    at: datetime = NOON,
    life: Life | None = None,
    duty: Duty = DUTY,
    told: Summary | None = None,
    behind: bool = False,
) -> Comparison:
    """Look at claims at an instant."""
    return compare(
        Claims(duty, controls, 62),
        life or Quiet(),
        told,
        at,
        PATIENCE,
        behind=behind,
        now=at,
    )


def run(*controls: Control, life: Life, minutes: int) -> tuple[Life, list[State]]:
    """Look every minute; return where the alert is and what was told."""
    told: list[State] = []
    for minute in range(1, minutes + 1):
        seen = look(*controls, at=NOON + minute * MINUTE, life=life)
        assert seen.alert is not None
        life = seen.alert.life
        told += [] if seen.alert.notice is None else [seen.alert.notice]
    return life, told


def test_claim_that_differs_waits_an_hour_and_is_told_once() -> None:
    """Last events of a day may follow its control."""
    begun = look(WRONG)
    assert begun.alert is not None
    assert begun.alert.kind is AgencyKind.MISMATCH
    assert begun.alert.status == "differs"
    assert isinstance(begun.alert.life, Pending)
    life, told = run(WRONG, life=begun.alert.life, minutes=59)
    assert isinstance(life, Pending)
    assert told == []
    life, told = run(WRONG, life=begun.alert.life, minutes=120)
    assert isinstance(life, Firing)
    assert told == [State.FIRING]


def test_claim_that_is_mended_in_time_is_never_raised() -> None:
    """The events came."""
    begun = look(WRONG)
    assert begun.alert is not None
    mended = look(RIGHT, at=NOON + MINUTE, life=begun.alert.life)
    assert mended.alert is not None
    assert mended.alert.life == Quiet(1)
    assert mended.alert.status == "agrees"


def test_alert_ends_an_hour_after_all_agree() -> None:
    """It is kept meanwhile."""
    life, told = run(RIGHT, life=FIRST, minutes=60)
    assert isinstance(life, Kept)
    assert told == [State.KEPT]
    life, told = run(RIGHT, life=FIRST, minutes=61)
    assert isinstance(life, Resolved)
    assert told == [State.KEPT, State.RESOLVED]


def test_agency_whose_claims_agree_has_no_alert_at_all() -> None:
    """No row is kept of what never was."""
    assert look(RIGHT).alert is None
    assert look().alert is None


def test_alert_and_its_text_stand_still_while_we_are_behind() -> None:
    """What is lacking may be what we have not counted yet."""
    told = Summary("said before", "đã nói")
    seen = look(RIGHT, life=FIRST, told=told, behind=True)
    assert seen.alert is not None
    assert (seen.alert.life, seen.alert.notice) == (FIRST, None)
    assert (seen.alert.summary, seen.alert.status) == (told, "unknown")
    assert seen.differing is None
    assert seen.next_at == NOON + LOOK_AGAIN
    assert look(WRONG, behind=True).alert is None
    nothing_tells = compare(
        Claims(DUTY, (WRONG,), 62),
        Quiet(),
        None,
        None,
        PATIENCE,
        behind=False,
        now=NOON,
    )
    assert nothing_tells.alert is None


def test_alert_ends_at_once_when_the_agency_may_send_it_no_more() -> None:
    """Nobody could mend it."""
    gone = replace(DUTY, is_removed=True)
    seen = look(WRONG, life=FIRST, duty=gone, told=Summary("before", "trước"))
    assert seen.alert is not None
    assert isinstance(seen.alert.life, Resolved)
    assert seen.alert.notice is State.RESOLVED
    assert seen.alert.summary.english == (
        "Bank association (bank) is no longer expected to report cashless accounts."
    )
    assert (seen.next_at, seen.differing) == (None, None)
    behind = look(WRONG, life=FIRST, duty=gone, behind=True)
    assert behind.alert is not None
    assert isinstance(behind.alert.life, Resolved)


@pytest.mark.parametrize(
    ("seen", "next_at"),
    [
        (look(), None),
        (look(RIGHT), MIDNIGHT),
        (look(RIGHT, at=MIDNIGHT - timedelta(seconds=1)), MIDNIGHT + 59 * MINUTE / 60),
        (look(RIGHT, at=MIDNIGHT), MIDNIGHT + timedelta(days=1)),
        (look(WRONG, life=FIRST), MIDNIGHT),
        (look(WRONG), NOON + LOOK_AGAIN),
        (look(RIGHT, life=FIRST), NOON + LOOK_AGAIN),
        (look(life=FIRST), NOON + LOOK_AGAIN),
        (look(behind=True), None),
    ],
    ids=[
        "no claims",
        "the day's end",
        "not sooner than in a minute",
        "the next day's end",
        "firing",
        "pending",
        "kept",
        "kept without claims",
        "nothing to tell",
    ],
)
def test_clock_is_reason_to_look(seen: Comparison, next_at: datetime | None) -> None:
    """At midnight a day is over and another closed; what waits is looked at often."""
    assert seen.next_at == next_at


def test_text_says_which_days_and_by_how_much() -> None:
    """The latest first, signed; how many there are in all."""
    days = [
        Control(YESTERDAY - timedelta(days=ago), 2_000 - 700 * ago, 500)
        for ago in range(7)
    ]
    seen = look(*days)
    assert seen.differing == 7
    assert seen.alert is not None
    assert seen.alert.summary == Summary(
        "Bank association (bank) claims more or less cashless accounts than counted. "
        "Days that differ: 7. Claimed minus counted: 20 November 2026: +1,500; "
        "19 November 2026: +800; 18 November 2026: +100; 17 November 2026: -600; "
        "16 November 2026: -1,300.",
        "Bank association (bank) khai tài khoản không dùng tiền mặt khác với số đã ghi "
        "nhận. Số ngày có chênh lệch: 7. Số khai trừ số ghi nhận: 20/11/2026: +1.500; "
        "19/11/2026: +800; 18/11/2026: +100; 17/11/2026: -600; 16/11/2026: -1.300.",
    )


def test_text_says_when_all_agree() -> None:
    """While the alert is kept, and once it is over."""
    seen = look(RIGHT, life=FIRST)
    assert seen.alert is not None
    assert seen.alert.summary == Summary(
        "What Bank association (bank) claims of cashless accounts is what was counted.",
        "Bank association (bank) khai tài khoản không dùng tiền mặt khớp với số đã ghi "
        "nhận.",
    )


def test_identity_is_kind_agency_and_indicator() -> None:
    """Whatever the figures, and never that of its silence."""
    one, two = look(WRONG).alert, look(replace(WRONG, claimed=1)).alert
    assert one is not None
    assert two is not None
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != replace(one, kind=AgencyKind.SILENT).fingerprint
