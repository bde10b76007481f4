"""The field's familiar figure: expressibility against entangling capability, one point per circuit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qnas.front.plots import BLUE, GREY, INK, new_figure, tidy

_PLACES = ((9, 6), (-9, -9), (-9, 6), (9, -9), (0, 11), (0, -13), (17, 0), (-17, 0))
"""Of a label's middle beside its point, in dots of 1/72 inch, the preferred one first."""


def plot_scatter(table: pd.DataFrame, haar_entanglement: float, title: str) -> Figure:
    """Circuits by expressibility (logarithmic, better to the left) and entangling capability.

    Args:
        table: a row per circuit with `template`, `expressibility`, `entangling_capability`, their standard errors in
            columns `<name>_se`, the `haar_floor`, and `within_floor`, whether expressibility carries no order.
        haar_entanglement: the mean of Haar-random states.
        title: what the circuits are.
    """
    figure = new_figure(7.2, 4.8)
    panel = figure.add_subplot()
    tidy(panel)
    x, y = table["expressibility"], table["entangling_capability"]
    panel.axvline(float(table["haar_floor"].iloc[0]), color=GREY, linewidth=1, linestyle="--")
    panel.axhline(haar_entanglement, color=GREY, linewidth=1, linestyle="--")
    for hollow, rows in table.groupby("within_floor"):
        panel.errorbar(
            rows["expressibility"], rows["entangling_capability"],
            xerr=rows["expressibility_se"], yerr=rows["entangling_capability_se"],
            fmt="o", color=BLUE, ecolor=INK, elinewidth=0.8, markersize=5, markerfacecolor="white" if hollow else BLUE,
        )  # fmt: skip
    panel.set_xscale("log")
    panel.set_xlabel("← expressibility (nats)")
    panel.set_ylabel("entangling capability (Q) →")
    panel.set_ylim(-0.05, 1.1)
    panel.set_title(title, fontsize=11)
    note = "hollow: within the Haar floor; " * bool(table["within_floor"].any())
    figure.supxlabel(f"dashed: Haar-random states; {note}bars: one standard error", fontsize=9, color=INK)
    figure.draw_without_rendering()  # from here on the panel knows where its points are
    for name, across, up, place in zip(table["template"], x, y, _label_places(panel, x, y), strict=True):
        panel.annotate(
            str(name), (across, up), textcoords="offset points", xytext=place, fontsize=8, color=INK,
            ha="center", va="center",
        )  # fmt: skip
    return figure


def _label_places(panel: Axes, x: pd.Series[float], y: pd.Series[float]) -> list[tuple[int, int]]:
    """For each point the first place that is clear of all points and of the labels before it, or else the clearest."""
    points: Float[np.ndarray, "points 2"] = panel.transData.transform(np.column_stack([x, y]))
    points = points * 72 / panel.figure.dpi
    taken, places = list(points), list[tuple[int, int]]()
    for point in points:
        room = [min(np.hypot(*((point + place - other) / (1.5, 1))) for other in taken) for place in _PLACES]
        best = next((k for k, distance in enumerate(room) if distance > 8), int(np.argmax(room)))
        places.append(_PLACES[best])
        taken.append(point + _PLACES[best])
    return places
