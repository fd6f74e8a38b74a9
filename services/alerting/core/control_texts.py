"""What the alert about an agency's claims says."""

from services.alerting.core.agency_alerts import Duty
from services.alerting.core.agency_figures import AgencySubject
from services.alerting.core.control import Verdict
from services.alerting.core.templates import TextName, Texts
from services.alerting.core.texts import Summary, summarize_agency


def say_claims(duty: Duty, verdict: Verdict, texts: Texts) -> Summary:
    """Say which days an agency claims otherwise than was counted."""
    name = TextName.CONTROL_OVER
    if duty.is_removed:
        name = TextName.AGENCY_REMOVED
    elif verdict.differing:
        name = TextName.CONTROL_MISMATCH
    subject = AgencySubject(
        agency=duty.agency,
        agency_name=duty.agency_name,
        indicator_name=duty.indicator_name,
        indicator_name_vi=duty.indicator_name_vi,
        timezone=duty.timezone,
        heard_at=None,
        expected_at=duty.expected_at,
        cadence=duty.cadence,
        differing=verdict.differing,
        differences=verdict.days,
    )
    return summarize_agency(name, subject, texts)
