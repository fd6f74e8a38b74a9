"""Makes the `localities.csv` of the Vietnam catalogue from its source.

Run by a maintainer, never by a service:

    python -m shared.catalogue.vietnam_source [--check] OUTPUT_DIR

The source is the SQLite database inside the PyPI package vietnamadminunits
(MIT), which lists the units in force since 1 July 2025. The package is found
but not imported, since importing it pulls in a geometry library.
"""

import argparse
import csv
import importlib.metadata
import importlib.util
import io
import re
import sqlite3
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from shared.catalogue.localities import COLUMNS, FILE
from shared.catalogue.model import LocalityKind

PACKAGE = "vietnamadminunits"
VERSION = "1.0.4"

NATION_CODE = "VN"
NATION_NAME = "Việt Nam"
# The day the present state was proclaimed; any day before its provinces begin
# would do, see the catalogue's README.
NATION_VALID_FROM = "1976-07-02"
UNITS_VALID_FROM = "2025-07-01"

PROVINCE_COUNT = 34
COMMUNE_COUNT = 3321

_QUERY = "SELECT provinceCode, province, wardCode, ward FROM admin_units"
_DIGITS = re.compile(r"[0-9]{1,5}")


class SourceError(Exception):
    """The package is missing or is not what this script was written for."""


def find_database() -> Path:
    """Find the database of the installed package without importing it.

    Raises:
        SourceError: The package is missing or of another version.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"package {PACKAGE} is not installed; add {VERSION}")
    version = importlib.metadata.version(PACKAGE)
    if version != VERSION:
        raise SourceError(f"package {PACKAGE} is {version}; install {VERSION}")
    return Path(spec.submodule_search_locations[0]) / "data" / "dataset.db"


def read_units(database: Path) -> list[tuple[str, str, str, str]]:
    """Read (province code, province, commune code, commune), any order."""
    uri = f"{database.as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return [
            (
                _pad(province_code, 2),
                _clean(province),
                _pad(commune_code, 5),
                _clean(commune),
            )
            for province_code, province, commune_code, commune in connection.execute(
                _QUERY
            )
        ]


def render_localities(units: Sequence[tuple[str, str, str, str]]) -> str:
    """Write the units as CSV: the nation, then provinces, then communes.

    Returns:
        The same text for the same units in any order.

    Raises:
        SourceError: The units are not as many as there should be.
    """
    provinces = sorted({(code, name) for code, name, _, _ in units})
    communes = sorted((code, name, parent) for parent, _, code, name in units)
    counts = (len(provinces), len({code for code, _, _ in communes}), len(communes))
    if counts != (PROVINCE_COUNT, COMMUNE_COUNT, COMMUNE_COUNT):
        raise SourceError(
            f"{counts[0]} provinces and {counts[1]} communes in {counts[2]} rows; "
            f"expected {PROVINCE_COUNT} and {COMMUNE_COUNT}"
        )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow(
        (NATION_CODE, NATION_VALID_FROM, "", LocalityKind.NATION, NATION_NAME, "")
    )
    writer.writerows(
        (code, UNITS_VALID_FROM, "", LocalityKind.PROVINCE, name, NATION_CODE)
        for code, name in provinces
    )
    writer.writerows(
        (code, UNITS_VALID_FROM, "", LocalityKind.COMMUNE, name, parent)
        for code, name, parent in communes
    )
    return stream.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or with `--check` compare it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m shared.catalogue.vietnam_source")
    parser.add_argument("output_dir", type=Path, help="directory of the catalogue")
    parser.add_argument(
        "--check", action="store_true", help="compare with the file, write nothing"
    )
    options = parser.parse_args(arguments)
    path: Path = options.output_dir / FILE
    try:
        text = render_localities(read_units(find_database()))
    except SourceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not options.check:
        path.write_text(text, encoding="utf-8", newline="")
        return 0
    committed = path.read_bytes() if path.is_file() else b""
    if committed != text.encode():
        sys.stderr.write(f"{path} differs from its source; run without --check\n")
        return 1
    return 0


def _pad(code: object, width: int) -> str:
    text = str(code)
    if not _DIGITS.fullmatch(text):
        raise SourceError(f"code {text!r} is no number")
    return text.zfill(width)


def _clean(name: str) -> str:
    # Composed form, so that equal names are equal bytes.
    return unicodedata.normalize("NFC", " ".join(name.split()))


if __name__ == "__main__":
    sys.exit(main())
