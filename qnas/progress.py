"""What a search shows while it runs, and what is found as tables of the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # imported when a search runs, so that `qnas spaces` is quick
    import pandas as pd

    from qnas.config import Config
    from qnas.experiment.measure import Measurement
    from qnas.experiment.results import Findings

_BEST_ROWS = 6
_SHARE, _CREDIT = 0.05, 0.5
"""Which part of a run, beside so many seconds, may go into what it shows: of thousands of designs, that takes long."""


class Progress:
    """Live progress of a run: done, failed, hypervolume, time left, and the best of the front."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self.started = self.interrupted = False

    def interrupt(self, *_: object) -> None:
        """Handle SIGINT and SIGTERM, so that workers are not left behind.

        What is raised in a signal handler may be lost, e.g. in a callback of the garbage collector, or come out as
        another error; so it is noted, too.
        """
        self.interrupted = True
        raise KeyboardInterrupt

    def on_start(self, config: Config, *, n_evaluations: int, n_workers: int) -> None:
        """Open the live display."""
        self.started = True
        self._total = n_evaluations
        self._started, self._drawing = time.monotonic(), 0.0
        self._new: set[int] = set()
        self._console.print(
            Text(
                f"Searching {config.space} on {config.data.name} with {config.search.name}: {self._total} designs, "
                f"{n_workers} worker{'s' * (n_workers > 1)}. Run folder: {config.run_dir}"
            ),
            soft_wrap=True,
        )
        waiting = self._panel(0, Text(f"0/{self._total} done   the first results take a few seconds more"))
        self._live = Live(waiting, console=self._console, refresh_per_second=4, transient=True)
        self._live.start()

    def on_evaluation(self, findings: Findings, design_id: int, *, known: bool) -> None:
        """Redraw, unless too much time has gone into that; what is no terminal gets a line from time to time."""
        if self.interrupted:
            raise KeyboardInterrupt
        is_new = not known and design_id not in self._new  # after early stopping a design has further results
        if is_new:
            self._new.add(design_id)
        if self._console.is_terminal:
            if self._drawing <= _SHARE * (time.monotonic() - self._started) + _CREDIT:
                self._draw(findings)
        elif is_new and len(findings.evaluations) % max(1, self._total // 12) == 0:
            self._console.print(self._line(findings))

    def _draw(self, findings: Findings) -> None:
        assert self._live is not None
        began = time.monotonic()
        best = front_table(findings, "Best of the front so far", _BEST_ROWS)
        self._live.update(Group(self._panel(len(findings.evaluations), self._line(findings)), best))
        self._drawing += time.monotonic() - began

    def _line(self, findings: Findings) -> Text:
        n_done = len(findings.evaluations)
        return Text.assemble(
            (f"{n_done}/{self._total} done", "bold"),
            f"   {self._failures(findings)}   hypervolume {self._hypervolume(findings)}   {self._time_left(n_done)}",
        )

    def on_generation(self, findings: Findings, generation: int) -> None:
        """Every evaluation is shown."""

    def _panel(self, n_done: int, line: Text) -> RenderableType:
        panel = Table.grid()
        panel.add_row(ProgressBar(total=self._total, completed=n_done, width=60))
        panel.add_row(line)
        return panel

    def _failures(self, findings: Findings) -> str:
        states = [evaluation.state.name for evaluation in findings.evaluations.values()]
        n_excluded = states.count("EXCLUDED")
        failed = f"{len(states) - states.count('COMPLETE') - n_excluded} failed"
        return f"{n_excluded} excluded, {failed}" if n_excluded else failed

    def _hypervolume(self, findings: Findings) -> str:
        """It has no unit before the first generation is complete."""
        if len(findings.evaluations) < findings.config.search.population:
            return "-"
        return f"{findings.hypervolume():.3f}"

    def _time_left(self, n_done: int) -> str:
        if n_done >= self._total:
            return "finishing"
        if not self._new:
            return "time left unknown"
        seconds = (time.monotonic() - self._started) / len(self._new) * max(self._total - n_done, 0)
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"

    def on_end(self, findings: Findings) -> None:
        """Close the live display."""
        self.stop()

    def stop(self) -> None:
        """Close the live display, if it is open."""
        if self._live is not None:
            self._live.stop()


def front_table(findings: Findings, title: str, n_rows: int | None = None) -> RenderableType:
    """The front: objectives, with an arrow to the better side, and what the designs are made of."""
    from qnas.experiment.ledger import gene_values

    front = findings.front
    table = Table(title=title_text(title), title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("id", justify="right")
    for objective in findings.objectives:
        arrow = "↑" if objective.direction == "maximize" else "↓"
        header = f"{objective.name} {arrow}"
        # numbers are never cut short
        table.add_column(Text(header), justify="right", no_wrap=True, min_width=len(header))
    if findings.config.ledger.reuse:
        table.add_column("reused", no_wrap=True)
    table.add_column("design", no_wrap=n_rows is not None)  # a live display has as many lines as the screen
    for row in front.head(n_rows if n_rows is not None else len(front)).to_dict("records"):
        cells = [_value(row[objective.name]) for objective in findings.objectives]
        evaluation = findings.evaluations[int(row["id"])]
        summary = _summary(gene_values(findings.space, evaluation.architecture))
        stopped = f" ({evaluation.stopped_at} epochs)" if evaluation.stopped_at else ""
        origin = [Text(Path(row["reused"]).name)] if findings.config.ledger.reuse else []
        table.add_row(str(row["id"]), *cells, *origin, Text(summary + stopped))
    return table


def title_text(text: str) -> Text:
    """Of a table; what is no Text would be read as markup, in which [red] is a colour."""
    return Text(text, style="table.title")


def _value(value: int | float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _summary(genes: Mapping[str, object]) -> str:
    """The genes outside of repeated layers: names of parts as they are, everything else as gene=value."""
    top = {name: value for name, value in genes.items() if not any(part.isdigit() for part in name.split("."))}
    shown = {name.rpartition(".")[2]: value for name, value in top.items() if value is not False}
    return " ".join(_named(name, value) for name, value in shown.items())


def _named(name: str, value: object) -> str:
    if value is True:
        return name
    plain = isinstance(value, str) and value.isidentifier() and value != "none"
    return str(value) if plain else f"{name}={value}"


def measurement_table(found: Sequence[Measurement]) -> RenderableType:
    """One row per objective: value, standard error, what Haar-random states score, unit, seconds; below the table, what
    there is to say of single ones, and the references.
    """
    references = list(dict.fromkeys(one.objective.reference for one in found if one.objective.reference))
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("objective", no_wrap=True)
    for header in ("value", "±", "Haar"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("unit")
    for header in ("s", "ref."):
        table.add_column(header, justify="right", no_wrap=True)
    for one in found:
        error = None if one.estimate is None else one.estimate.standard_error
        reference = one.objective.reference
        table.add_row(
            f"{one.objective.name} {'↑' if one.objective.direction == 'maximize' else '↓'}",
            "-" if one.estimate is None else _value(one.estimate.value),
            "" if error is None else f"{error:.2g}",
            "" if one.floor is None else f"{one.floor:.3g}",
            Text(one.objective.unit),
            f"{one.seconds:.2f}",
            str(references.index(reference) + 1) if reference else "",
        )
    remarks = [(one.objective.name, remark) for one in found if (remark := _remark(one))]
    numbered = [(str(number), text) for number, text in enumerate(references, 1)]
    return Group(table, _listed(remarks), Text(), _listed(numbered))


def _listed(rows: Iterable[tuple[str, str]]) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    for name, text in rows:
        grid.add_row(Text(f" {name}"), Text(text))
    return grid


def _remark(one: Measurement) -> str:
    if one.estimate is None:
        return f"not measured: {one.reason}"
    parts = [f"{name.replace('_', ' ')} {shown}" for name, value in one.details.items() if (shown := _part(value))]
    no_order = ["within the error of what Haar-random states score, so that it carries no order"] * one.within_floor
    return "; ".join([*no_order, *([", ".join(parts)] if parts else [])])


def _part(value: object) -> str:
    """Of what an estimate keeps beside its value: numbers, and pairs of a value and its standard error."""
    match value:
        case bool():
            return ""
        case int() | float():
            return _value(value)
        case Mapping():
            return f"({', '.join(f'{name} {_part(each)}' for name, each in value.items())})".replace("_", " ")
        case (float() as mean, float() as error):
            return f"{_value(mean)} ± {error:.2g}"
    return ""


def templates_table(rows: pd.DataFrame) -> RenderableType:
    """What `qnas.experiment.templates` measures, one row per template."""
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for header in _TEMPLATES:
        table.add_column(header, justify="right")
    for row in rows.to_dict("records"):
        table.add_row(*(show(row) for show in _TEMPLATES.values()))
    floor = f" Haar-random states score {rows['haar_floor'].iloc[0]:.3g}; what is within the floor carries no order."
    return Group(table, Text(floor))


_TEMPLATES: dict[str, Callable[[dict[Hashable, Any]], str]] = {
    "no.": lambda row: str(row["template"]),
    "expressibility": lambda row: _value(row["expressibility"]),
    "±": lambda row: f"{row['expressibility_se']:.2g}",
    "within\nfloor": lambda row: "yes" if row["within_floor"] else "",
    "entangling\ncapability": lambda row: f"{row['entangling_capability']:.4f}",
    "± ": lambda row: f"{row['entangling_capability_se']:.2g}",
    "weights": lambda row: str(row["n_parameters"]),
    "2-qubit\ngates": lambda row: str(row["n_two_qubit_gates"]),
}
"""The columns, by their headers."""
