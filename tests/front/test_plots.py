"""What a figure shows; how it looks was judged by eye."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.image import imread

from qnas.front.plots import Axis, plot_front, plot_hypervolume, save_figure

AXES = (
    Axis("accuracy", "maximize", "fraction"),
    Axis("expressibility", "minimize", "nats", "log"),
    Axis("trainability", "maximize", "log10"),
    Axis("flops", "minimize", "operations", "log"),
    Axis("qubits", "minimize"),
)
N_DESIGNS, N_MEMBERS = 20, 7


def table_of_designs():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({axis.name: rng.uniform(0.1, 1.0, N_DESIGNS) for axis in AXES})
    return table.assign(expressibility_se=0.3)


def front_of(n_members, n_designs=N_DESIGNS):
    return np.arange(n_designs) < n_members


@pytest.mark.parametrize(("n_objectives", "n_panels"), [(1, 1), (2, 1), (3, 3), (4, 6), (5, 10)])
def test_a_panel_for_each_pair_and_a_colour_bar(tmp_path, n_objectives, n_panels):
    figure = plot_front(table_of_designs(), front_of(N_MEMBERS), AXES[:n_objectives])
    *panels, colour_bar = figure.axes
    assert len(panels) == n_panels
    assert colour_bar.get_ylabel() == "on the front: accuracy (fraction) →"
    assert figure.get_suptitle() == "7 of 20 designs are on the front"
    for panel in panels:
        dominated, members = panel.collections[-2:]
        assert len(dominated.get_offsets()) == N_DESIGNS - N_MEMBERS
        assert len(members.get_offsets()) == N_MEMBERS


def test_axes_show_unit_direction_and_scale():
    figure = plot_front(table_of_designs(), front_of(N_MEMBERS), AXES[:2])
    panel = figure.axes[0]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("accuracy (fraction) →", "← expressibility (nats)")
    assert (panel.get_xscale(), panel.get_yscale()) == ("linear", "log")
    assert AXES[4].label == "← qubits"


def test_bars_where_there_are_standard_errors():
    with_bars = plot_front(table_of_designs(), front_of(N_MEMBERS), AXES[:2])
    without = plot_front(table_of_designs(), front_of(N_MEMBERS), (AXES[0], AXES[3]))
    assert [len(figure.axes[0].containers) for figure in (with_bars, without)] == [2, 0]
    assert with_bars.get_supxlabel() == "grey: dominated; bars: one standard error"
    assert without.get_supxlabel() == "grey: dominated"


def test_an_axis_without_positive_values_is_linear():
    table = table_of_designs().assign(flops=0.0)
    panel = plot_front(table, front_of(N_MEMBERS), (AXES[3], AXES[0])).axes[0]
    assert panel.get_xscale() == "linear"


@pytest.mark.parametrize(
    ("n_members", "n_designs", "title"),
    [(0, 0, "0 of 0 designs are on the front"), (0, 3, "0 of 3 designs are on the front"),
     (1, 1, "1 of 1 design is on the front"), (1, 3, "1 of 3 designs is on the front")],
)  # fmt: skip
def test_small_fronts_and_missing_values_are_drawn(tmp_path, n_members, n_designs, title):
    table = table_of_designs().head(n_designs).assign(trainability=np.nan)
    figure = plot_front(table, front_of(n_members, n_designs), AXES[:4])
    save_figure(figure, tmp_path / "front.png")
    assert figure.get_suptitle() == title


@pytest.mark.parametrize("n_evaluations", [0, 1, 40])
def test_the_hypervolume_is_a_step_line(tmp_path, n_evaluations):
    history = np.sqrt(np.arange(n_evaluations, dtype=float))
    figure = plot_hypervolume(history)
    line = figure.axes[0].lines[0]
    assert line.get_drawstyle() == "steps-post"
    assert np.array_equal(line.get_ydata(), history)
    assert np.array_equal(line.get_xdata(), np.arange(1, n_evaluations + 1))
    save_figure(figure, tmp_path / "hypervolume.png")


def test_saving_at_200_dots_per_inch_without_pyplot_or_global_settings(tmp_path):
    before, open_figures = dict(matplotlib.rcParams), pyplot.get_fignums()
    figure = plot_front(table_of_designs(), front_of(N_MEMBERS), AXES[:3])
    save_figure(figure, tmp_path / "front.png")
    height, width = imread(tmp_path / "front.png").shape[:2]
    assert (width, height) == pytest.approx(200 * figure.get_size_inches(), abs=1)
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == open_figures
