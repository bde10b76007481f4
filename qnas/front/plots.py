"""Figures of a front: every pair of objectives, and the hypervolume over the evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

GREY, INK, BLUE = "#9A9A9A", "#333333", "#1F4E79"
_LABELS = {"maximize": "{} →", "minimize": "← {}"}
_NORMS = {"linear": Normalize, "log": LogNorm}


@dataclass(frozen=True)
class Axis:
    """One objective as an axis: a column of the table, the direction of better values, the unit and the scale."""

    name: str
    direction: Literal["minimize", "maximize"]
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"

    @property
    def label(self) -> str:
        """Name and unit, with an arrow to the better side."""
        return _LABELS[self.direction].format(f"{self.name} ({self.unit})" if self.unit else self.name)


def plot_front(
    table: pd.DataFrame,
    on_front: Bool[np.ndarray, " k"],
    axes: Sequence[Axis],
    within_floor: Mapping[str, Bool[np.ndarray, " k"]] | None = None,
) -> Figure:
    """Every pair of objectives as one panel; a single objective as a strip over the designs.

    Members of the front are coloured by the first objective. Bars are one standard error, where the table has a
    column `<name>_se`. Rows that miss a value are left out of the panels that need it.

    Args:
        table: a row per design, a column per objective in its natural sign and unit.
        on_front: which rows are on the front.
        axes: the objectives, at least one.
        within_floor: by objective, the rows whose values carry no order, see `is_within_floor`; they are hollow in the
            panels of that objective.
    """
    designs = _Designs(table, on_front, axes[0], within_floor or {})
    pairs: list[tuple[Axis, Axis | None]] = [*combinations(axes, 2)] or [(axes[0], None)]
    n_columns = min(3, len(pairs))
    n_rows = -(-len(pairs) // n_columns)
    figure = new_figure(4.2 * n_columns + 1.0, 3.4 * n_rows + 0.9)
    for place, (x, y) in enumerate(pairs, start=1):
        _draw_panel(figure.add_subplot(n_rows, n_columns, place), designs, x, y)
    if table.loc[on_front, axes[0].name].nunique() > 1:
        label = f"on the front: {axes[0].label}"
        figure.colorbar(designs.colours, ax=figure.axes, label=label, shrink=0.9, aspect=30)
    figure.suptitle(_title(on_front), fontsize=13)
    figure.supxlabel(_legend(designs, axes), fontsize=9, color=INK)
    return figure


def is_within_floor(
    values: Float[np.ndarray, " k"], standard_errors: Float[np.ndarray, " k"], floors: Float[np.ndarray, " k"]
) -> Bool[np.ndarray, " k"]:
    """Which values are at most two standard errors above their floor, so that they carry no order; NaN means none."""
    return values - 2 * np.nan_to_num(standard_errors) <= floors


def plot_hypervolume(history: Float[np.ndarray, " k"]) -> Figure:
    """The hypervolume after each of k evaluations, as a step line."""
    figure = new_figure(6.4, 3.8)
    panel = figure.add_subplot()
    tidy(panel)
    panel.step(np.arange(1, len(history) + 1), history, where="post", color=BLUE, linewidth=1.8)
    panel.plot(len(history), history[-1] if len(history) else np.nan, "o", color=BLUE, markersize=5)
    panel.set_xlabel("evaluations")
    panel.set_ylabel("hypervolume →")
    panel.set_xlim(0, max(1, len(history)) * 1.03)
    panel.set_ylim(bottom=0)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure with 200 dots per inch on white ground; the suffix of the path decides the format."""
    figure.savefig(path, dpi=200, facecolor="white")


def new_figure(width: float, height: float) -> Figure:
    """On white ground, with room around its panels; sizes are inches."""
    roomy = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(width, height), layout=roomy, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _title(on_front: Bool[np.ndarray, " k"]) -> str:
    n_members, n_designs = int(on_front.sum()), len(on_front)
    designs, are = ("design", "is") if n_designs == 1 else ("designs", "is" if n_members == 1 else "are")
    return f"{n_members} of {n_designs} {designs} {are} on the front"


def _legend(designs: _Designs, axes: Sequence[Axis]) -> str:
    has_errors = any(f"{axis.name}_se" in designs.table for axis in axes)
    notes = {
        "grey: dominated": True,
        "hollow: within the Haar floor": bool(designs.hollow(*axes).any()),
        "bars: one standard error": has_errors,
    }
    return "; ".join(note for note, holds in notes.items() if holds)


@dataclass(frozen=True, eq=False)
class _Designs:
    """What all panels show."""

    table: pd.DataFrame
    on_front: Bool[np.ndarray, " k"]
    colour: Axis
    within_floor: Mapping[str, Bool[np.ndarray, " k"]]

    @cached_property
    def colours(self) -> ScalarMappable:
        """From values of the first objective to colours."""
        members = self.table[self.on_front]
        norm = _NORMS[_usable_scale(self.colour, members)]()
        norm.autoscale(members[self.colour.name].dropna().to_numpy(dtype=float))
        return ScalarMappable(norm, "viridis")

    def present(self, *axes: Axis | None) -> Bool[np.ndarray, " k"]:
        """The rows that have a value for each of the axes."""
        names = [axis.name for axis in axes if axis is not None]
        return self.table[names].notna().all(axis=1).to_numpy(dtype=bool)

    def hollow(self, *axes: Axis | None) -> Bool[np.ndarray, " k"]:
        """The rows that are within the floor of one of the axes."""
        masks = [self.within_floor[axis.name] for axis in axes if axis is not None and axis.name in self.within_floor]
        return np.any([np.zeros(len(self.table), dtype=bool), *masks], axis=0)


@dataclass(frozen=True, eq=False)
class _Points:
    """Some of the designs in one panel, with their standard errors where there are any."""

    x: pd.Series[float]
    y: pd.Series[float]
    x_errors: pd.Series[float] | None
    y_errors: pd.Series[float] | None
    hollow: Bool[np.ndarray, " n"]


def _points(designs: _Designs, chosen: Bool[np.ndarray, " k"], x: Axis, y: Axis | None) -> _Points:
    rows = designs.table[chosen]
    places = pd.Series(np.flatnonzero(chosen).astype(float), index=rows.index)
    x_errors, y_errors = (rows.get(f"{axis.name}_se") if axis else None for axis in (x, y))
    heights = places if y is None else rows[y.name]
    return _Points(rows[x.name], heights, x_errors, y_errors, designs.hollow(x, y)[chosen])


def _draw_panel(panel: Axes, designs: _Designs, x: Axis, y: Axis | None) -> None:
    """One pair of objectives, or one objective over the designs."""
    tidy(panel)
    _set_axis(panel, "x", x, designs.table)
    if y is not None:
        _set_axis(panel, "y", y, designs.table)
    else:
        panel.set_ylabel("design, in the order of the table")
    is_member = designs.on_front & designs.present(x, y, designs.colour)
    dominated = _points(designs, ~designs.on_front & designs.present(x, y), x, y)
    members = _points(designs, is_member, x, y)
    _draw_errors(panel, dominated, GREY)
    _draw_errors(panel, members, INK)
    _draw_dominated(panel, dominated)
    values = designs.table.loc[is_member, designs.colour.name].to_numpy(dtype=float)
    _draw_members(panel, members, designs.colours.to_rgba(values))


def _draw_errors(panel: Axes, points: _Points, colour: str) -> None:
    if len(points.x) and (points.x_errors is not None or points.y_errors is not None):
        panel.errorbar(
            points.x, points.y, xerr=points.x_errors, yerr=points.y_errors,
            fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.6, zorder=1,
        )  # fmt: skip


def _draw_dominated(panel: Axes, points: _Points) -> None:
    faces = ["white" if hollow else GREY for hollow in points.hollow]
    panel.scatter(points.x, points.y, s=12, facecolors=faces, edgecolors=GREY, linewidths=0.6, alpha=0.7, zorder=2)


def _draw_members(panel: Axes, points: _Points, colours: Float[np.ndarray, "n 4"]) -> None:
    """Filled with their colours, or white with an edge of their colours."""
    hollow = points.hollow[:, None]
    drawn = panel.scatter(points.x, points.y, s=38, zorder=4)
    drawn.set_facecolor(np.where(hollow, to_rgba("white"), colours))  # type: ignore[arg-type]
    drawn.set_edgecolor(np.where(hollow, colours, to_rgba(INK)))  # type: ignore[arg-type]
    drawn.set_linewidth(np.where(points.hollow, 1.6, 0.6))  # type: ignore[arg-type]


def _set_axis(panel: Axes, which: Literal["x", "y"], axis: Axis, table: pd.DataFrame) -> None:
    panel.set(**{f"{which}scale": _usable_scale(axis, table), f"{which}label": axis.label})


def _usable_scale(axis: Axis, table: pd.DataFrame) -> str:
    """A logarithmic axis needs values, and positive ones."""
    values = table[axis.name].dropna()
    return axis.scale if len(values) and (values > 0).all() else "linear"


def tidy(panel: Axes) -> None:
    """The look of all panels: no frame above and to the right, a light grid behind."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(visible=True, which="major", color="#E6E6E6", linewidth=0.6)
    panel.set_axisbelow(True)
