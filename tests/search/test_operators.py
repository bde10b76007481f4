import numpy as np

from qnas.search.novelty import Novelty
from qnas.search.operators import OnlyNew, Population
from qnas.space import Space, integer


def test_only_valid_designs_never_asked_before_pass():
    space = Space(n=integer(0, 9)).where(lambda a: a.n != 4, because="not four")
    novelty = Novelty(space)
    parents, chosen = (Population.new(X=np.array([[n]])) for n in (1, 3))
    novelty.record(parents.get("X"))
    offspring = Population.new(X=np.array([[1], [2], [2], [3], [4], [5]]))
    passed = OnlyNew(novelty).do(offspring, parents, chosen)
    assert passed.get("X").ravel().tolist() == [2, 5]
    assert len(OnlyNew(novelty).do(passed, parents, passed)) == 0
