"""What all searchers promise, and their settings."""

import numpy as np
import pytest

from qnas.errors import ConfigurationError, RunError, SpaceError
from qnas.search import SEARCHERS, Searcher, SearchSettings, make_searcher
from qnas.space import Space, boolean, choice, draws, integer, load_space

hybrid = load_space("hybrid")
tiny = Space(a=choice("x", "y", "z"), b=boolean())
names = pytest.mark.parametrize("name", SEARCHERS)


def losses_of(genotypes):
    return np.array([[float(g.sum()), float(-g[0])] for g in genotypes])


def run(name, space, seed=0, population=6, generations=3, failing=lambda g: False):
    """All designs that a searcher asks, in batches."""
    searcher = make_searcher(SearchSettings(name, population, generations), space, 2, seed)
    batches = []
    while genotypes := searcher.ask():
        feasible = np.array([not failing(g) for g in genotypes])
        searcher.tell(
            genotypes, np.where(feasible[:, None], losses_of(genotypes), np.nan), np.where(feasible, 0.0, np.inf)
        )
        batches.append(genotypes)
    assert searcher.ask() == []
    return batches


@names
def test_a_searcher_meets_the_contract_and_spends_its_budget(name):
    assert isinstance(make_searcher(SearchSettings(name), hybrid, 2, 0), Searcher)
    assert [len(batch) for batch in run(name, hybrid)] == [6, 6, 6]


@names
def test_designs_are_valid_canonical_and_never_asked_twice(name):
    asked = [g for batch in run(name, hybrid, population=10, generations=5) for g in batch]
    assert all(hybrid.is_valid(g) and np.array_equal(hybrid.canonical(g), g) for g in asked)
    assert len({hybrid.fingerprint(g) for g in asked}) == len(asked) == 50


@names
def test_the_seed_decides(name):
    one, same, other = (np.concatenate(run(name, hybrid, seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@names
@pytest.mark.parametrize(("population", "sizes"), [(4, [4, 2]), (6, [6]), (20, [6])])
def test_a_small_space_is_asked_completely_and_then_it_ends(name, population, sizes):
    batches = run(name, tiny, population=population, generations=9)
    assert [len(batch) for batch in batches] == sizes


@names
def test_a_run_in_which_everything_fails_goes_on(name):
    assert [len(batch) for batch in run(name, hybrid, failing=lambda g: True)] == [6, 6, 6]


@names
def test_one_design_at_a_time(name):
    assert [len(batch) for batch in run(name, hybrid, population=1, generations=4)] == [1, 1, 1, 1]


@names
def test_constraints_hold_for_all_that_is_asked(name):
    space = Space(a=integer(0, 9), b=integer(0, 9)).where(lambda x: x.a + x.b == 9, because="they add up to 9")
    asked = [g for batch in run(name, space, population=4, generations=9) for g in batch]
    assert sorted(g.tolist() for g in asked) == [[k, 9 - k] for k in range(10)]


@names
def test_an_impossible_space_is_refused_at_the_first_ask(name, monkeypatch):
    monkeypatch.setattr(draws, "MAX_REJECTED", 100)
    space = tiny.where(lambda a: False, because="nothing is allowed")
    with pytest.raises(SpaceError, match="'nothing is allowed' excluded 100"):
        make_searcher(SearchSettings(name), space, 2, 0).ask()


@names
def test_results_must_be_those_of_the_last_ask(name):
    searcher = make_searcher(SearchSettings(name, population=3), hybrid, 2, 0)
    asked = searcher.ask()
    good = np.zeros(3)
    with pytest.raises(RunError, match="the 3 designs of the last ask have not been told yet"):
        searcher.ask()
    with pytest.raises(RunError, match="tell expects the 3 designs of the last ask, in that order"):
        searcher.tell(asked[::-1], np.zeros((3, 2)), good)
    with pytest.raises(RunError, match="tell expects the 3 designs"):
        searcher.tell(asked[:2], np.zeros((2, 2)), good[:2])
    with pytest.raises(RunError, match="a design has a loss that is not finite; tell it as failed"):
        searcher.tell(asked, np.full((3, 2), np.nan), good)
    searcher.tell(asked, np.zeros((3, 2)), good)


@pytest.mark.parametrize(("key", "value"), [("population", 0), ("generations", -1), ("evaluations", 0)])
def test_counts_below_one_are_refused(key, value):
    with pytest.raises(ConfigurationError, match=f"search.{key} is {value}; allowed are whole numbers of at least 1"):
        SearchSettings(**{key: value})


def test_an_unknown_searcher_is_refused():
    with pytest.raises(
        ConfigurationError, match=r"unknown searcher 'nsga': did you mean 'nsga2'\? Allowed: nsga2, random"
    ):
        make_searcher(SearchSettings("nsga"), tiny, 2, 0)


@names
def test_designs_that_mean_one_network_are_asked_once(name):
    searcher = make_searcher(SearchSettings(name, 4, 9), tiny, 2, 0, identify=lambda genotype: str(genotype[0]))
    asked = []
    while genotypes := searcher.ask():
        searcher.tell(genotypes, losses_of(genotypes), np.zeros(len(genotypes)))
        asked += genotypes
    assert sorted(int(genotype[0]) for genotype in asked) == [0, 1, 2]


@names
def test_the_budget_is_known_beforehand(name):
    assert make_searcher(SearchSettings(name, 4, 3), hybrid, 2, 0).n_evaluations == 12


def test_a_budget_that_nsga2_would_ignore_is_refused():
    with pytest.raises(ConfigurationError, match=r"search\.evaluations is 7, but nsga2 spends"):
        make_searcher(SearchSettings("nsga2", evaluations=7), tiny, 2, 0)
