"""Exhaustive search: everything once, in the order of the space."""

import numpy as np
import pytest

from qnas.errors import ConfigurationError
from qnas.search import SearchSettings, make_searcher
from qnas.space import Space, integer
from tests.search.faulty import told


def test_all_designs_are_asked_in_the_order_of_the_space_whatever_the_seed():
    space = Space(a=integer(0, 3), b=integer(0, 2)).where(lambda x: x.a != x.b, because="they differ")
    orders = []
    for seed in (0, 1):
        searcher = make_searcher(SearchSettings("exhaustive", population=100), space, 1, seed)
        orders.append(told(searcher, losses_of=lambda genotypes: np.zeros((len(genotypes), 1))))
    expected = [space.encode(architecture).tolist() for architecture in space.architectures()]
    assert [[g.tolist() for g in order] for order in orders] == [expected, expected]
    assert searcher.n_evaluations == len(expected) == 9


def test_a_space_that_is_too_large_is_refused():
    space = Space(**{f"n{k}": integer(0, 9) for k in range(6)})
    with pytest.raises(ConfigurationError) as refusal:
        make_searcher(SearchSettings("exhaustive"), space, 1, 0)
    assert str(refusal.value) == (
        "the space has 1,000,000 designs, too many for exhaustive to go through; narrow it, or choose another "
        "searcher, such as search=nsga2."
    )
