"""How a file is to be read: options of the command line, and a file of the same.

A mapping file is written once for the files that a system exports every day. What the
command line says wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.cli.send_columns import Attribute, parse_mapping
from services.cli.send_files import FileProblemError
from services.cli.send_rows import DateOrder, RowDefaults

TIMEZONE: Final = "Asia/Ho_Chi_Minh"
THOUSANDS: Final = (".", ",", " ", "'", "\u00a0", "\u202f")
MAPPING_BYTES_MAX: Final = 1_000_000


class MappingFile(BaseModel):
    """A mapping file; YAML, of which JSON is a part."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    source: str | None = Field(default=None, alias="as")
    type: str | None = None
    indicator: str | None = None
    columns: dict[str, str] = {}
    id: str | None = None
    timezone: str | None = None
    dates: str | None = None
    thousands: str | None = None
    header: int | None = Field(default=None, ge=1)
    sheets: list[str] = []


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says; None where it says nothing.

    Attributes:
        columns: `COLUMN=ATTRIBUTE`, as given.
        id_column: Column of ids.
        header_row: Where column names stand.
    """

    source: str | None = None
    type: str | None = None
    indicator: str | None = None
    columns: Sequence[str] = ()
    id_column: str | None = None
    timezone: str | None = None
    dates: str | None = None
    thousands: str | None = None
    header_row: int | None = None
    sheets: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read.

    Attributes:
        chosen: Attribute by column.
        defaults: What rows leave out.
        sheets: Which sheets of workbooks; none for all visible ones.
        header_row: Where column names stand; None for the first row with text.
    """

    chosen: Mapping[str, str]
    defaults: RowDefaults
    sheets: tuple[str, ...] = ()
    header_row: int | None = None


def settle_reading(wishes: Wishes, path: Path | None) -> Reading:
    """Put command line and mapping file together.

    Raises:
        FileProblemError: Either says what cannot be.
    """
    found = MappingFile() if path is None else load_mapping(path)
    given = parse_mapping(wishes.columns, wishes.id_column)
    written = _check_columns(found, str(path))
    kept = {name: what for name, what in written.items() if what not in given.values()}
    chosen = {**kept, **given}
    defaults = RowDefaults(
        source=wishes.source or found.source,
        type=wishes.type or found.type,
        indicator=wishes.indicator or found.indicator,
        timezone=_find_zone(wishes.timezone or found.timezone or TIMEZONE),
        dates=_find_order(wishes.dates or found.dates),
        thousands=_check_thousands(wishes.thousands or found.thousands),
    )
    return Reading(
        chosen,
        defaults,
        tuple(wishes.sheets or found.sheets),
        wishes.header_row or found.header,
    )


def load_mapping(path: Path) -> MappingFile:
    """Read a mapping file.

    Raises:
        FileProblemError: It cannot be read or says what is not known.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAPPING_BYTES_MAX + 1)
        if len(raw) > MAPPING_BYTES_MAX:
            raise FileProblemError(f"{path}: longer than a mapping can be")
        content = yaml.safe_load(raw.decode("utf-8-sig"))
        return MappingFile.model_validate({} if content is None else content)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise FileProblemError(f"{path}: cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise FileProblemError(f"{path}: not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        what = " ".join(str(error).split())
        raise FileProblemError(f"{path}: not YAML: {what}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FileProblemError(
            f"{path}: {place}: {first['msg'].lower()}; known are {', '.join(_NAMES)}"
        ) from error


_NAMES: Final = tuple(
    field.alias or name for name, field in MappingFile.model_fields.items()
)


def _check_columns(found: MappingFile, place: str) -> dict[str, str]:
    for column, attribute in found.columns.items():
        if attribute not in set(Attribute):
            raise FileProblemError(
                f"{place}: columns: {column}: no attribute {attribute!r}; known are "
                f"{', '.join(Attribute)}"
            )
    own = {} if found.id is None else {found.id: Attribute.ID.value}
    return {**found.columns, **own}


def _find_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FileProblemError(
            f"--timezone {name!r}: no such time zone; use a name like {TIMEZONE}"
        ) from None


def _find_order(name: str | None) -> DateOrder | None:
    if name is None:
        return None
    try:
        return DateOrder(name.lower())
    except ValueError:
        raise FileProblemError(
            f"--dates {name!r}: dmy for 31/12/2026, mdy for 12/31/2026"
        ) from None


def _check_thousands(mark: str | None) -> str | None:
    if mark is not None and mark not in THOUSANDS:
        raise FileProblemError(
            f"--thousands {mark!r}: a full stop, a comma, an apostrophe or a space"
        )
    return mark
