"""Which column of a file means which attribute of an event."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.cli.send_files import FileProblemError


class Attribute(StrEnum):
    """What a column may mean."""

    LOCALITY = "locality"
    TIME = "time"
    COUNT = "count"
    AMOUNT = "amount"
    INDICATOR = "indicator"
    TYPE = "type"
    ID = "id"
    DAY = "day"


# What a file of refused rows has before the columns of its original. The id goes with
# the row, so that a row that was corrected counts beside rows that are now its equals.
REFUSED_ROW: Final = "refused_row"
REFUSED_SHEET: Final = "refused_sheet"
REFUSED_CODE: Final = "refused_code"
REFUSED_DETAIL: Final = "refused_detail"
REFUSED_ID: Final = "refused_id"
REFUSED_LINE: Final = "refused_line"
REFUSED_COLUMNS: Final = frozenset(
    {
        REFUSED_ROW,
        REFUSED_SHEET,
        REFUSED_CODE,
        REFUSED_DETAIL,
        REFUSED_ID,
        REFUSED_LINE,
    }
)

# Written without marks, since `fold_name` takes them away.
_ALIASES: Final[Mapping[str, Attribute]] = MappingProxyType(
    {
        "ma xa": Attribute.LOCALITY,
        "ma phuong": Attribute.LOCALITY,
        "ma xa phuong": Attribute.LOCALITY,
        "ma dia ban": Attribute.LOCALITY,
        "ma don vi hanh chinh": Attribute.LOCALITY,
        "ngay": Attribute.TIME,
        "ngay gio": Attribute.TIME,
        "thoi gian": Attribute.TIME,
        "thoi diem": Attribute.TIME,
        "so luong": Attribute.COUNT,
        "tien": Attribute.AMOUNT,
        "so tien": Attribute.AMOUNT,
        "chi tieu": Attribute.INDICATOR,
        "loai": Attribute.TYPE,
        "refused id": Attribute.ID,
        **{attribute.value: attribute for attribute in Attribute},
    }
)


def fold_name(name: str) -> str:
    """Reduce a column's name to what people do not vary: `Mã_Xã ` is `ma xa`."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("đ", "d"))
    bare = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return " ".join(re.split(r"[\s_/\-]+", bare)).strip()


def parse_mapping(options: Iterable[str], id_column: str | None) -> dict[str, str]:
    """Read `--map COLUMN=ATTRIBUTE` options and `--id COLUMN`.

    Returns:
        Attribute by column, both as given.

    Raises:
        FileProblemError: An option is malformed or names no attribute.
    """
    chosen = {}
    for option in options:
        column, equals, attribute = option.rpartition("=")
        known = ", ".join(Attribute)
        if not equals or not column:
            raise FileProblemError(f"--map {option!r}: write COLUMN=ATTRIBUTE")
        if attribute not in set(Attribute):
            raise FileProblemError(
                f"--map {option!r}: no attribute {attribute!r}; known are {known}"
            )
        chosen[column] = attribute
    if id_column is not None:
        chosen[id_column] = Attribute.ID.value
    return chosen


def match_columns(
    columns: Iterable[str], chosen: Mapping[str, str], place: str
) -> Mapping[str, Attribute]:
    """Decide what each column of a file means; what means nothing is left out.

    Args:
        columns: Names as they stand in the file.
        chosen: Attribute by column, by the user's choice; it wins over the names.
        place: Name of the file for messages.

    Raises:
        FileProblemError: A chosen column is missing, or two columns mean the same.
    """
    names = tuple(columns)
    missing = [column for column in chosen if column not in names]
    if missing:
        listed = ", ".join(f'"{name}"' for name in names[:20])
        raise FileProblemError(f'{place}: no column "{missing[0]}"; it has {listed}')
    taken = set(chosen.values())
    matched: dict[str, Attribute] = {}
    owners: dict[Attribute, str] = {}
    for name in names:
        attribute = _ALIASES.get(fold_name(name))
        if name in chosen:
            attribute = Attribute(chosen[name])
        elif attribute is None or attribute in taken:
            continue
        if attribute in owners:
            raise FileProblemError(
                f'{place}: columns "{owners[attribute]}" and "{name}" both mean '
                f"{attribute}; choose one by --map COLUMN={attribute}"
            )
        owners[attribute] = name
        matched[name] = attribute
    return MappingProxyType(matched)
