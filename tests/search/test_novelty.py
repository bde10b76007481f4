import numpy as np
import pytest

from qnas.errors import SpaceError
from qnas.search import novelty as novelty_room
from qnas.search.novelty import Novelty
from qnas.space import Space, choice, draws, integer


def test_drawn_designs_are_new_and_distinct():
    novelty, rng = Novelty(Space(n=integer(0, 19))), np.random.default_rng(0)
    first = novelty.draw(12, rng)
    novelty.record(first)
    second = novelty.draw(12, rng)
    assert sorted(int(genotype[0]) for genotype in first + second) == list(range(20))


def test_rare_designs_of_a_small_space_are_found():
    space = Space(kind=choice(plain={}, many={"n": integer(1, 500)}))
    novelty = Novelty(space)
    novelty.record(space.encode(a) for a in space.architectures() if a.kind.get("n", 0) not in (7, 8))
    assert sorted(novelty.draw(5, np.random.default_rng(0)), key=list)[0].tolist() == [1, 6]
    assert len(novelty.draw(5, np.random.default_rng(0))) == 2


def test_taken_designs_are_left_out():
    space = Space(n=integer(0, 2))
    taken = [space.fingerprint(np.array([0])), space.fingerprint(np.array([2]))]
    assert [g.tolist() for g in Novelty(space).draw(3, np.random.default_rng(0), taken)] == [[1]]


def test_a_space_without_valid_designs_is_refused(monkeypatch):
    monkeypatch.setattr(draws, "MAX_REJECTED", 100)
    space = Space(n=integer(0, 2)).where(lambda a: False, because="nothing pleases me")
    with pytest.raises(SpaceError, match="'nothing pleases me' excluded 100"):
        Novelty(space).draw(1, np.random.default_rng(0))


def test_designs_that_mean_one_network_are_one_and_those_that_mean_none_are_never_drawn():
    space = Space(n=integer(0, 9))
    meaning = {0: "even", 1: None, 2: "even", 3: "three"}
    novelty = Novelty(space, lambda genotype: meaning.get(int(genotype[0])))
    drawn = novelty.draw(10, np.random.default_rng(0))
    assert sorted(meaning[int(genotype[0])] for genotype in drawn) == ["even", "three"]
    novelty.record(drawn)
    assert novelty.first_new([np.array([n]) for n in range(10)]) == []


def test_designs_that_mean_no_network_are_no_tries():
    """Only 1 in 200 means one; all are found, though more designs are met than a draw may try."""
    space = Space(a=integer(0, 499), b=integer(0, 499))
    assert not space.is_enumerable
    novelty = Novelty(space, lambda genotype: space.fingerprint(genotype) if genotype.sum() % 200 == 0 else None)
    assert len(novelty.draw(10, np.random.default_rng(0))) == 10


def test_a_draw_ends_after_so_many_designs_without_a_network(monkeypatch):
    monkeypatch.setattr(novelty_room, "MAX_EXCLUDED", 30)
    met = []
    space = Space(n=integer(0, 999))
    novelty = Novelty(space, lambda genotype: met.append(int(genotype[0])))
    assert novelty.draw(5, np.random.default_rng(0)) == []
    assert len(met) == 60, "of random ones and of all in order"
