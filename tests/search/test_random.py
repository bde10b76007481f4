import numpy as np

from qnas.search import SearchSettings, make_searcher
from qnas.space import Space, integer


def test_the_budget_is_the_number_of_evaluations():
    space = Space(n=integer(0, 99))
    searcher = make_searcher(SearchSettings("random", population=4, evaluations=10), space, 1, 0)
    sizes = []
    while genotypes := searcher.ask():
        searcher.tell(genotypes, np.zeros((len(genotypes), 1)), np.zeros(len(genotypes)))
        sizes.append(len(genotypes))
    assert sizes == [4, 4, 2]
