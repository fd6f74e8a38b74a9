"""One look at a duty: what becomes of its voice and its alert, and what is said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.core.agency_alerts import (
    AgencyKind,
    Duty,
    DutyLook,
    agency_fingerprint,
    look_at,
)
from services.alerting.core.life_cycle import Firing, Kept, Life, Quiet, Resolved, State
from services.alerting.core.silence import Clock, Hearing, Voice, expect

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW = expect(Clock(timedelta(), NOON), NOON)
DUTY = Duty(
    agency="bank",
    agency_name="Bank association",
    indicator="cashless_accounts",
    indicator_name="Cashless accounts",
    indicator_name_vi="Tài khoản không dùng tiền mặt",
    locality="38",
    province="38",
    timezone="Asia/Ho_Chi_Minh",
    cadence=DAY,
    expected_at=NOON,
    is_removed=False,
)


def look(
    after: timedelta,
    reported: timedelta | None = None,
    *,
    duty: Duty = DUTY,
    hearing: Hearing = NEW,
    life: Life | None = None,
    behind: bool = False,
) -> DutyLook:
    """Look so long after noon, with a report so long after it."""
    return look_at(
        duty,
        hearing,
        life or Quiet(),
        None if reported is None else NOON + reported,
        Clock(after, NOON + after),
        behind=behind,
        now=NOON + after,
    )


SILENT = look(2 * DAY)


def test_silence_raises_one_alert_and_tells_it_once() -> None:
    """The next looks change nothing."""
    assert isinstance(SILENT.life, Firing)
    assert SILENT.notice is State.FIRING
    assert SILENT.is_turned
    again = look(3 * DAY, hearing=SILENT.hearing, life=SILENT.life)
    assert again.life == SILENT.life
    assert again.notice is None
    assert not again.is_turned


def test_agency_that_is_heard_has_no_alert_at_all() -> None:
    """No row is kept of what never was."""
    assert not look(HOUR, HOUR).has_alert
    assert SILENT.has_alert


def test_first_report_ever_has_targets_judged_anew() -> None:
    """A required agency that never reported made them unknown."""
    first = look(HOUR, HOUR)
    assert first.is_turned
    assert not look(2 * HOUR, 2 * HOUR, hearing=first.hearing).is_turned


def test_return_keeps_the_alert_until_the_agency_has_settled() -> None:
    """Then it is over, once."""
    back = look(3 * DAY, 3 * DAY, hearing=SILENT.hearing, life=SILENT.life)
    assert isinstance(back.life, Kept)
    assert back.notice is State.KEPT
    told: list[tuple[int, State]] = []
    life: Life = back.life
    hearing = back.hearing
    for minutes in range(1, 70):
        after = 3 * DAY + timedelta(minutes=minutes)
        seen = look(after, 3 * DAY, hearing=hearing, life=life)
        life, hearing = seen.life, seen.hearing
        told += [] if seen.notice is None else [(minutes, seen.notice)]
    assert told == [(60, State.RESOLVED)]
    assert hearing.voice is Voice.HEARD


def test_agency_that_is_silent_again_while_kept_tells_nobody() -> None:
    """For everybody outside the alert never stopped."""
    back = look(3 * DAY, 3 * DAY, hearing=SILENT.hearing, life=SILENT.life)
    again = look(5 * DAY, 3 * DAY, hearing=back.hearing, life=back.life)
    assert isinstance(again.life, Firing)
    assert again.notice is None
    assert again.life.episode == 1


def test_voice_and_alert_stand_still_while_we_are_behind() -> None:
    """Nobody is called silent, and nobody taken back."""
    late = look(2 * DAY, behind=True)
    assert late.hearing == NEW
    assert not late.has_alert
    back = look(3 * DAY, 3 * DAY, hearing=SILENT.hearing, life=SILENT.life, behind=True)
    assert (back.hearing, back.life, back.notice) == (SILENT.hearing, SILENT.life, None)


def test_alert_ends_at_once_with_the_duty() -> None:
    """The catalogue has it no more."""
    gone = replace(DUTY, is_removed=True)
    seen = look(3 * DAY, duty=gone, hearing=SILENT.hearing, life=SILENT.life)
    assert isinstance(seen.life, Resolved)
    assert seen.notice is State.RESOLVED
    assert seen.summary.english == (
        "Bank association (bank) is no longer expected to report cashless accounts."
    )


def test_text_says_when_it_last_reported_in_local_time() -> None:
    """What stays true for as long as nobody looks."""
    seen = look(2 * DAY, HOUR)
    assert seen.summary.english == (
        "Bank association (bank) is not reporting cashless accounts. It last reported "
        "on 21 November 2026, 20:00. A report is due every 24 hours."
    )
    assert seen.summary.vietnamese == (
        "Bank association (bank) không báo cáo tài khoản không dùng tiền mặt. Báo cáo "
        "lần cuối lúc 20:00 ngày 21/11/2026. Phải báo cáo mỗi 24 giờ."
    )


def test_text_says_that_it_never_reported() -> None:
    """And since when that is expected."""
    assert SILENT.summary.english == (
        "Bank association (bank) is not reporting cashless accounts. It has never "
        "reported; it is expected to since 21 November 2026, 19:00. A report is due "
        "every 24 hours."
    )


def test_text_of_one_that_returned_says_so() -> None:
    """While the alert is kept, and when it is over."""
    back = look(3 * DAY, 3 * DAY, hearing=SILENT.hearing, life=SILENT.life)
    assert isinstance(back.life, Kept)
    assert back.summary.english == (
        "Bank association (bank) reports cashless accounts again. It last reported on "
        "24 November 2026, 19:00. A report is due every 24 hours."
    )


def test_agency_without_a_cadence_owes_no_hours() -> None:
    """The sentence about them is left out."""
    seen = look(2 * DAY, HOUR, duty=replace(DUTY, cadence=None))
    assert "hours" not in seen.summary.english


@pytest.mark.parametrize(
    ("agency", "indicator"), [("bank", "other"), ("bankc", "ashless_accounts")]
)
def test_fingerprint_is_of_kind_agency_and_indicator(
    agency: str, indicator: str
) -> None:
    """The same for ever, and no other duty's."""
    own = agency_fingerprint(AgencyKind.SILENT, "bank", "cashless_accounts")
    assert own == "a63e427c037d93ff5d9f2462543145b3"
    assert own != agency_fingerprint(AgencyKind.SILENT, agency, indicator)
