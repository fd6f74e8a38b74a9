"""Checks a file before anything of it is sent, then reads it as events."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.cli.send_columns import (
    REFUSED_COLUMNS,
    REFUSED_ID,
    Attribute,
    match_columns,
)
from services.cli.send_files import (
    FileFormat,
    FileProblemError,
    Layout,
    RawRow,
    Refusal,
)
from services.cli.send_ids import OrdinalCounter, make_id
from services.cli.send_parts import Parts, read_rows
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
REVERSED: Final = "uptake.event.reversed"
# Said of a row whose id was undone: what is sent under it counts no more.
UNDONE: Final = "undone"


@dataclass(frozen=True, slots=True)
class ReadyRow:
    """A row that can be sent.

    Attributes:
        number: Its number in the file or sheet.
        id: Id of its event.
        body: Its event as JSON.
        source: Source of its event.
        time: Instant of its event, as sent.
        is_reversal: Whether it reverses another event.
        has_own_id: Whether the id stands in the file.
        sheet: Of a workbook; else empty.
        texts: Its cells, or its line, as they stand.
    """

    number: int
    id: str
    body: bytes
    source: str = ""
    time: str = ""
    is_reversal: bool = False
    has_own_id: bool = True
    sheet: str = ""
    texts: tuple[str, ...] = ()

    def refuse(self, code: str, detail: str) -> "RefusedRow":
        """Turn it away."""
        made_id = None if self.has_own_id else self.id
        return RefusedRow(
            self.number, code, detail, self.source, made_id, self.sheet, self.texts
        )


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was turned away, here or by ingest.

    Attributes:
        made_id: The id that it keeps when it is corrected; None if it has its own.
    """

    number: int
    code: str
    detail: str
    source: str = ""
    made_id: str | None = None
    sheet: str = ""
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """How one sheet, or a file without sheets, is sent.

    Attributes:
        columns: What each column means; empty for NDJSON.
        row_count: Rows of data in it.
    """

    layout: Layout
    columns: Mapping[str, Attribute]
    row_count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file will be sent.

    Attributes:
        parts: At least one; of equal format.
        hidden: Hidden sheets that are left out.
        chosen: Attribute by column, as the user chose.
        defaults: What holds for rows that do not say otherwise.
    """

    path: Path
    parts: tuple[Part, ...]
    hidden: tuple[str, ...]
    chosen: Mapping[str, str]
    defaults: RowDefaults

    @property
    def format(self) -> FileFormat:
        """How the file is written."""
        return self.parts[0].layout.format

    @property
    def row_count(self) -> int:
        """Rows of data in all parts."""
        return sum(part.row_count for part in self.parts)

    @property
    def has_own_ids(self) -> bool:
        """Whether every row must bring its id."""
        chosen = Attribute.ID.value in self.chosen.values()
        return chosen or any(
            Attribute.ID in part.columns.values() for part in self.parts
        )


def plan_file(
    path: Path, parts: Parts, chosen: Mapping[str, str], defaults: RowDefaults
) -> Plan:
    """Read a file once, to its end, and decide what its columns mean.

    Raises:
        FileProblemError: It cannot be sent; nothing of it was.
    """
    planned = []
    for layout in parts.layouts:
        columns: Mapping[str, Attribute] = {}
        if layout.format is not FileFormat.NDJSON:
            columns = match_columns(layout.header, chosen, layout.place)
            _check_columns(layout, columns, defaults)
        planned.append(Part(layout, columns, sum(1 for _ in read_rows(layout))))
    return Plan(path, tuple(planned), parts.hidden, chosen, defaults)


def _check_columns(
    layout: Layout, columns: Mapping[str, Attribute], defaults: RowDefaults
) -> None:
    place, meanings = layout.place, set(columns.values())
    if not meanings:
        other = "; or name the sheets to send by --sheet" if layout.sheet else ""
        raise FileProblemError(
            f"{place}: row {layout.header_row} is not a header that says what columns "
            "mean; name them locality, time, count, amount, or use --map "
            f"COLUMN=ATTRIBUTE, or say by --header where it stands{other}"
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


def _is_never_undone(_source: str, _id: str) -> bool:
    return False


class EventReader:
    """Reads the rows of a planned file as events with ids."""

    def __init__(
        self,
        plan: Plan,
        counter: OrdinalCounter,
        is_undone: Callable[[str, str], bool] = _is_never_undone,
    ) -> None:
        """Prepare to read.

        Args:
            plan: The file.
            counter: Counts equal rows; shared by the files of one command.
            is_undone: Tells of a source and an id whether that event was undone.
        """
        self._plan = plan
        self._counter = counter
        self._is_undone = is_undone
        self._by_keys: dict[tuple[str, ...], Mapping[str, Attribute] | Refusal] = {}
        self.equal_to_earlier_files = 0

    def read(self) -> Iterator[ReadyRow | RefusedRow]:
        """Go through the rows in order.

        Raises:
            FileProblemError: The file cannot be read on; rows before were given out.
        """
        self._counter.begin_file()
        for part in self._plan.parts:
            for row in read_rows(part.layout):
                yield self._read_row(row, part)

    def _read_row(self, row: RawRow, part: Part) -> ReadyRow | RefusedRow:
        cells = row.cells
        drafted = cells if isinstance(cells, Refusal) else self._draft(cells, part)
        if isinstance(drafted, Refusal):
            return self._refuse(row, drafted, part)
        ready = self._finish(drafted, row, part)
        return self._refuse(row, ready, part) if isinstance(ready, Refusal) else ready

    def _draft(self, cells: Mapping[str, object], part: Part) -> Draft | Refusal:
        is_ndjson = part.layout.format is FileFormat.NDJSON
        if is_ndjson and not REFUSED_COLUMNS.isdisjoint(cells):
            cells = _unrefuse(cells)
        if is_ndjson and "specversion" in cells:
            return map_cloud_event_to_draft(cells, self._plan.defaults)
        columns = self._columns_of(cells, part) if is_ndjson else part.columns
        if isinstance(columns, Refusal):
            return columns
        named = {columns[name]: cells[name] for name in columns}
        return map_row_to_draft(named, self._plan.defaults)

    def _columns_of(
        self, cells: Mapping[str, object], part: Part
    ) -> Mapping[str, Attribute] | Refusal:
        keys = tuple(cells)
        if keys not in self._by_keys:
            if len(self._by_keys) >= KEY_SETS_MAX:
                self._by_keys.clear()
            self._by_keys[keys] = self._match_keys(keys, part)
        return self._by_keys[keys]

    def _match_keys(
        self, keys: tuple[str, ...], part: Part
    ) -> Mapping[str, Attribute] | Refusal:
        here = {name: what for name, what in self._plan.chosen.items() if name in keys}
        try:
            return match_columns(keys, here, f"the line of {part.layout.path}")
        except FileProblemError as error:
            return Refusal(RefusalCode.BAD_DATA, str(error))

    def _finish(self, draft: Draft, row: RawRow, part: Part) -> ReadyRow | Refusal:
        source, own = str(draft.event["source"]), draft.event.get("id")
        if own is None and self._plan.has_own_ids:
            return Refusal(RefusalCode.BAD_ID, "the column of ids is empty here")
        id_ = self._make_id(draft.content, source) if own is None else own
        if own is not None and self._is_undone(source, str(own)):
            return Refusal(
                UNDONE, "this id was undone and counts no more; give the row another id"
            )
        event = {**draft.event, "id": id_}
        return ReadyRow(
            number=row.number,
            id=str(id_),
            body=json.dumps(event, separators=(",", ":")).encode("ascii"),
            source=source,
            time=str(event.get("time")),
            is_reversal=event.get("type") == REVERSED,
            has_own_id=own is not None,
            sheet=part.layout.sheet,
            texts=row.texts,
        )

    def _make_id(self, content: tuple[object, ...], source: str) -> str:
        """Make an id that was not undone before: a row sent anew counts anew."""
        ordinal, was_seen = self._counter.count(content)
        self.equal_to_earlier_files += was_seen
        again = 0
        while self._is_undone(source, id_ := make_id(content, ordinal, again)):
            again += 1
        return id_

    def _refuse(self, row: RawRow, refusal: Refusal, part: Part) -> RefusedRow:
        """Turn a row away, with an id of its own for when it is corrected."""
        made_id, source = None, self._plan.defaults.source or ""
        if not self._plan.has_own_ids:
            content = (source, "refused", *self._sent_texts(row, part))
            ordinal, _ = self._counter.count(content)
            made_id = make_id(content, ordinal)
        return RefusedRow(
            row.number,
            str(refusal.code),
            refusal.detail,
            source,
            made_id,
            part.layout.sheet,
            row.texts,
        )

    def _sent_texts(self, row: RawRow, part: Part) -> tuple[str, ...]:
        """Return what matters of a row, so that notes beside it change no id."""
        header = part.layout.header
        if not part.columns or len(row.texts) != len(header):
            return row.texts
        named = dict(zip(header, row.texts, strict=True))
        return tuple(f"{part.columns[name]}={named[name]}" for name in part.columns)


def _unrefuse(cells: Mapping[str, object]) -> Mapping[str, object]:
    """Take from a line what we wrote into it when it was refused."""
    kept = {name: cells[name] for name in cells if name not in REFUSED_COLUMNS}
    if REFUSED_ID in cells and "id" not in kept:
        kept["id"] = cells[REFUSED_ID]
    return kept
