"""How contestants are judged, and what they are installed from."""

import re
from pathlib import Path

from tests.bench.peers.environment import HERE
from tests.bench.peers.truth import judge, records_of, true_totals
from tests.bench.report import Report, Table
from tests.bench.workload import Workload

PLACE = ("accounts", "bank", "00001", "2026-11-20")
OTHER = ("accounts", "bank", "00002", "2026-11-20")


def test_the_truth_counts_an_id_once_and_takes_reversed_events_out() -> None:
    """The workload has duplicates and reversals; both leave a mark on the truth."""
    workload = Workload(20_000)
    opened = {
        event.id: event.record["data"]
        for event in records_of(workload)
        if event.record["effect"] == "count"
    }
    reversed_ids = {
        data["id"]
        for event in records_of(workload)
        if event.record["effect"] == "reverse"
        and isinstance(data := event.record["data"], dict)
    }
    standing = [data for id_, data in opened.items() if id_ not in reversed_ids]
    expected = sum(data["count"] for data in standing if isinstance(data, dict))
    assert reversed_ids & opened.keys()
    assert len(opened) < 19_900
    assert sum(count for count, _ in true_totals(workload).values()) == expected


def test_a_total_of_zero_is_the_same_as_none() -> None:
    """Who keeps the row of a total that came to nothing is not wrong."""
    verdict = judge({PLACE: (3, 0), OTHER: (0, 0)}, {PLACE: (3, 0)})
    assert verdict.is_exact
    assert str(verdict) == "exact"


def test_errors_that_cancel_each_other_out_are_both_said() -> None:
    """The sum may be right while two totals are wrong."""
    verdict = judge({PLACE: (5, 0)}, {PLACE: (3, 0), OTHER: (2, 0)})
    assert not verdict.is_exact
    assert verdict.counted == verdict.true
    assert str(verdict) == "2 too many and 2 too few, in 2 totals"


def test_a_wrong_amount_is_not_exact() -> None:
    """Counts may be right while amounts are not."""
    verdict = judge({PLACE: (3, 1)}, {PLACE: (3, 0)})
    assert str(verdict) == "amounts differ, in 1 totals"


def test_a_report_shows_its_tables_in_both_forms() -> None:
    """People and programs read the same."""
    report = Report({}, title="Peers", tables=[Table(("who",), (("someone",),))])
    assert "# Peers" in report.markdown()
    assert "| who |\n| --- |\n| someone |" in report.markdown()
    assert '"someone"' in report.json()


def test_what_peers_are_installed_from_is_pinned_and_hashed() -> None:
    """Each has a lock file of its own, made by `make lock`, and so have the fuzzers."""
    locks = sorted(HERE.glob("*/requirements.txt"))
    locks += HERE.parents[1].glob("fuzz/requirements.txt")
    assert len(locks) == 5
    offenders = []
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        entries = re.split(r"^(?=[a-z0-9-]+(?:\[|==))", text, flags=re.MULTILINE)[1:]
        assert entries != []
        offenders += [
            f"{Path(lock.parent.name)}: {entry.split()[0]}"
            for entry in entries
            if "==" not in entry.split()[0] or "--hash=sha256:" not in entry
        ]
    assert offenders == []
