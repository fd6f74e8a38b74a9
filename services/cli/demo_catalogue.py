"""The demo's own copy of the catalogue: made-up agencies with keys, and its targets."""

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import yaml

from services.cli.demo_plan import (
    DAY_COUNT,
    PROVINCE,
    TARGET_DAYS_AHEAD,
    TARGET_GOAL,
    TARGET_ID,
    TARGET_INDICATOR,
    DemoAgency,
    demo_agencies,
)
from services.cli.supervisor import write_atomically
from shared.errors import FatalError

KEYS_FILE: Final = "keys.json"
KEY_BYTES: Final = 18
# The shipped agencies have no key and the shipped targets nothing to stand on here.
REPLACED: Final = frozenset({"agencies", "targets"})
NOTICE: Final = "# Written by `uptake demo`, and removed when it starts again.\n"


def write_demo_catalogue(
    shipped: Path, folder: Path, today: date
) -> tuple[DemoAgency, ...]:
    """Copy a catalogue below the demo's folder and make it the demo's.

    The shipped agencies give way to the demo's: they have no keys, and would be
    called silent.

    Args:
        shipped: The catalogue to copy.
        folder: The demo's folder; its `catalogue` is replaced.
        today: Local day.

    Returns:
        The agencies, with the only copy of their keys but for the keys file.

    Raises:
        FatalError: The folder cannot be written.
    """
    copy = folder / "catalogue"
    agencies = demo_agencies(_new_keys())
    try:
        if copy.exists():
            shutil.rmtree(copy)
        for source in sorted(shipped.rglob("*")):
            relative = source.relative_to(shipped)
            if source.is_file() and relative.parts[0] not in REPLACED:
                place = copy / relative
                place.parent.mkdir(parents=True, exist_ok=True)
                # Without its mode: an installed file may be closed to writing.
                shutil.copyfile(source, place)
        (copy / "agencies").mkdir(parents=True)
        (copy / "targets").mkdir(parents=True)
        for agency in agencies:
            _write_yaml(copy / "agencies" / f"{agency.id}.yaml", _agency(agency))
        _write_yaml(copy / "targets" / "demo.yaml", _targets(today))
        keys = {agency.id: agency.key for agency in agencies}
        write_atomically(
            folder / KEYS_FILE, json.dumps(keys, indent=2) + "\n", mode=0o600
        )
    except OSError as error:
        raise FatalError(
            f"the demo cannot write below {folder}: {error}; remove that folder, or "
            "run as the user who owns it"
        ) from error
    return agencies


def _new_keys() -> Iterator[str]:
    while True:
        yield f"demo-{secrets.token_urlsafe(KEY_BYTES)}"


def _agency(agency: DemoAgency) -> dict[str, object]:
    digest = hashlib.sha256(agency.key.encode()).hexdigest()
    return {
        "id": agency.id,
        "name": agency.name,
        "sources": [agency.source],
        "indicators": list(agency.indicators),
        "locality": PROVINCE,
        "keys": [{"id": "demo", "sha256": digest}],
    }


def _targets(today: date) -> list[dict[str, object]]:
    """Make up one target that lags, and one on each other kind of path.

    By the time all is counted the others are on pace.
    """

    def due_in(days: int) -> date:
        return today + timedelta(days=days)

    return [
        _target(
            TARGET_ID,
            TARGET_INDICATOR,
            today,
            due=due_in(TARGET_DAYS_AHEAD),
            goal={"value": TARGET_GOAL},
            behind={"for": "5s", "keep": "5s"},
        ),
        # A flow: what is sold from the start on.
        _target(
            "demo-transactions",
            "ecommerce_transactions",
            today,
            due=due_in(TARGET_DAYS_AHEAD),
            goal={"value": 60_000},
        ),
        _target(
            "demo-buyers",
            "ecommerce_buyers",
            today,
            due=due_in(TARGET_DAYS_AHEAD),
            goal={"value": 160_000},
            trajectory={
                "milestones": [
                    {"date": due_in(-20), "value": 60_000},
                    {"date": due_in(10), "value": 135_000},
                ]
            },
        ),
        # An S-curve from one in a hundred of the province's people to nine in ten.
        _target(
            "demo-health-insurance",
            "health_insurance_cards",
            today,
            start_value=37_607,
            due=due_in(5),
            goal={"percent": 90, "of": "population"},
            trajectory="logistic",
        ),
    ]


def _target(
    target_id: str,
    indicator: str,
    today: date,
    *,
    start_value: int = 0,
    **more: object,
) -> dict[str, object]:
    return {
        "id": target_id,
        "indicator": indicator,
        "locality": PROVINCE,
        "start": {"date": today - timedelta(days=DAY_COUNT), "value": start_value},
        **more,
        "illustrative": True,
    }


def _write_yaml(path: Path, value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    path.write_text(NOTICE + text, encoding="utf-8")
