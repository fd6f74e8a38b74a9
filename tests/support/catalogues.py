"""Catalogues for tests: the one that ships, with agencies whose keys are known."""

import hashlib
import shutil
from pathlib import Path

import yaml

SHIPPED = Path(__file__).parents[2] / "deploy" / "catalogue" / "vietnam"
EVERYWHERE = ("coast", "delta", "hills")
"""Agencies that a test may add; on four partitions no two share one."""
ALWAYS = {"bank": "38", "shop": "38", "census": "VN"}
"""Agencies that every copy has, with the top of what they report for."""
AGENCIES = (*ALWAYS, *EVERYWHERE)
KEYS = {agency: f"key-of-{agency}" for agency in AGENCIES}
"""Bearer keys by agency."""
SOURCES = {agency: f"/test/{agency}" for agency in AGENCIES}


def copy_catalogue(folder: Path) -> Path:
    """Copy the shipped catalogue and give it the test agencies.

    Args:
        folder: Where to put it; must not exist.

    Returns:
        The folder.
    """
    shutil.copytree(SHIPPED, folder)
    for agency, top in ALWAYS.items():
        write_agency(folder, agency, top)
    return folder


def write_agency(
    folder: Path, agency: str, top: str, *, has_topic: bool = False
) -> None:
    """Write one agency's file, with a key that is known."""
    digest = hashlib.sha256(KEYS[agency].encode()).hexdigest()
    document = {
        "id": agency,
        "name": f"Agency {agency} (illustrative)",
        "sources": [SOURCES[agency]],
        "indicators": ["*"],
        "locality": top,
        "kafka": has_topic,
        "keys": [{"id": f"{agency}-1", "sha256": digest}],
    }
    if agency == "shop":
        document["indicators"] = ["ecommerce_transactions", "ecommerce_sellers"]
    text = yaml.safe_dump(document, allow_unicode=True)
    (folder / "agencies" / f"{agency}.yaml").write_text(text, encoding="utf-8")
