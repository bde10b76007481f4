"""Constraints on objectives: what they read, and how far values are from meeting them."""

import pytest

from qnas.errors import ConfigurationError
from qnas.objectives.constraint import Constraint

NAMES = ["accuracy", "flops"]


@pytest.mark.parametrize(
    ("text", "name", "sense", "bound"),
    [
        ("accuracy >= 0.9", "accuracy", ">=", 0.9),
        ("flops<=1e6", "flops", "<=", 1e6),
        ("flops >= -2", "flops", ">=", -2.0),
    ],
)
def test_what_a_text_means(text, name, sense, bound):
    assert Constraint.parse(text, NAMES) == Constraint(name, sense, bound)


@pytest.mark.parametrize(
    ("text", "values", "violation"),
    [
        ("accuracy >= 0.8", {"accuracy": 0.8}, 0.0),
        ("accuracy >= 0.8", {"accuracy": 0.6}, 0.25),
        ("flops <= 100", {"flops": 150}, 0.5),
        ("flops <= 100", {"flops": 3}, 0.0),
        ("flops <= 0", {"flops": 3}, 3.0),
        ("flops >= -2", {"flops": -4}, 1.0),
    ],
)
def test_violations_are_in_units_of_the_bound(text, values, violation):
    assert Constraint.parse(text, NAMES).violation(values) == pytest.approx(violation, abs=1e-12)


@pytest.mark.parametrize(
    "text", ["accuracy > 0.9", "accuracy", "accuracy >= high", "accuracy >= nan", "0.9 <= accuracy"]
)
def test_other_forms_are_refused(text):
    with pytest.raises(ConfigurationError, match=r"a constraint reads like 'accuracy >= 0\.9' or 'flops <= 1e6'"):
        Constraint.parse(text, NAMES)


def test_a_constraint_is_on_an_objective_of_the_run():
    with pytest.raises(ConfigurationError, match=r"'flop': did you mean 'flops'\? Allowed: accuracy, flops\. A con"):
        Constraint.parse("flop <= 3", NAMES)
