"""The line with which each faulty entry of a catalogue is refused."""

import pytest

from tests.unit.shared.catalogue_files import SHA_A, SHA_B, SHA_C, Edit

BOUND = f"keys: [{{{{id: k, sha256: {SHA_C}, {{}}}}}}]"
SHA_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

ENTRY_REFUSALS = [
    (
        ("indicators.yaml", "ecommerce_transactions", "cashless_accounts"),
        (
            "indicators.yaml: cashless_accounts.id: 'cashless_accounts' is already in "
            "indicators.yaml; rename or remove one"
        ),
    ),
    (
        ("event_types.yaml", "uptake.ecommerce.refunded", "uptake.cashless.closed"),
        (
            "event_types.yaml: uptake.cashless.closed.type: "
            "'uptake.cashless.closed' is already in event_types.yaml; "
            "rename or remove one"
        ),
    ),
    (
        ("event_types.yaml", "cashless_accounts", "cash"),
        (
            "event_types.yaml: uptake.cashless.closed.indicator: indicator 'cash' is "
            "unknown; add it to indicators.yaml"
        ),
    ),
    (
        ("event_types.yaml", "  sign: 1\n", ""),
        (
            "event_types.yaml: uptake.indicator.counted: effect count has no sign; "
            "add sign: 1 or -1"
        ),
    ),
    (
        ("event_types.yaml", "sign: -1", "sign: 2"),
        (
            "event_types.yaml: uptake.cashless.closed.sign: input should be 1 or -1 "
            "(not 2); correct it"
        ),
    ),
    (
        ("event_types.yaml", "effect: state", "effect: state\n  sign: 1"),
        (
            "event_types.yaml: uptake.indicator.stated: effect state takes no sign, "
            "indicator or amount_only; remove them"
        ),
    ),
    (
        (
            "event_types.yaml",
            "indicator: ecommerce_transactions",
            "indicator: cashless_accounts",
        ),
        (
            "event_types.yaml: uptake.ecommerce.refunded: amount_only, but indicator "
            "'cashless_accounts' has no amount; remove amount_only or give the "
            "indicator amount: true"
        ),
    ),
    (
        ("event_types.yaml", "  indicator: ecommerce_transactions\n", ""),
        (
            "event_types.yaml: uptake.ecommerce.refunded: amount_only has no "
            "indicator; name one"
        ),
    ),
    (
        ("agencies/voso.yaml", "id: tha-voso", "id: tha-bank"),
        (
            "agencies/voso.yaml: id: 'tha-bank' is already in agencies/bank.yaml; "
            "rename or remove one"
        ),
    ),
    (
        ("agencies/voso.yaml", "id: tha-voso", "id: Tha_Voso"),
        (
            "agencies/voso.yaml: id: string should match pattern '^[a-z0-9-]{1,64}$' "
            "(not 'Tha_Voso'); correct it"
        ),
    ),
    (
        ("agencies/voso.yaml", "/vn/38/shop", "/vn/38/bank"),
        (
            "agencies/voso.yaml: sources: source '/vn/38/bank' already belongs to "
            "agency 'tha-bank'; a source belongs to one agency: keep it in one place"
        ),
    ),
    (
        ("agencies/voso.yaml", "/vn/38/shop", "/vn/38/bank/branch/2"),
        (
            "agencies/voso.yaml: sources: source '/vn/38/bank/branch/2' lies below "
            "'/vn/38/bank' of agency 'tha-bank'; give it a path of its own or remove it"
        ),
    ),
    (
        ("agencies/voso.yaml", "/vn/38/shop", "/vn/38/../39"),
        (
            "agencies/voso.yaml: sources.1: string should match pattern "
            "'^(/[A-Za-z0-9~_-][A-Za-z0-9._~-]*)+$' (not '/vn/38/../39'); correct it"
        ),
    ),
    (
        ("agencies/voso.yaml", "[ecommerce_transactions]", "[]"),
        (
            "agencies/voso.yaml: indicators: list should have at least 1 item after "
            "validation, not 0 (not a list of 0); correct it"
        ),
    ),
    (
        ("agencies/voso.yaml", "[ecommerce_transactions]", "['*', cashless_accounts]"),
        "agencies/voso.yaml: indicators: '*' beside others; keep one or the other",
    ),
    (
        ("agencies/voso.yaml", "[ecommerce_transactions]", "[eid]"),
        (
            "agencies/voso.yaml: indicators: indicator 'eid' is unknown; "
            "add it to indicators.yaml"
        ),
    ),
    (
        ("agencies/voso.yaml", '"15961"', "15961"),
        (
            "agencies/voso.yaml: locality: input should be a valid string (not 15961); "
            "put the value in quotes"
        ),
    ),
    (
        ("agencies/voso.yaml", '"15961"', '"99999"'),
        (
            "agencies/voso.yaml: locality: locality '99999' is unknown; "
            "use a code of localities.csv"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []\n", ""),
        "agencies/voso.yaml: keys: field required; add it",
    ),
    (
        ("agencies/voso.yaml", "[]", f"[{{id: k, sha256: {SHA_A}}}]"),
        (
            "agencies/voso.yaml: keys: key 'k' has the sha256 of key 'first' of agency "
            "'tha-bank'; make a new key"
        ),
    ),
    (
        ("agencies/bank.yaml", "id: second", "id: first"),
        "agencies/bank.yaml: keys: key id 'first' is repeated; rename one",
    ),
    (
        ("agencies/bank.yaml", SHA_B, SHA_B.upper()),
        (
            "agencies/bank.yaml: keys.1.sha256: string should match pattern "
            "'^[0-9a-f]{64}$'; correct it"
        ),
    ),
    (
        ("agencies/bank.yaml", SHA_B, "uptk_the-key-itself"),
        (
            "agencies/bank.yaml: keys.1.sha256: string should match pattern "
            "'^[0-9a-f]{64}$'; correct it"
        ),
    ),
    (
        ("agencies/bank.yaml", SHA_B, SHA_OF_NOTHING),
        (
            "agencies/bank.yaml: keys.1.sha256: it is the hash of no text at all; "
            "hash the key itself"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []", BOUND.format("sources: [/vn/38/bank]")),
        (
            "agencies/voso.yaml: keys.k.sources: source '/vn/38/bank' is none of the "
            "agency's; give one of its sources or a path below one"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []", BOUND.format("sources: [/vn/38/voso2]")),
        (
            "agencies/voso.yaml: keys.k.sources: source '/vn/38/voso2' is none of the "
            "agency's; give one of its sources or a path below one"
        ),
    ),
    (
        (
            "agencies/voso.yaml",
            "keys: []",
            BOUND.format("indicators: [cashless_accounts]"),
        ),
        (
            "agencies/voso.yaml: keys.k.indicators: indicator 'cashless_accounts' is "
            "none of the agency's; give it to the agency too or remove it"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []", BOUND.format('locality: "38"')),
        (
            "agencies/voso.yaml: keys.k.locality: locality '38' does not lie within "
            "the agency's '15961'; give a code of its subtree"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []", BOUND.format('locality: "99999"')),
        (
            "agencies/voso.yaml: keys.k.locality: locality '99999' does not lie within "
            "the agency's '15961'; give a code of its subtree"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []", BOUND.format("last_day: tomorrow")),
        (
            "agencies/voso.yaml: keys.0.last_day: input should be a valid date (not "
            "'tomorrow'); give a date like 2026-01-31, without quotes"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []", BOUND.format("sources: []")),
        (
            "agencies/voso.yaml: keys.0.sources: list should have at least 1 item "
            "after validation, not 0 (not a list of 0); correct it"
        ),
    ),
    (
        ("agencies/voso.yaml", "keys: []", "keys: []\nlimits: {burst_events: 0}"),
        (
            "agencies/voso.yaml: limits.burst_events: input should be greater than or "
            "equal to 1 (not 0); correct it"
        ),
    ),
    (
        (
            "agencies/bank.yaml",
            "keys:\n",
            f"keys:\n  - id: third\n    sha256: {SHA_C}\n",
        ),
        (
            "agencies/bank.yaml: keys: list should have at most 2 items after "
            "validation, not 3 (not a list of 3); correct it"
        ),
    ),
    (
        ("agencies/bank.yaml", "cadence: 7d", "cadence: weekly"),
        (
            "agencies/bank.yaml: cadence: 'weekly' is not a duration; "
            "write one like 90s, 30m, 24h or 7d"
        ),
    ),
    (
        ("agencies/bank.yaml", "cadence: 7d", "cadence: 90m"),
        (
            "agencies/bank.yaml: cadence: '90m' is not a whole number of hours; "
            "write one like 24h or 7d"
        ),
    ),
    (
        ("agencies/bank.yaml", "_transactions: 24h", "_transactions: daily"),
        (
            "agencies/bank.yaml: cadences.ecommerce_transactions: 'daily' is not a "
            "duration; write one like 90s, 30m, 24h or 7d"
        ),
    ),
    (
        ("agencies/bank.yaml", "  ecommerce_transactions: 24h", "  sales: 24h"),
        (
            "agencies/bank.yaml: cadences: indicator 'sales' is unknown; add it to "
            "indicators.yaml"
        ),
    ),
    (
        (
            "agencies/voso.yaml",
            "keys: []",
            "keys: []\ncadences: {cashless_accounts: 24h}",
        ),
        (
            "agencies/voso.yaml: cadences.cashless_accounts: the agency does not "
            "report this indicator; add it to indicators or remove it here"
        ),
    ),
]


@pytest.mark.parametrize(("edit", "line"), ENTRY_REFUSALS)
def test_faulty_entry_is_refused(
    problems_after: Edit, edit: tuple[str, str, str], line: str
) -> None:
    """Each fault has one line with file, place, fault and remedy."""
    assert problems_after(*edit) == (line,)
