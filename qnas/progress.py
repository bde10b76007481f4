"""What a search shows while it runs, and what is found as tables of the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
        self._started, self._n_new = time.monotonic(), 0
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
        """Redraw."""
        if self.interrupted:
            raise KeyboardInterrupt
        assert self._live is not None
        self._n_new += not known
        n_done = len(findings.evaluations)
        failed = sum(not evaluation.complete for evaluation in findings.evaluations.values())
        line = Text.assemble(
            (f"{n_done}/{self._total} done", "bold"),
            f"   {failed} failed   hypervolume {self._hypervolume(findings)}   {self._time_left(n_done)}",
        )
        best = front_table(findings, "Best of the front so far", _BEST_ROWS)
        self._live.update(Group(self._panel(n_done, line), best))
        if not known and not self._console.is_terminal and n_done % max(1, self._total // 12) == 0:
            self._console.print(line)

    def _panel(self, n_done: int, line: Text) -> RenderableType:
        panel = Table.grid()
        panel.add_row(ProgressBar(total=self._total, completed=n_done, width=60))
        panel.add_row(line)
        return panel

    def _hypervolume(self, findings: Findings) -> str:
        """It has no unit before the first generation is complete."""
        if len(findings.evaluations) < findings.config.search.population:
            return "-"
        return f"{findings.hypervolume():.3f}"

    def _time_left(self, n_done: int) -> str:
        if not self._n_new:
            return "time left unknown"
        seconds = (time.monotonic() - self._started) / self._n_new * max(self._total - n_done, 0)
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
        architecture = findings.evaluations[int(row["id"])].architecture
        origin = [Text(Path(row["reused"]).name)] if findings.config.ledger.reuse else []
        table.add_row(str(row["id"]), *cells, *origin, Text(_summary(gene_values(findings.space, architecture))))
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
    """One row per objective: value, standard error, floor, unit, time and reference, or why there is no value."""
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for header in ("objective", "value", "±", "unit", "remark", "s", "reference"):
        table.add_column(header, justify="right" if header in ("value", "±", "s") else "left", overflow="fold")
    for one in found:
        arrow = "↑" if one.objective.direction == "maximize" else "↓"
        error = None if one.estimate is None else one.estimate.standard_error
        table.add_row(
            f"{one.objective.name} {arrow}",
            "-" if one.estimate is None else _value(one.estimate.value),
            "" if error is None else f"{error:.2g}",
            Text(one.objective.unit),
            Text(_remark(one)),
            f"{one.seconds:.2f}",
            Text(one.objective.reference),
        )
    return table


def _remark(one: Measurement) -> str:
    if one.estimate is None:
        return f"not measured: {one.reason}"
    if one.floor is None:
        return ""
    return f"within the Haar floor of {one.floor:.3g}" if one.within_floor else f"Haar floor {one.floor:.3g}"


def plain_table(rows: pd.DataFrame) -> RenderableType:
    """A data frame as it is, numbers to the right."""
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in rows.columns:
        table.add_column(str(name), justify="right")
    for row in rows.itertuples(index=False):
        table.add_row(*(_value(value) for value in row))
    return table
