"""The field's familiar figure: expressibility against entangling capability, one point per circuit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qnas.front.plots import BLUE, GREY, INK, new_figure, tidy


def plot_scatter(table: pd.DataFrame, haar_entanglement: float) -> Figure:
    """Circuits by expressibility (logarithmic, better to the left) and entangling capability.

    Args:
        table: a row per circuit with `template`, `expressibility`, `entangling_capability`, their standard errors in
            columns `<name>_se`, and the `haar_floor`.
        haar_entanglement: the mean of Haar-random states.
    """
    figure = new_figure(7.2, 4.8)
    panel = figure.add_subplot()
    tidy(panel)
    x, y = table["expressibility"], table["entangling_capability"]
    floor = float(table["haar_floor"].iloc[0])
    panel.axvline(floor, color=GREY, linewidth=1, linestyle="--")
    panel.axhline(haar_entanglement, color=GREY, linewidth=1, linestyle="--")
    panel.errorbar(
        x, y, xerr=table["expressibility_se"], yerr=table["entangling_capability_se"],
        fmt="o", color=BLUE, ecolor=INK, elinewidth=0.8, markersize=5,
    )  # fmt: skip
    for name, across, up, place in zip(table["template"], x, y, _label_places(x, y), strict=True):
        panel.annotate(str(name), (across, up), textcoords="offset points", xytext=place, fontsize=8, color=INK)
    panel.set_xscale("log")
    panel.set_xlabel("← expressibility (nats)")
    panel.set_ylabel("entangling capability (Q) →")
    panel.set_ylim(-0.05, 1.1)
    panel.set_title("dashed: Haar-random states; bars: one standard error", fontsize=9, color=INK)
    return figure


def _label_places(x: pd.Series[float], y: pd.Series[float]) -> list[tuple[int, int]]:
    """Above to the right of a point; below to the left where another point lies close above or to the right."""
    places = []
    for across, up in zip(x, y, strict=True):
        right, above = np.log10(x / across), y - up
        crowded = (np.abs(right) < 0.06) & (np.abs(above) < 0.04) & ((above > 0) | ((above == 0) & (right > 0)))
        places.append((-14, -11) if crowded.any() else (5, 5))
    return places
