import math

import pytest

from qnas.errors import SpaceError
from qnas.space import Space, boolean, choice, integer, real


def test_integer_is_inclusive_and_ordered():
    (gene,) = Space(n=integer(2, 5)).genes
    assert list(gene.values) == [2, 3, 4, 5]
    assert gene.ordered
    assert gene.cardinality == 4


def test_boolean_and_choice_are_not_ordered():
    genes = Space(flag=boolean(), pick=choice("a", "b")).genes
    assert [gene.ordered for gene in genes] == [False, False]
    assert [list(gene.values) for gene in genes] == [[False, True], ["a", "b"]]


def test_tuples_are_shown_as_strings():
    (gene,) = Space(hidden=choice((), (16,), (16, 8), None)).genes
    assert gene.values == ("none", "16", "16x8", None)


def test_real_values_are_short_decimals():
    assert real(0.0, 1.0).values == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert real(1e-4, 1e-1, levels=4, log=True).values == (1e-4, 1e-3, 1e-2, 1e-1)
    assert real(-1.0, 2.0, levels=2).values == (-1.0, 2.0)


def test_real_values_survive_rounding_and_text():
    values = real(0.1, 0.7, levels=7, log=True).values
    assert all(float(f"{value:.12g}") == value for value in values)
    assert values[0] == 0.1
    assert values[-1] == 0.7


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: integer(3, 2), r"integer\(3, 2\) allows nothing: the first number must not exceed the second"),
        (lambda: real(1.0, 1.0), r"real\(1.0, 1.0, levels=11\) allows nothing: it needs low < high"),
        (lambda: real(0.0, 1.0, log=True), r"real\(0.0, 1.0, levels=11, log=True\) allows nothing.*low > 0"),
        (lambda: real(0.0, 1.0, levels=1), "at least 2 levels"),
        (lambda: real(0.0, math.inf), "allows nothing"),
        (lambda: real(1.0, 1.0 + 1e-13, levels=5), "agree to 12 digits; take fewer levels"),
        (lambda: choice([8]), r"choice\(\) cannot offer \[8\]; plain values are .*tuples"),
        (lambda: choice({"axis": 1}), r"a part is named: choice\(angle=dict\(axis=...\)\)"),
        (lambda: choice(math.nan), "cannot offer nan"),
        (lambda: choice(1, True), r"choice\(1, True\) offers values that are equal or read the same"),
        (lambda: choice("none", ()), "read the same"),
        (lambda: choice("x", "x"), "each may occur once"),
    ],
)
def test_declarations_that_allow_nothing_are_refused(declare, message):
    with pytest.raises(SpaceError, match=message):
        declare()
