"""The settings of searchers, and what is pending. What all searchers promise is in tests/testing/test_searchers.py."""

import numpy as np
import pytest

from qnas.errors import ConfigurationError, PluginError, RunError
from qnas.search import Pending, SearchSettings, make_searcher, searcher, searchers
from qnas.space import Space, boolean, choice

tiny = Space(a=choice("x", "y", "z"), b=boolean())


@pytest.mark.parametrize(("key", "value"), [("population", 0), ("generations", -1), ("evaluations", 0), ("window", 0)])
def test_counts_below_one_are_refused(key, value):
    with pytest.raises(ConfigurationError, match=f"search.{key} is {value}; allowed are whole numbers of at least 1"):
        SearchSettings(**{key: value})


def test_an_unknown_searcher_is_refused():
    with pytest.raises(PluginError, match=r"unknown searcher 'nsga': did you mean 'nsga3'\? Allowed: exhaustive"):
        make_searcher(SearchSettings("nsga"), tiny, 2, 0)


TAKERS = {
    "evaluations": (7, ["local", "optuna", "random", "steady_state"]),
    "window": (7, ["optuna", "steady_state"]),
    "sampler": ("tpe", ["optuna"]),
}


@pytest.mark.parametrize("name", searchers.names())
@pytest.mark.parametrize("key", TAKERS)
def test_a_setting_that_a_searcher_would_ignore_is_refused(name, key):
    value, takers = TAKERS[key]
    settings = SearchSettings(name, **{key: value})
    if name in takers:
        assert make_searcher(settings, tiny, 2, 0).n_evaluations == (7 if key == "evaluations" else 96)
        return
    with pytest.raises(ConfigurationError) as refusal:
        make_searcher(settings, tiny, 2, 0)
    assert str(refusal.value) == (
        f"search.{key} is {value!r}, but {name} takes no such setting; these do: {', '.join(takers)}."
    )


def test_a_searcher_of_ones_own(monkeypatch):
    monkeypatch.setattr(searchers, "_parts", dict(searchers._parts))
    given = []

    @searcher("mine", takes=["window"])
    def mine(settings, novelty, n_objectives, seed):
        given.append((settings, novelty.space, n_objectives, seed))
        return searchers["random"].build(settings, novelty, n_objectives, seed)

    settings = SearchSettings("mine", window=3)
    assert len(make_searcher(settings, tiny, 2, 5).ask()) == 6
    assert given == [(settings, tiny, 2, 5)]
    with pytest.raises(ConfigurationError, match=r"search\.sampler is 'tpe', but mine takes no such setting"):
        make_searcher(SearchSettings("mine", sampler="tpe"), tiny, 2, 0)


def test_batches_are_told_in_the_order_of_asking():
    pending, one, other = Pending(2), [np.array([0, 0])], [np.array([1, 0]), np.array([2, 0])]
    assert pending.open([]) == []
    pending.open(one)
    pending.check_told()
    pending.open(other)
    with pytest.raises(RunError, match="the 3 designs of the last ask have not been told yet"):
        pending.check_told()
    for wrong in (other, other[:1], []):
        with pytest.raises(RunError, match="tell expects the 1 designs of the last ask, in that order"):
            pending.close(wrong, np.zeros((len(wrong), 2)), np.zeros(len(wrong)))
    with pytest.raises(RunError, match="a design has a loss that is not finite; tell it as failed"):
        pending.close(one, np.full((1, 2), np.nan), np.zeros(1))
    pending.close(one, np.full((1, 2), np.nan), np.array([0.5]))
    pending.check_told()
    pending.close(other, np.zeros((2, 2)), np.zeros(2))
