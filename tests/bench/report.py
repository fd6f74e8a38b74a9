"""Figures of a benchmark, as markdown and JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.

    Attributes:
        name: What was measured.
        unit: Of the values.
        values: One for each run, in order.
        target: What DESIGN section 10 asks; empty where it asks nothing.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    target: str = ""

    @property
    def median(self) -> float:
        """Return the middle of the runs."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Table:
    """What a line of figures cannot say.

    Attributes:
        header: One word or two for each column.
        rows: As many cells each.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> list[str]:
        """Render lines."""
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        return [f"| {' | '.join(cells)} |" for cells in lines]


@dataclass(slots=True)
class Report:
    """Everything that one run of the benchmark found."""

    machine: dict[str, str]
    figures: list[Figure] = field(default_factory=list)
    title: str = "Benchmark"
    tables: list[Table] = field(default_factory=list)

    def add(
        self, name: str, unit: str, values: Sequence[float], target: str = ""
    ) -> Figure:
        """Add a line; return it."""
        figure = Figure(name, unit, tuple(values), target)
        self.figures.append(figure)
        return figure

    def markdown(self) -> str:
        """Render tables."""
        lines = [f"# {self.title}", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.machine.items()]
        lines += ["", "| what | median | least | most | unit | asked |"]
        lines += ["|---|---:|---:|---:|---|---|"]
        lines += [
            f"| {each.name} | {_short(each.median)} | {_short(min(each.values))} | "
            f"{_short(max(each.values))} | {each.unit} | {each.target} |"
            for each in self.figures
        ]
        for table in self.tables:
            lines += ["", *table.markdown()]
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Render the same for programs."""
        figures = [asdict(each) | {"median": each.median} for each in self.figures]
        found: dict[str, object] = {"machine": self.machine, "figures": figures}
        if self.tables:
            found["tables"] = [asdict(each) for each in self.tables]
        return json.dumps(found, indent=2)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
