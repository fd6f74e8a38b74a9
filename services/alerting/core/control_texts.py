"""What the alert about an agency's claims says."""

from services.alerting.core.agency_alerts import Duty
from services.alerting.core.control import Verdict
from services.alerting.core.texts import Summary


def say_claims(duty: Duty, verdict: Verdict) -> Summary:
    """Say which days an agency claims otherwise than was counted."""
    who = f"{duty.agency_name} ({duty.agency})"
    what, what_vi = duty.indicator_name, duty.indicator_name_vi
    if duty.is_removed:
        return Summary(
            f"{who} no longer reports: {what}.", f"{who} không còn báo cáo: {what_vi}."
        )
    if not verdict.differing:
        return Summary(
            f"{who} claims what was counted: {what}.",
            f"{who} khai đúng với số đã ghi nhận: {what_vi}.",
        )
    days = [
        f"{day} {_count(abs(over))} {'more' if over > 0 else 'fewer'}"
        for day, over in verdict.days
    ]
    days_vi = [
        f"{day} {'nhiều' if over > 0 else 'ít'} hơn {_count_vi(abs(over))}"
        for day, over in verdict.days
    ]
    others = verdict.differing - len(verdict.days)
    if others:
        days.append(f"and on {others} other {'day' if others == 1 else 'days'}")
        days_vi.append(f"và {others} ngày khác")
    return Summary(
        f"{who} claims other figures than were counted: {what}; {'; '.join(days)}.",
        f"{who} khai khác số đã ghi nhận: {what_vi}; {'; '.join(days_vi)}.",
    )


def _count(value: int) -> str:
    return f"{value:,}"


def _count_vi(value: int) -> str:
    return _count(value).replace(",", ".")
