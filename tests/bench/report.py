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

    @property
    def p99(self) -> float:
        """Return what 99 of 100 runs did not exceed; of few runs nearly the most."""
        if len(self.values) == 1:
            return self.values[0]
        return statistics.quantiles(self.values, n=100, method="inclusive")[98]


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
        lines += ["", "| what | median | p99 | least | most | unit | asked |"]
        lines += ["|---|---:|---:|---:|---:|---|---|"]
        lines += [
            f"| {each.name} | {_short(each.median)} | {_short(each.p99)} | "
            f"{_short(min(each.values))} | {_short(max(each.values))} | {each.unit} | "
            f"{each.target} |"
            for each in self.figures
        ]
        for table in self.tables:
            lines += ["", *table.markdown()]
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Render the same for programs."""
        figures = [
            asdict(each) | {"median": each.median, "p99": each.p99}
            for each in self.figures
        ]
        found: dict[str, object] = {"machine": self.machine, "figures": figures}
        if self.tables:
            found["tables"] = [asdict(each) for each in self.tables]
        return json.dumps(found, indent=2)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
