"""The suite of searchers: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import numpy as np
import pytest

from qnas.search import Pending, searcher, searchers
from qnas.search.optuna import SAMPLERS
from qnas.search.random import RandomSearch
from qnas.testing import SearcherConformance
from tests.testing.bundled import suites
from tests.testing.failing import failures

ATTRIBUTES = {
    "exhaustive": {"draws": False},
    "local": {"options": ({}, {"evaluations": 17})},
    "optuna": {"options": [{"sampler": name} for name in SAMPLERS if name != "gp"]},
    "random": {"options": ({}, {"evaluations": 17})},
    "steady_state": {"options": ({}, {"window": 1}, {"window": 8, "evaluations": 18})},
}

globals().update(suites(SearcherConformance, searchers, attributes=ATTRIBUTES))


@pytest.mark.slow
class TestGaussianProcess(SearcherConformance):
    """Whose first ten designs are random."""

    name = "optuna"
    options = ({"sampler": "gp", "evaluations": 13},)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """A space without valid designs is given up sooner."""
    monkeypatch.setattr("qnas.space.draws.MAX_REJECTED", 100)


def failing(build, *tests):
    """The failures of a searcher, in these tests alone if any are named."""
    searcher("mine", takes=("evaluations",))(build)
    others = [name for name in dir(SearcherConformance) if name.startswith("test_") and name[5:] not in tests]
    skipped = {name: lambda self: None for name in others} if tests else {}
    return failures(SearcherConformance, name="mine", **skipped)


def broken(**methods):
    """Random search with other methods."""
    return type("Broken", (RandomSearch,), methods)


def test_a_good_searcher_passes():
    assert failing(broken()) == {}


def test_a_searcher_without_tell():
    class Mute:
        n_evaluations = max_pending = 1

        def __init__(self, *given):
            pass

        def ask(self):
            return []

    text = "the searcher 'mine' lacks one of ask, tell, n_evaluations and max_pending."
    assert text in failing(Mute, "it_spends_its_budget")["it_spends_its_budget"]


def test_no_batch_allowed():
    found = failing(broken(max_pending=0))
    assert "has max_pending 0; one batch must be allowed." in found["it_spends_its_budget"]


def test_another_budget_than_it_says():
    def said(self, *given):
        RandomSearch.__init__(self, *given)
        self.n_evaluations += 1

    found = failing(broken(__init__=said))
    for test, text in {
        "it_spends_its_budget": "asks for 15 designs of a space that has more, but says n_evaluations 16.",
        "one_design_at_a_time": "with a population of 1 asks for 3 of 4 designs.",
        "designs_that_fail_do_not_stop_it": "asks for 15 of 16 designs if a design fails.",
        "any_number_of_losses": "with 1 losses asks for 15 of 16 designs.",
    }.items():
        assert text in found.pop(test)
    assert found == {}


def test_a_search_without_end():
    def ask(self):
        genotypes = self._novelty.draw(5, self._rng)
        self._novelty.record(genotypes)
        return self._pending.open(genotypes)

    found = failing(broken(ask=ask))
    assert "asks for 30 designs of a space that has more, but says n_evaluations 15." in found["it_spends_its_budget"]


def test_one_more_after_the_last():
    test = "it_spends_its_budget"

    def ask(self):
        genotypes = RandomSearch.ask(self)
        ended, self.ended = getattr(self, "ended", False), not genotypes
        return self._novelty.draw(1, self._rng) if ended else genotypes

    assert "goes on asking after its last design; return [] then." in failing(broken(ask=ask), test)[test]


def test_designs_that_are_asked_twice():
    def ask(self):
        n = min(self._batch, self._n_left)
        self._n_left -= n
        return self._pending.open([self._novelty.space.random_genotype(self._rng) for _ in range(n)])

    found = failing(broken(ask=ask))
    text = "the searcher 'mine' asks for a design twice; let the Novelty say what is new, and record what is asked."
    assert text in found["designs_are_valid_and_new"]
    assert text in found["a_small_space_is_asked_completely"]
    assert "asks for the networks [0, 0, " in found["designs_that_mean_one_network_are_asked_once"]


def test_designs_that_are_not_canonical():
    def ask(self):
        asked = RandomSearch.ask(self)
        if asked:
            asked[0] = self._novelty.space.random_codes(self._rng)
        return asked

    found = failing(broken(ask=ask))
    assert "which is not valid or not canonical; see Space.canonical." in found["designs_are_valid_and_new"]


def test_a_part_of_a_small_space():
    def ask(self):
        return RandomSearch.ask(self) if self._n_left > self.n_evaluations - 4 else []

    found = failing(broken(ask=ask), "a_small_space_is_asked_completely")["a_small_space_is_asked_completely"]
    assert "asks for 4 of a space of 6 designs though it may ask for more; draw new ones from the Novelty" in found


def test_a_generator_without_a_seed():
    def anew(self, *given):
        RandomSearch.__init__(self, *given)
        self._rng = np.random.default_rng()

    assert (
        "asks for other designs when it is made again;"
        in failing(broken(__init__=anew), "the_seed_decides")["the_seed_decides"]
    )


def test_a_seed_of_its_own():
    def zero(self, settings, novelty, n_objectives, seed):
        RandomSearch.__init__(self, settings, novelty, n_objectives, 0)

    found = failing(broken(__init__=zero))
    assert list(found) == ["the_seed_decides"]
    assert "asks for the same designs whatever the seed; use it, or set draws = False" in found.popitem()[1]


def test_the_generator_of_the_process():
    def ask(self):
        np.random.random()  # noqa: NPY002 - the mistake
        return RandomSearch.ask(self)

    before, test = np.random.get_state(), "the_seed_decides"  # noqa: NPY002
    found = failing(broken(ask=ask), test)[test]
    np.random.set_state(before)  # noqa: NPY002
    assert "changes the random numbers of numpy of the whole process" in found


class Lax(Pending):
    """Checks nothing."""

    def check_told(self):
        pass

    def close(self, *given):
        pass


def lax(*overridden):
    def init(self, *given):
        RandomSearch.__init__(self, *given)
        self._pending = type("Some", (Lax,), {name: getattr(Pending, name) for name in overridden})()

    test = "results_come_late_and_in_order"
    return failing(broken(__init__=init), test)[test]


def test_more_pending_than_it_says():
    assert "asks with 1 batches pending; its max_pending is 1; check both by qnas.search.Pending." in lax("close")


def test_results_of_others():
    assert "takes results of other designs than the oldest that are pending; check both by" in lax("check_told")


def test_losses_that_are_not_finite():
    def tell(self, genotypes, losses, violations):
        self._pending.close(genotypes, np.nan_to_num(losses), violations)

    found = failing(broken(tell=tell))
    assert list(found) == ["results_come_late_and_in_order"]
    assert "takes nan as the loss of a design that meets the constraints" in found.popitem()[1]


@pytest.mark.parametrize(
    ("stops", "what"),
    [
        (lambda losses, violations: np.isinf(violations).all(), "fails"),
        (lambda losses, violations: not np.isfinite(losses).any() and (violations < np.inf).any(), "is excluded"),
        (lambda losses, violations: (losses == 0).all(), "has equal losses"),
    ],
)
def test_results_that_it_cannot_take(stops, what):
    def tell(self, genotypes, losses, violations):
        RandomSearch.tell(self, genotypes, losses, violations)
        if stops(losses, violations):
            self._n_left = 0

    test = "designs_that_fail_do_not_stop_it"
    assert f"asks for 5 of 15 designs if a design {what}" in failing(broken(tell=tell), test)[test]


def test_two_losses_only():
    def tell(self, genotypes, losses, violations):
        RandomSearch.tell(self, genotypes, losses, violations)
        losses[:, 1]

    assert "IndexError" in failing(broken(tell=tell), "any_number_of_losses")["any_number_of_losses"]


def test_an_impossible_space():
    def ask(self):
        try:
            return RandomSearch.ask(self)
        except Exception:  # noqa: BLE001 - the mistake
            return []

    test = "an_impossible_space_is_refused"
    text = "asks for [] of a space without valid designs; raise what Space.sample does."
    assert text in failing(broken(ask=ask), test)[test]
