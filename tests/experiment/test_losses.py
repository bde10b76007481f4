"""Losses of values, and the hypervolume of a run evaluation by evaluation."""

from itertools import islice

import numpy as np
import pytest

from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.losses import Volumes, box_of, losses_of
from tests.experiment.test_results import BOUNDED, evaluation, failed, findings, objectives, space


def test_losses_are_minimised():
    assert losses_of(evaluation(0, 0.75, 0.01, 1000), objectives) == [-0.75, 0.01, 1000]


def test_a_failed_evaluation_has_no_losses_whatever_it_measured():
    assert np.isnan(losses_of(failed(0), objectives)).all()


def test_a_zero_on_a_log_scale_is_better_than_anything_above_it():
    found = findings(evaluation(0, 0.5, 0.0), evaluation(1, 0.5, 0.01), evaluation(2, 0.5, 2.0))
    assert found.on_front.tolist() == [True, False, False]
    assert np.isfinite(found.hypervolume_history()).all()


def test_the_hypervolume_takes_logarithms_where_the_scale_is_log():
    found = findings(*(evaluation(k, 0.5, value) for k, value in enumerate([1.0, 0.01, 0.1])))
    assert found._scaled_losses(found.box())[:, 1].tolist() == pytest.approx([1.0, 0.0, 0.5])


def test_the_box_has_a_volume_even_if_nothing_differs_or_everything_failed():
    worst, best = box_of(np.array([[1.0, 2.0], [1.0, 5.0], [np.nan, np.nan]]))
    assert (worst.tolist(), best.tolist()) == ([2.0, 5.0], [1.0, 2.0])
    worst, best = box_of(np.full((3, 2), np.nan))
    assert (worst.tolist(), best.tolist()) == ([1.0, 1.0], [0.0, 0.0])


def test_the_hypervolume_is_that_of_the_last_entry_of_its_history():
    found = findings(evaluation(0, 0.5, 0.1), failed(1), evaluation(2, 0.6, 0.5), evaluation(3, 0.9, 0.05), failed(4))
    history = found.hypervolume_history()
    assert len(history) == 5 and (np.diff(history) >= 0).all()
    assert found.hypervolume() == history[-1] > 0


@pytest.mark.parametrize("overrides", [(), BOUNDED])
@pytest.mark.parametrize("sizes", [(10,), (1,) * 10, (3, 0, 7)])
def test_volumes_that_grow_in_pieces_are_those_of_each_beginning(sizes, overrides):
    """Also where the first value that is not positive comes late, so that a scale is no longer log."""
    complete = (evaluation(k, 0.4 + 0.05 * k, 0.0 if k == 8 else 1 / (k + 1), 100 - 2 * k) for k in range(10))
    made = [failed(k) if k in (2, 7) else one for k, one in enumerate(complete)]
    whole = findings(*made, overrides=overrides)
    beginnings = [findings(*made[: k + 1], overrides=overrides).hypervolume() for k in range(10)]
    volumes, n = Volumes(whole.objectives, whole.constraints, 4), 0
    for size in sizes:
        n += size
        found = volumes.after(dict(enumerate(made[:n])))
        assert len(found) == n and (n == 0 or found[-1] == pytest.approx(beginnings[n - 1]))
    assert found == pytest.approx(whole.hypervolume_history())
    assert found[-1] > found[4] > 0


def test_the_first_generation_that_has_losses_spans_the_box():
    """Those before were excluded before all of their losses were known."""
    excluded = [Evaluation(space.sample(k), State.EXCLUDED, {"flops": 1000}) for k in range(6)]
    better = [evaluation(k, 0.5 + 0.05 * k, 1 / (k + 1), 100 - k) for k in range(6)]
    made = dict(enumerate(excluded + better))
    volumes, scaled = Volumes(objectives, (), 4), []
    for n in range(1, 13):
        history = list(volumes.after(dict(islice(made.items(), n))))
        scaled.append(volumes.is_scaled)
    assert scaled == [False] * 7 + [True] * 5, "the generation of 4 to 7 has the first losses"
    assert history[:6] == [0.0] * 6 and (np.diff(history[6:]) > 0).all()
    whole = findings(*made.values())
    assert whole.hypervolume_history() == pytest.approx(history) and whole.hypervolume() == pytest.approx(history[-1])
    worst, best = whole.box()
    assert (worst[0], best[0]) == (-0.5, -0.55)


def test_a_run_without_losses_has_no_box_to_stay():
    volumes = Volumes(objectives, (), 2)
    assert list(volumes.after(dict(enumerate(failed(k) for k in range(5))))) == [0.0] * 5
    assert not volumes.is_scaled
