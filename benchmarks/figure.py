"""The figure: time per step against layers, batch and qubits, one line per library."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from benchmarks.results import AXES, Results

_COLOURS = {
    "qnas": "#1F4E79", "TensorCircuit-NG": "#D55E00", "default.qubit": "#009E73", "lightning.qubit": "#CC79A7",
    "EstimatorQNN": "#E69F00",
}  # fmt: skip
_GREY = "#9A9A9A"


def plot_growth(results: Results) -> Figure:
    """One panel per axis, with a shared scale of time; bars are quartiles."""
    figure = Figure(figsize=(12.5, 4.6), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1), facecolor="white")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(AXES), sharey=True)
    for panel, axis in zip(panels, AXES, strict=True):
        _draw(panel, results, axis)
        panel.set_title(results.plan.held[axis], fontsize=10)
    panels[0].set_ylabel("ms per step, forward and backward")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def _draw(panel: Axes, results: Results, axis: str) -> None:
    panel.set(yscale="log", xlabel=axis, xscale="linear" if axis == "qubits" else "log")
    for name in results.names:
        cases = [case for case in results.plan.growth[axis] if name in results.timings[case]]
        if len(cases) > 1:
            places = [AXES[axis](case) for case in cases]
            timings = [results.timings[case][name] for case in cases]
            middle = np.array([timing.median for timing in timings])
            lower, upper = np.array([timing.quartiles for timing in timings]).T
            panel.errorbar(
                places, middle * 1e3, yerr=np.array([middle - lower, upper - middle]) * 1e3, label=name,
                color=_COLOURS[name], marker="o", markersize=4, linewidth=2.4 if name == "qnas" else 1.4,
            )  # fmt: skip
    _draw_reference(panel, results, axis)
    panel.xaxis.set_major_locator(FixedLocator([AXES[axis](case) for case in results.plan.growth[axis]]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(ScalarFormatter())
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(visible=True, which="major", color="#E6E6E6", linewidth=0.6)
    panel.set_axisbelow(True)


def _draw_reference(panel: Axes, results: Results, axis: str) -> None:
    """Growth in proportion, or twofold per qubit, below the later points of all lines."""
    cases = results.plan.growth[axis][len(results.plan.growth[axis]) // 2 :]
    places = np.array([AXES[axis](case) for case in cases], dtype=float)
    growth = 2.0 ** (places - places[-1]) if axis == "qubits" else places / places[-1]
    lowest = [min(timing.median for timing in results.timings[case].values()) for case in cases]
    heights = 0.6 * growth * min(np.array(lowest) / growth) * 1e3
    panel.plot(places, heights, "--", color=_GREY, linewidth=1)
    panel.annotate(
        "twofold per qubit" if axis == "qubits" else "slope 1", (places[-1], heights[-1]),
        xytext=(0, -6), textcoords="offset points", ha="right", va="top", color="#666666", fontsize=9,
    )  # fmt: skip
