"""What `uptake targets` says of agencies that are not heard from."""

from datetime import UTC, datetime, timedelta

from services.cli.target_silences import SilenceRow, describe_silences

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_each_silent_agency_has_its_share_and_its_last_report() -> None:
    """In the order given; nothing is said of nobody."""
    silent = SilenceRow(
        agency="bank",
        share_bp=9_012,
        is_required=False,
        voice="silent",
        voice_since=NOON,
        reported_at=NOON,
        cadence=timedelta(days=1),
    )
    unheard = SilenceRow(
        agency="police",
        share_bp=0,
        is_required=True,
        voice="heard",
        voice_since=NOON,
        reported_at=None,
        cadence=None,
    )
    assert describe_silences([silent, unheard]) == [
        "  silence    bank silent: last reported 2026-11-21 19:00, due every 24 h",
        "             brought 0.90 of the last 28 reported days",
        "             police expected: never reported",
        "             brought 0.00 of the last 28 reported days, required",
    ]
    assert describe_silences([]) == []
