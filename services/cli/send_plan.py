"""Checks a file before anything of it is sent, then reads it as events."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.cli.send_columns import Attribute, match_columns
from services.cli.send_files import (
    FileFormat,
    FileProblemError,
    Layout,
    RawRow,
    Refusal,
    read_rows,
)
from services.cli.send_ids import OrdinalCounter, make_id
from services.cli.send_rows import (
    PLACELESS_TYPES,
    Draft,
    RowDefaults,
    map_cloud_event_to_draft,
    map_row_to_draft,
)
from shared.errors import RefusalCode

# NDJSON may have other keys in every line; what they mean is remembered for this
# many sets of keys.
KEY_SETS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """A row that can be sent: its number in the file and its event as JSON."""

    number: int
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was turned away, here or by ingest."""

    number: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file will be sent.

    Attributes:
        layout: How it is written.
        columns: What each column of CSV means; empty for NDJSON.
        chosen: Attribute by column, as the user chose.
        defaults: What holds for rows that do not say otherwise.
        row_count: Rows of data in it.
    """

    layout: Layout
    columns: Mapping[str, Attribute]
    chosen: Mapping[str, str]
    defaults: RowDefaults
    row_count: int

    @property
    def has_own_ids(self) -> bool:
        """Whether every row must bring its id."""
        chosen = Attribute.ID.value in self.chosen.values()
        return chosen or Attribute.ID in self.columns.values()


def plan_file(layout: Layout, chosen: Mapping[str, str], defaults: RowDefaults) -> Plan:
    """Read a file once, to its end, and decide what its columns mean.

    Raises:
        FileProblemError: It cannot be sent; nothing of it was.
    """
    columns: Mapping[str, Attribute] = {}
    if layout.format is FileFormat.CSV:
        columns = match_columns(layout.header, chosen, str(layout.path))
        _check_columns(layout, columns, defaults)
    row_count = sum(1 for _ in read_rows(layout))
    return Plan(layout, columns, chosen, defaults, row_count)


def _check_columns(
    layout: Layout, columns: Mapping[str, Attribute], defaults: RowDefaults
) -> None:
    place, meanings = layout.path, set(columns.values())
    if not meanings:
        raise FileProblemError(
            f"{place}: row 1 is not a header that says what columns mean; name them "
            "locality, time, count, amount, or use --map COLUMN=ATTRIBUTE"
        )
    if defaults.source is None:
        raise FileProblemError(f"{place}: say who sends it: --as SOURCE")
    if not meanings & {Attribute.INDICATOR, Attribute.TYPE} and not (
        defaults.type or defaults.indicator
    ):
        raise FileProblemError(
            f"{place}: say what is counted: --indicator INDICATOR or --type TYPE"
        )
    needed = {Attribute.TIME}
    if Attribute.TYPE not in meanings and defaults.type not in PLACELESS_TYPES:
        needed.add(Attribute.LOCALITY)
    for attribute in sorted(needed - meanings):
        listed = ", ".join(f'"{name}"' for name in layout.header[:20])
        raise FileProblemError(
            f"{place}: no column for {attribute}; use --map COLUMN={attribute} "
            f"(columns: {listed})"
        )


class EventReader:
    """Reads the rows of a planned file as events with ids."""

    def __init__(self, plan: Plan, counter: OrdinalCounter) -> None:
        """Prepare to read.

        Args:
            plan: The file.
            counter: Counts equal rows; shared by the files of one command.
        """
        self._plan = plan
        self._counter = counter
        self._by_keys: dict[tuple[str, ...], Mapping[str, Attribute] | Refusal] = {}
        self.equal_to_earlier_files = 0

    def read(self) -> Iterator[ReadyRow | RefusedRow]:
        """Go through the rows in order.

        Raises:
            FileProblemError: The file cannot be read on; rows before were given out.
        """
        self._counter.begin_file()
        for row in read_rows(self._plan.layout):
            drafted = self._draft(row)
            ready = drafted if isinstance(drafted, Refusal) else self._finish(drafted)
            if isinstance(ready, Refusal):
                yield RefusedRow(row.number, str(ready.code), ready.detail)
            else:
                id_, body = ready
                yield ReadyRow(row.number, id_, body)

    def _draft(self, row: RawRow) -> Draft | Refusal:
        cells = row.cells
        if isinstance(cells, Refusal):
            return cells
        if self._plan.layout.format is FileFormat.NDJSON and "specversion" in cells:
            return map_cloud_event_to_draft(cells, self._plan.defaults)
        columns = self._columns_of(cells)
        if isinstance(columns, Refusal):
            return columns
        named = {columns[name]: cells[name] for name in columns}
        return map_row_to_draft(named, self._plan.defaults)

    def _columns_of(
        self, cells: Mapping[str, object]
    ) -> Mapping[str, Attribute] | Refusal:
        if self._plan.layout.format is FileFormat.CSV:
            return self._plan.columns
        keys = tuple(cells)
        if keys not in self._by_keys:
            if len(self._by_keys) >= KEY_SETS_MAX:
                self._by_keys.clear()
            self._by_keys[keys] = self._match_keys(keys)
        return self._by_keys[keys]

    def _match_keys(self, keys: tuple[str, ...]) -> Mapping[str, Attribute] | Refusal:
        here = {name: what for name, what in self._plan.chosen.items() if name in keys}
        try:
            return match_columns(keys, here, "the line")
        except FileProblemError as error:
            return Refusal(RefusalCode.BAD_DATA, str(error))

    def _finish(self, draft: Draft) -> tuple[str, bytes] | Refusal:
        id_ = draft.event.get("id")
        if id_ is None:
            if self._plan.has_own_ids:
                return Refusal(RefusalCode.BAD_ID, "the column of ids is empty here")
            ordinal, was_seen = self._counter.count(draft.content)
            self.equal_to_earlier_files += was_seen
            id_ = make_id(draft.content, ordinal)
        event = {**draft.event, "id": id_}
        return str(id_), json.dumps(event, separators=(",", ":")).encode("ascii")
