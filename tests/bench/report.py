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


@dataclass(slots=True)
class Report:
    """Everything that one run of the benchmark found."""

    machine: dict[str, str]
    figures: list[Figure] = field(default_factory=list)

    def add(
        self, name: str, unit: str, values: Sequence[float], target: str = ""
    ) -> Figure:
        """Add a line; return it."""
        figure = Figure(name, unit, tuple(values), target)
        self.figures.append(figure)
        return figure

    def markdown(self) -> str:
        """Render tables."""
        lines = ["# Benchmark", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.machine.items()]
        lines += ["", "| what | median | least | most | unit | asked |"]
        lines += ["|---|---:|---:|---:|---|---|"]
        lines += [
            f"| {each.name} | {_short(each.median)} | {_short(min(each.values))} | "
            f"{_short(max(each.values))} | {each.unit} | {each.target} |"
            for each in self.figures
        ]
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Render the same for programs."""
        figures = [asdict(each) | {"median": each.median} for each in self.figures]
        return json.dumps({"machine": self.machine, "figures": figures}, indent=2)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
