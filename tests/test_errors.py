"""The tree of errors, and the sentence for an unknown name."""

import inspect
import re

import pytest

from qnas import errors
from qnas.errors import QnasError, UsageError, unknown

EVERY = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, QnasError)}


def drawn():
    """Child and parent of each line of the tree at the top of the file."""
    found, path = {}, {}
    for line in errors.__doc__.splitlines():
        if match := re.match(r"^([│├└─ ]*)([A-Z]\w+Error)\b", line):
            depth = len(match[1]) // 4
            path[depth] = match[2]
            found[match[2]] = path.get(depth - 1)
    return found


def test_the_tree_is_drawn_as_it_is():
    assert drawn() == {
        name: kind.__mro__[1].__name__ if kind is not QnasError else None for name, kind in EVERY.items()
    }


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_error_explains_itself(name):
    assert EVERY[name].__doc__.endswith(".")


def test_a_mistake_of_the_user_is_told_from_a_failed_run():
    assert not issubclass(errors.RunError, UsageError)
    assert not issubclass(errors.DesignError, UsageError)
    assert issubclass(errors.MemoryBudgetError, errors.CircuitError)
    assert issubclass(errors.NotFiniteError, FloatingPointError)


@pytest.mark.parametrize(
    ("value", "allowed", "advice", "expected"),
    [
        ("angel", ["angle", "iqp"], "", "unknown part 'angel': did you mean 'angle'? Allowed: angle, iqp."),
        ("x", ["angle", "iqp"], "Look it up.", "unknown part 'x': Allowed: angle, iqp. Look it up."),
        ("q", [], "", "unknown part 'q': Allowed: none."),
        (13, range(10, 13), "", "unknown part '13': did you mean '12'? Allowed: 10, 11, 12."),
    ],
)
def test_the_sentence_for_an_unknown_name(value, allowed, advice, expected):
    assert unknown("part", value, allowed, advice) == expected
