"""Figures of a front: every pair of objectives, and the hypervolume over the evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

_GREY, _INK, _BLUE = "#9A9A9A", "#333333", "#1F4E79"
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


def plot_front(table: pd.DataFrame, on_front: Bool[np.ndarray, " k"], axes: Sequence[Axis]) -> Figure:
    """Every pair of objectives as one panel; a single objective as a strip over the designs.

    Members of the front are coloured by the first objective. Bars are one standard error, where the table has a
    column `<name>_se`. Rows that miss a value are left out of the panels that need it.

    Args:
        table: a row per design, a column per objective in its natural sign and unit.
        on_front: which rows are on the front.
        axes: the objectives, at least one.
    """
    pairs: list[tuple[Axis, Axis | None]] = [*combinations(axes, 2)] or [(axes[0], None)]
    n_columns = min(3, len(pairs))
    n_rows = -(-len(pairs) // n_columns)
    figure = _new_figure(4.2 * n_columns + 1.0, 3.4 * n_rows + 0.9)
    for place, (horizontal, vertical) in enumerate(pairs, start=1):
        panel = figure.add_subplot(n_rows, n_columns, place)
        members = _draw_panel(panel, table, on_front, horizontal, vertical, axes[0])
    if table.loc[on_front, axes[0].name].nunique() > 1:
        figure.colorbar(members, ax=figure.axes, label=f"on the front: {axes[0].label}", shrink=0.9, aspect=30)
    has_errors = any(f"{axis.name}_se" in table for axis in axes)
    figure.suptitle(_title(on_front), fontsize=13)
    figure.supxlabel("grey: dominated" + "; bars: one standard error" * has_errors, fontsize=9, color=_INK)
    return figure


def plot_hypervolume(history: Float[np.ndarray, " k"]) -> Figure:
    """The hypervolume after each of k evaluations, as a step line."""
    figure = _new_figure(6.4, 3.8)
    panel = figure.add_subplot()
    _tidy(panel)
    panel.step(np.arange(1, len(history) + 1), history, where="post", color=_BLUE, linewidth=1.8)
    panel.plot(len(history), history[-1] if len(history) else np.nan, "o", color=_BLUE, markersize=5)
    panel.set_xlabel("evaluations")
    panel.set_ylabel("hypervolume →")
    panel.set_xlim(0, max(1, len(history)) * 1.03)
    panel.set_ylim(bottom=0)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure with 200 dots per inch on white ground; the suffix of the path decides the format."""
    figure.savefig(path, dpi=200, facecolor="white")


def _new_figure(width: float, height: float) -> Figure:
    roomy = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(width, height), layout=roomy, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _title(on_front: Bool[np.ndarray, " k"]) -> str:
    n_members, n_designs = int(on_front.sum()), len(on_front)
    designs, are = ("design", "is") if n_designs == 1 else ("designs", "is" if n_members == 1 else "are")
    return f"{n_members} of {n_designs} {designs} {are} on the front"


def _draw_panel(
    panel: Axes, table: pd.DataFrame, on_front: Bool[np.ndarray, " k"], x: Axis, y: Axis | None, colour: Axis
) -> PathCollection:
    """Draw one panel; return the members of the front, which carry the colours."""
    _tidy(panel)
    _set_axis(panel, "x", x, table)
    if y is not None:
        _set_axis(panel, "y", y, table)
    else:
        panel.set_ylabel("design, in the order of the table")
    dominated, members = table[~on_front], table[on_front]
    places = np.arange(len(table), dtype=float)
    heights = pd.Series(places, index=table.index) if y is None else table[y.name]
    _draw_errors(panel, dominated, heights[~on_front], x, y, _GREY)
    _draw_errors(panel, members, heights[on_front], x, y, _INK)
    panel.scatter(dominated[x.name], heights[~on_front], s=12, color=_GREY, linewidths=0, alpha=0.7, zorder=2)
    return panel.scatter(
        members[x.name], heights[on_front], s=38, c=members[colour.name], cmap="viridis",
        norm=_NORMS[_usable_scale(colour, members)](), edgecolors=_INK, linewidths=0.6, zorder=4,
    )  # fmt: skip


def _draw_errors(
    panel: Axes, rows: pd.DataFrame, heights: pd.Series[float], x: Axis, y: Axis | None, colour: str
) -> None:
    x_errors, y_errors = (rows.get(f"{axis.name}_se") if axis else None for axis in (x, y))
    if len(rows) and (x_errors is not None or y_errors is not None):
        panel.errorbar(
            rows[x.name], heights, xerr=x_errors, yerr=y_errors,
            fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.6, zorder=1,
        )  # fmt: skip


def _set_axis(panel: Axes, which: Literal["x", "y"], axis: Axis, table: pd.DataFrame) -> None:
    panel.set(**{f"{which}scale": _usable_scale(axis, table), f"{which}label": axis.label})


def _usable_scale(axis: Axis, table: pd.DataFrame) -> str:
    """A logarithmic axis needs values, and positive ones."""
    values = table[axis.name].dropna()
    return axis.scale if len(values) and (values > 0).all() else "linear"


def _tidy(panel: Axes) -> None:
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(visible=True, which="major", color="#E6E6E6", linewidth=0.6)
    panel.set_axisbelow(True)
