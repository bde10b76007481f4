"""What a figure shows; how it looks was judged by eye."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.image import imread

from qnas.front.plots import Axis, is_within_floor, plot_front, plot_hypervolume, save_figure

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


WHITE = (1.0, 1.0, 1.0, 1.0)


def are_hollow(points):
    return [tuple(face) == WHITE for face in points.get_facecolor()]


def test_members_within_the_floor_are_hollow_where_their_objective_is_drawn():
    hollow = np.arange(N_DESIGNS) % 3 == 0
    figure = plot_front(table_of_designs(), front_of(N_MEMBERS), AXES[:3], {"expressibility": hollow})
    for panel, shows_floor in zip(figure.axes, (True, False, True), strict=False):
        dominated, members = panel.collections[-2:]
        assert are_hollow(members) == (hollow[:N_MEMBERS] & shows_floor).tolist()
        colours = np.where(hollow[:N_MEMBERS, None] & shows_floor, members.get_edgecolor(), members.get_facecolor())
        assert len({tuple(colour) for colour in colours}) == N_MEMBERS
        assert [tuple(face)[:3] == WHITE[:3] for face in dominated.get_facecolor()] == (
            hollow[N_MEMBERS:] & shows_floor
        ).tolist()
    assert figure.get_supxlabel() == "grey: dominated; hollow: within the Haar floor; bars: one standard error"


def test_a_single_objective_within_its_floor():
    axis = AXES[1]
    panel = plot_front(table_of_designs(), front_of(2), [axis], {axis.name: np.ones(N_DESIGNS, dtype=bool)}).axes[0]
    assert are_hollow(panel.collections[-1]) == [True, True]


def test_without_a_design_within_the_floor_there_is_no_note():
    none = {"expressibility": np.zeros(N_DESIGNS, dtype=bool)}
    figure = plot_front(table_of_designs(), front_of(N_MEMBERS), AXES[:2], none)
    assert not any(are_hollow(figure.axes[0].collections[-1]))
    assert figure.get_supxlabel() == "grey: dominated; bars: one standard error"


def test_members_have_the_colours_of_the_bar():
    figure = plot_front(table_of_designs(), front_of(N_MEMBERS), AXES[:2])
    panel, bar = figure.axes
    values = table_of_designs()["accuracy"][:N_MEMBERS].to_numpy()
    assert bar.get_ylim() == pytest.approx((values.min(), values.max()))
    scaled = (values - values.min()) / (values.max() - values.min())
    expected = matplotlib.colormaps["viridis"](scaled)
    np.testing.assert_allclose(panel.collections[-1].get_facecolor(), expected)


def test_the_floor_has_a_width_of_two_standard_errors():
    values, errors = np.array([0.1, 0.2, 0.2, 0.2, 0.2]), np.array([0.0, 0.05, 0.04, np.nan, 0.05])
    floors = np.array([0.1, 0.1, 0.1, 0.1, np.nan])
    assert is_within_floor(values, errors, floors).tolist() == [True, True, False, False, False]


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
