"""Optuna's samplers: what they are told, and what becomes of suggestions that cannot be asked."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from qnas.errors import ConfigurationError
from qnas.search import SearchSettings, make_searcher
from qnas.space import Space, choice, integer
from tests.search.faulty import faulty, losses_of, told


def test_an_unknown_sampler_is_refused():
    with pytest.raises(ConfigurationError, match=r"unknown sampler 'tep': did you mean 'tpe'\? .*Set search.sampler"):
        make_searcher(SearchSettings("optuna", sampler="tep"), faulty, 2, 0)


def trials_of(space, judge, n=12):
    """What Optuna knows in the end."""
    searcher = make_searcher(SearchSettings("optuna", evaluations=n, window=3), space, 2, 0)
    asked = []
    while batch := searcher.ask():
        asked += batch
        losses, violation = judge(batch[0])
        searcher.tell(batch, np.array([losses], dtype=float), np.array([violation]))
    return asked, searcher._study.trials


def test_every_result_is_told_with_how_far_it_is_from_the_constraints():
    """A design that is excluded before its losses are known gets the worst of those that are."""

    def judge(genotype):
        size = int(genotype[0])
        if size == 0:
            return (np.nan, np.nan), np.inf
        return ((np.nan, np.nan), float(size)) if size >= 5 else (losses_of([genotype])[0], 0.0)

    asked, trials = trials_of(faulty, judge)
    complete = [one for one in trials if one.state is TrialState.COMPLETE]
    designs = [genotype for genotype in asked if genotype[0] != 0]
    assert len(designs) < len(asked)
    worst = np.full(2, -np.inf)
    for trial, genotype in zip(complete, designs, strict=True):
        losses, violation = judge(genotype)
        if violation == 0:
            worst = np.maximum(worst, losses)
        assert trial.params["size"] == genotype[0]
        assert trial.constraints == {"violation": violation}
        assert trial.values == pytest.approx(list(losses if violation == 0 else np.nan_to_num(worst, neginf=0.0)))


def test_suggestions_that_are_not_new_are_withdrawn_and_genes_that_do_not_exist_are_none():
    space = Space(kind=choice(plain={}, sized={"n": integer(0, 3)}))
    asked, trials = trials_of(space, lambda genotype: ((float(genotype[0]), float(genotype[1])), 0.0))
    assert sorted(map(tuple, (g.tolist() for g in asked))) == [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3)]
    told_ones = [one for one in trials if one.state is TrialState.COMPLETE]
    assert len(told_ones) == 5
    assert {one.state for one in trials if one not in told_ones} == {TrialState.FAIL}
    for trial in trials:
        assert ("kind.sized.n" in trial.params) == (trial.params["kind"] == 1)


def test_the_log_level_of_optuna_is_left_as_it_was():
    before = optuna.logging.get_verbosity()
    told(make_searcher(SearchSettings("optuna", evaluations=3), faulty, 2, 0))
    assert optuna.logging.get_verbosity() == before
