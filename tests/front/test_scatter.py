"""The scatter of circuits."""

import numpy as np
import pandas as pd

from qnas.front.scatter import plot_scatter


def test_every_circuit_is_a_labelled_point_with_bars_and_haar_lines():
    table = pd.DataFrame(
        {
            "template": [1, 2, 3],
            "expressibility": [0.3, 0.3, 0.005],
            "expressibility_se": [0.01, 0.01, 0.002],
            "haar_floor": [0.004] * 3,
            "within_floor": [False, False, True],
            "entangling_capability": [0.0, 0.01, 0.8],
            "entangling_capability_se": [0.0, 0.01, 0.01],
        }
    )
    figure = plot_scatter(table, 14 / 17, "Three circuits")
    (panel,) = figure.axes
    assert panel.get_title() == "Three circuits"
    assert "hollow: within the Haar floor" in figure.get_supxlabel()
    assert panel.get_xscale() == "log"
    vertical, horizontal, filled, hollow = (panel.lines[k] for k in range(4))
    assert list(vertical.get_xdata()) == [0.004, 0.004]
    assert list(horizontal.get_ydata()) == [14 / 17, 14 / 17]
    assert list(filled.get_xdata()) == [0.3, 0.3] and list(hollow.get_xdata()) == [0.005]
    assert hollow.get_markerfacecolor() == "white" != filled.get_markerfacecolor()
    assert [text.get_text() for text in panel.texts] == ["1", "2", "3"]


def test_labels_are_clear_of_one_another_and_of_all_points():
    """A row of points that lie as close as those of the templates do at most."""
    k = np.arange(12)
    near = pd.DataFrame({"expressibility": 0.1 * 1.1**k, "entangling_capability": 0.4 + 0.02 * (k % 2)})
    table = near.assign(template=k, expressibility_se=0.001, entangling_capability_se=0.001)
    (panel,) = plot_scatter(table.assign(haar_floor=0.004, within_floor=False), 0.8, "").axes
    points = panel.transData.transform(near.to_numpy()) * 72 / panel.figure.dpi
    labels = points + [text.xyann for text in panel.texts]
    every = np.concatenate([points, labels])
    distances = np.hypot(*(labels[:, None] - every[None]).transpose(2, 0, 1))
    assert np.sort(distances, axis=1)[:, 1].min() > 7  # its own place aside, in dots of 1/72 inch
