"""The scatter of circuits."""

import pandas as pd

from qnas.front.scatter import plot_scatter


def test_every_circuit_is_a_labelled_point_with_bars_and_haar_lines():
    table = pd.DataFrame(
        {
            "template": [1, 2, 3],
            "expressibility": [0.3, 0.3, 0.005],
            "expressibility_se": [0.01, 0.01, 0.002],
            "haar_floor": [0.004] * 3,
            "entangling_capability": [0.0, 0.01, 0.8],
            "entangling_capability_se": [0.0, 0.01, 0.01],
        }
    )
    (panel,) = plot_scatter(table, 14 / 17).axes
    assert [text.get_text() for text in panel.texts] == ["1", "2", "3"]
    places = [text.xyann for text in panel.texts]
    assert places == [(-14, -11), (5, 5), (5, 5)]  # the second stands close above the first
    assert panel.get_xscale() == "log"
    vertical, horizontal = panel.lines[:2]
    assert list(vertical.get_xdata()) == [0.004, 0.004]
    assert list(horizontal.get_ydata()) == [14 / 17, 14 / 17]
    assert list(panel.lines[2].get_xdata()) == [0.3, 0.3, 0.005]
