"""A small catalogue in which everything is right, for tests to spoil."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.catalogue.load import CatalogueError, load_catalogue

SHA_A, SHA_B, SHA_C = "a" * 64, "b" * 64, "c" * 64

FILES = {
    "catalogue.yaml": """\
name: Test
timezone: Asia/Ho_Chi_Minh
""",
    "indicators.yaml": """\
- id: cashless_accounts
  name: Cashless accounts
  name_vi: Tài khoản không dùng tiền mặt
  measure: stock
  unit: accounts
  source: somewhere
- id: ecommerce_transactions
  name: Transactions
  name_vi: Giao dịch
  measure: flow
  amount: true
  unit: transactions
  source: somewhere
""",
    "event_types.yaml": """\
- type: uptake.cashless.closed
  effect: count
  indicator: cashless_accounts
  sign: -1
- type: uptake.ecommerce.refunded
  effect: count
  indicator: ecommerce_transactions
  sign: -1
  amount_only: true
- type: uptake.indicator.counted
  effect: count
  sign: 1
- type: uptake.indicator.stated
  effect: state
""",
    "localities.csv": """\
code,valid_from,valid_to,kind,name,parent
VN,1976-07-02,,nation,Việt Nam,
38,2025-07-01,,province,Tỉnh Thanh Hóa,VN
15961,2025-07-01,,commune,Xã Hoằng Lộc,38
16000,2025-07-01,2026-07-01,commune,Xã Hoằng Thanh,38
""",
    "agencies/bank.yaml": f"""\
id: tha-bank
name: Bank
sources:
  - /vn/38/bank
indicators: ["*"]
locality: "38"
keys:
  - id: first
    sha256: {SHA_A}
  - id: second
    sha256: {SHA_B}
cadence: 7d
cadences:
  ecommerce_transactions: 24h
required: true
""",
    "agencies/voso.yaml": """\
id: tha-voso
name: Voso
sources: [/vn/38/voso, /vn/38/shop]
indicators: [ecommerce_transactions]
locality: "15961"
kafka: true
keys: []
""",
    "populations.csv": """\
group,locality,valid_from,as_of,count,source,illustrative
adults,38,2025-07-01,2025-07-01,2000001,"office, page 1",false
adults,38,2025-07-01,2026-03-01,2100000,office,false
adults,38,2025-07-01,2025-12-31,2000003,office,false
adults,15961,2025-07-01,2025-12-31,0,office,false
guessed,38,2025-07-01,2025-12-31,1500000,made up,true
""",
    "targets/thanh-hoa.yaml": """\
- id: tha-cashless-2026
  indicator: cashless_accounts
  locality: "38"
  start: {date: 2026-01-01, value: 854000}
  due: 2026-12-31
  goal: {value: 1200000}
  trajectory: linear
  behind: {enter: 0.8, leave: 0.8125, for: 90 m, keep: 2d}
  issued_by: Decision 1
- id: tha-falling
  indicator: cashless_accounts
  locality: "15961"
  start: {date: 2026-01-01, value: 100}
  due: 2026-12-31
  goal: {value: 0}
  illustrative: true
""",
}

PLACE = "targets/thanh-hoa.yaml: tha-cashless-2026"
GOAL = "{value: 1200000}"
"""The goal of that target."""

# Replaces the first occurrence of a text in a file and returns the problems.
Edit = Callable[[str, str, str], tuple[str, ...]]


def problems_of(directory: Path) -> tuple[str, ...]:
    """Load a catalogue that is wrong and return its problems."""
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(directory)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def spoil_targets(directory: Path, *edits: tuple[str, str]) -> tuple[str, ...]:
    """Replace texts in the targets, each once, and return the problems."""
    text = FILES["targets/thanh-hoa.yaml"]
    for old, new in edits:
        assert old in text, "the test replaces nothing"
        text = text.replace(old, new, 1)
    (directory / "targets/thanh-hoa.yaml").write_text(text, encoding="utf-8")
    return problems_of(directory)
