"""Tells what became of the rows: lines for people, or JSON for programs."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec
from rich.cells import cell_len, set_cell_size

from services.cli.render import counted, instant, plain
from services.cli.send_columns import Attribute
from services.cli.send_files import FileFormat
from services.cli.send_http import Outcome
from services.cli.send_plan import Plan, RefusedRow
from services.cli.send_told import Became, Told

EXAMPLES_MAX: Final = 5
LINE_MAX: Final = 79
_MEANINGS: Final = {
    Became.COUNTED: "counted",
    Became.BEFORE: "counted before: sent again, which changed nothing",
    Became.REPEATED: "with the id of another row: counted once with it",
    Became.REVERSED: "taken as a reversal",
    Became.VOIDED: "reversed: no longer counted",
    Became.REJECTED: "rejected: in no total",
    Became.FORGOTTEN: "older than the ledger remembers",
    Became.ON_THE_WAY: "on the way: safe in the log, not counted yet",
}
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(slots=True)
class Tally:
    """What became of the rows of a file so far.

    Attributes:
        before: Rows that were accepted before an interruption.
        corrected: Refused rows that were sent corrected.
        rejected: Rows that were accepted and are in no total, as the board told.
        examples: The first few refusals.
    """

    accepted: int = 0
    refused: int = 0
    before: int = 0
    corrected: int = 0
    rejected: int = 0
    examples: list[RefusedRow] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Add a batch."""
        self.accepted += outcome.accepted
        self.refused += len(outcome.refused)
        self.before += outcome.before
        room = EXAMPLES_MAX - len(self.examples)
        self.examples += outcome.refused[: max(room, 0)]


class Report(Protocol):
    """Told what is done; says it."""

    def begin(self, plan: Plan, *, is_resumed: bool) -> None:
        """Say how a file is read."""

    def refuse(self, path: Path, rows: Sequence[RefusedRow]) -> None:
        """Note rows that were turned away."""

    def finish(self, plan: Plan, tally: Tally, listed: Sequence[Path]) -> None:
        """Say what became of a file, and where its refused rows are listed."""

    def reject(self, path: Path, rows: Sequence[RefusedRow]) -> None:
        """Note rows that were accepted and are in no total."""

    def tell(self, plan: Plan, told: Told, listed: Sequence[Path]) -> None:
        """Say what the board told, and where rejected rows are listed."""

    def tell_nothing(self) -> None:
        """Say that no board was asked."""


class TextReport:
    """Lines of at most 80 columns."""

    def __init__(self, *, would: str | None = None) -> None:
        """Choose the words.

        Args:
            would: Why nothing is sent, e.g. `dry run`; None where something is.
        """
        self._would = would

    def begin(self, plan: Plan, *, is_resumed: bool) -> None:
        """Say how a file is read."""
        _say(describe_plan(plan, is_resumed=is_resumed))

    def refuse(self, path: Path, rows: Sequence[RefusedRow]) -> None:
        """Say nothing yet."""

    def finish(self, plan: Plan, tally: Tally, listed: Sequence[Path]) -> None:
        """Say what became of a file."""
        _say(summarize(plan, tally, listed, would=self._would))

    def reject(self, path: Path, rows: Sequence[RefusedRow]) -> None:
        """Say nothing yet."""

    def tell(self, plan: Plan, told: Told, listed: Sequence[Path]) -> None:
        """Say what the board told."""
        _say(summarize_told(plan, told, listed))

    def tell_nothing(self) -> None:
        """Say how to be told."""
        _say(["nobody was asked what was counted: no --board URL, no UPTAKE_BOARD_URL"])


class _Refused(msgspec.Struct, omit_defaults=True):
    file: str
    row: int
    code: str
    detail: str
    sheet: str = ""
    state: str = ""


class _Told(msgspec.Struct):
    file: str
    asked: int
    states: dict[str, int]
    not_asked: int
    complete_up_to: str | None
    rejected_files: list[str]


class _Summary(msgspec.Struct):
    file: str
    accepted: int
    accepted_before: int
    corrected: int
    refused: int
    refused_files: list[str]


class JsonReport:
    """A JSON object a line, so that a program need not hold a long file's refusals."""

    def begin(self, plan: Plan, *, is_resumed: bool) -> None:
        """Say nothing."""

    def refuse(self, path: Path, rows: Sequence[RefusedRow]) -> None:
        """Say each row."""
        for row in rows:
            told = _Refused(str(path), row.number, row.code, row.detail, row.sheet)
            print(_to_json(told), flush=True)

    def finish(self, plan: Plan, tally: Tally, listed: Sequence[Path]) -> None:
        """Say the figures."""
        told = _Summary(
            file=str(plan.path),
            accepted=tally.accepted,
            accepted_before=tally.before,
            corrected=tally.corrected,
            refused=tally.refused,
            refused_files=[str(one) for one in listed],
        )
        print(_to_json(told), flush=True)

    def reject(self, path: Path, rows: Sequence[RefusedRow]) -> None:
        """Say each row, and that it is in no total."""
        for row in rows:
            told = _Refused(
                *(str(path), row.number, row.code, row.detail, row.sheet),
                state=Became.REJECTED.value,
            )
            print(_to_json(told), flush=True)

    def tell(self, plan: Plan, told: Told, listed: Sequence[Path]) -> None:
        """Say the figures; every state is named."""
        complete = told.complete_up_to
        line = _Told(
            file=str(plan.path),
            asked=told.asked,
            states={became.value: told.states[became] for became in Became},
            not_asked=told.not_asked,
            complete_up_to=None if complete is None else complete.isoformat(),
            rejected_files=[str(one) for one in listed],
        )
        print(_to_json(line), flush=True)

    def tell_nothing(self) -> None:
        """Say nothing: what nobody told is not there."""


def _to_json(told: msgspec.Struct) -> str:
    return msgspec.json.encode(told).decode()


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)


def describe_plan(plan: Plan, *, is_resumed: bool = False) -> list[str]:
    """Say how a file is read, before it is sent."""
    lines = [f"{plain(str(plan.path))}: {_describe_format(plan)}"]
    zone = plan.defaults.timezone.key
    columns: dict[str, Attribute] = {}
    for part in plan.parts:
        columns |= part.columns
    for column, attribute in columns.items():
        note = ""
        if attribute is Attribute.TIME:
            note = f" (date only: 12:00 {zone})"
        lines.append(_cut(f'  column "{plain(column)}" -> {attribute}{note}'))
    header = dict.fromkeys(n for part in plan.parts for n in part.layout.header if n)
    ignored = [f'"{name}"' for name in header if name not in columns]
    if ignored:
        lines.append(_cut(f"  not sent: {plain(', '.join(ignored))}"))
    if plan.hidden:
        names = ", ".join(f'"{name}"' for name in plan.hidden)
        lines.append(_cut(f"  hidden sheets, not sent: {plain(names)}"))
    if not plan.has_own_ids and plan.format is not FileFormat.NDJSON:
        lines.append(
            "  ids are made of what the rows say: sent again, each counts once"
        )
    if is_resumed:
        lines.append("  was interrupted; going on with the rest")
    return lines


def _describe_format(plan: Plan) -> str:
    rows = counted(plan.row_count, "row")
    if plan.format is FileFormat.XLSX:
        return f"{counted(len(plan.parts), 'sheet')}, {rows}"
    if plan.format is FileFormat.CSV:
        return f"{rows}, CSV with {_DELIMITERS[plan.parts[0].layout.delimiter]}"
    return f"{rows}, NDJSON"


def summarize(
    plan: Plan, tally: Tally, listed: Sequence[Path], *, would: str | None = None
) -> list[str]:
    """Say what became of a file."""
    verb = "would be " if would else ""
    before = f" and {tally.before:,} before that" if tally.before else ""
    line = (
        f"  {tally.accepted:,} {verb}accepted{before}, {tally.refused:,} {verb}refused"
    )
    lines = [line]
    lines = _point(line, listed)
    if tally.corrected:
        left = counted(tally.corrected, "row")
        lines.append(f"  {left} left out, which were sent corrected")
    lines += _list_examples(plan, tally.examples, tally.refused, listed)
    if listed:
        lines.append("  to correct: edit that file, then send it as you sent this one")
    if would:
        lines.append(f"  nothing was sent ({would})")
    return lines


def summarize_told(plan: Plan, told: Told, listed: Sequence[Path]) -> list[str]:
    """Say what the board told of accepted rows; a state of no row is not said."""
    width = len(f"{max([*told.states.values(), told.not_asked]):,}")
    rows = counted(told.sent, "accepted row")
    lines = [f"{plain(str(plan.path))}: of {rows}, by the board:"]
    for became in Became:
        count = told.states[became]
        if not count:
            continue
        meaning = _MEANINGS[became]
        if became is Became.BEFORE and count == told.sent:
            meaning = "counted before, all of them: this sending changed nothing"
        line = f"  {count:>{width},} {meaning}"
        if became is not Became.REJECTED:
            lines.append(line)
            continue
        lines += _point(line, listed)
        lines += _list_examples(plan, told.rejected, count, listed)
    if told.not_asked:
        lines.append(f"  {told.not_asked:>{width},} not asked about")
    if told.states[Became.ON_THE_WAY]:
        complete = told.complete_up_to
        known = "not known" if complete is None else instant(complete)
        lines.append(f"  complete up to {known}; --wait SECONDS waits longer")
    return lines


def _point(line: str, listed: Sequence[Path]) -> list[str]:
    """Say where rows are listed; a name may be longer than a line, it is never cut."""
    if not listed:
        return [line]
    arrow = f" -> {', '.join(plain(str(path)) for path in listed)}"
    return [line + arrow] if cell_len(line + arrow) <= LINE_MAX else [line, arrow]


def _list_examples(
    plan: Plan, examples: Sequence[RefusedRow], count: int, listed: Sequence[Path]
) -> list[str]:
    """Say the first rows that were turned away, and how many more there are."""
    has_sheets = len(plan.parts) > 1
    lines = []
    for row in examples:
        sheet = f"{plain(row.sheet)} " if has_sheets else ""
        lines += _wrap(f"    {sheet}row {row.number:<7} {row.code}", plain(row.detail))
    more = count - len(examples)
    if more > 0:
        where = " in that file" if listed else "; --json lists all"
        lines.append(f"    and {more:,} more{where}")
    return lines


def _wrap(head: str, detail: str) -> list[str]:
    """Say a refusal in a line if it fits, else in up to three."""
    line = f"{head:<36} {detail}"
    if cell_len(line) <= LINE_MAX:
        return [line]
    indent = " " * 6
    wrapped = textwrap.wrap(
        detail, LINE_MAX - len(indent), max_lines=2, placeholder="…"
    )
    return [_cut(head.rstrip()), *(_cut(indent + part) for part in wrapped)]


def _cut(line: str) -> str:
    """Cut a line to what a terminal shows; Vietnamese and Chinese count right."""
    if cell_len(line) <= LINE_MAX:
        return line
    return f"{set_cell_size(line, LINE_MAX - 1).rstrip()}…"
