"""Steady state: what a design depends on, what the search finds, and runs whose results come in any order."""

from pathlib import Path

import numpy as np
import pytest

import qnas
from qnas.search import SearchSettings, make_searcher
from tests.experiment.runs import QUICKEST, front_without_seconds
from tests.search.faulty import faulty, front_found, losses_of, told

pytestmark = pytest.mark.usefixtures("blank_pictures")


def test_most_of_the_front_is_found():
    assert len(front_found("steady_state", 0)) >= 8


def asked(n_same, window=5, n=30):
    """Every result from the n_same-th on is another one."""
    searcher = make_searcher(SearchSettings("steady_state", population=4, evaluations=n, window=window), faulty, 2, 0)
    results = iter(range(n))
    return np.array(
        told(searcher, losses_of=lambda genotypes: losses_of(genotypes) * (1 if next(results) < n_same else -1))
    )


@pytest.mark.parametrize("window", [1, 5])
def test_a_design_depends_on_the_results_before_its_window_and_on_no_others(window):
    """The one at position k is asked when the first k - window + 1 are told; positions count from 0."""
    whole = asked(30, window)
    for n_same in (8, 15):
        other = asked(n_same, window)
        n_equal = int(np.argmax((whole != other).any(axis=1)))
        assert n_same + window <= n_equal < 30


def test_who_survives_is_decided_after_every_result():
    searcher = make_searcher(SearchSettings("steady_state", population=3, evaluations=60, window=1), faulty, 2, 0)
    told(searcher)
    survivors = searcher._algorithm.pop.get("F")
    assert len(survivors) == 3
    assert survivors.sum(axis=1).tolist() == [9, 9, 9], "all are on the front"
    assert {0, 9} <= set(survivors[:, 0]), "crowding keeps both ends"


# --- runs -----------------------------------------------------------------------------------------------------

JOB = (
    *QUICKEST,
    f"objectives.add=[{Path(__file__).with_name('slow.py')}]",
    "search=steady_state",
    "search.population=4",
    "search.window=6",
    "search.evaluations=20",
)
TWO = ("executor=local", "executor.workers=2")


class Watcher(qnas.Callbacks):
    """Notes in which order results come, and interrupts the search after so many."""

    def __init__(self, n_most=99):
        self.came, self.n_most = [], n_most

    def on_evaluation(self, findings, design_id, *, known):
        if not known:
            self.came.append(design_id)
        if len(self.came) == self.n_most:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return qnas.search([*JOB, f"run_dir={tmp_path_factory.mktemp('runs') / 'serial'}"])


def assert_same(result, serial):
    assert result.evaluations["fingerprint"].tolist() == serial.evaluations["fingerprint"].tolist()
    assert front_without_seconds(result.path) == front_without_seconds(serial.path)


@pytest.mark.slow
def test_the_front_is_the_same_though_results_overtake_each_other(serial, tmp_path):
    watcher = Watcher()
    result = qnas.search([*JOB, *TWO, f"run_dir={tmp_path}/run"], watcher)
    assert sorted(watcher.came) == list(range(20)) != watcher.came
    assert_same(result, serial)


@pytest.mark.slow
def test_a_search_that_is_interrupted_goes_on_with_what_came_before_its_turn(serial, tmp_path):
    first, second = Watcher(9), Watcher()
    overrides = [*JOB, *TWO, f"run_dir={tmp_path}/run"]
    with pytest.raises(KeyboardInterrupt):
        qnas.search(overrides, first)
    result = qnas.search(overrides, second)
    assert sorted(first.came + second.came) == list(range(20))
    assert_same(result, serial)
