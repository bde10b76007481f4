import pytest
from hypothesis import assume, given

from qnas.space import Space, boolean, choice, count, integer, repeat
from tests.space.strategies import constrained, declared, few


@few
@given(constrained)
def test_the_size_is_that_of_the_enumeration(text):
    space = declared(text)
    assume(space.tree.size <= 1000)
    assert space.size_is_exact
    assert space.size == sum(1 for _ in space.architectures())


pair = Space(a=boolean(), b=boolean()).where(lambda p: p.a or p.b, "one of them")


def test_constraints_of_parts_are_counted_by_part(monkeypatch):
    space = Space(kind=choice(pair=pair, bare={}), layers=repeat(1, 40, pair), same=repeat(0, 3, pair, tied=True))
    assert space.size == (3 + 1) * sum(3**n for n in range(1, 41)) * (1 + 3 * 3)
    assert space.size_is_exact and str(space.count) == f"{space.size:,}"


def test_a_constraint_of_a_part_sees_its_name():
    named = Space(a=integer(1, 5)).where(lambda p: p.name == "odd" or p.a % 2, "odd")
    assert Space(kind=choice(odd=named, other=named)).size == 5 + 3


def test_a_bound_says_at_most(monkeypatch):
    monkeypatch.setattr(count, "MAX_ENUMERATED", 1000)
    space = Space(n=integer(1, 500), pair=pair).where(lambda a: a.n > 1, "more than one")
    assert (space.size, space.size_is_exact) == (1500, False)
    assert str(space.count) == "at most 1,500"


@pytest.mark.parametrize("space", [pair, Space(n=integer(1, 3))])
def test_budgets_make_a_size_a_bound(space):
    assert str(space.within(qubits=3).count) == "at most 3"
