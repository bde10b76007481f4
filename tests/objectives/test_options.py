"""What a configuration may give to the options of an objective."""

from typing import Any, Literal, Optional

import pytest

from qnas.errors import ConfigurationError
from qnas.objectives.options import check_option, option_types


def test_the_types_of_keyword_only_parameters_also_where_they_are_texts():
    def measure(design: "Unheard", *, a: int = 1, b: "float | None" = None, c=3, d: "Unheard" = 4):
        return 0.0

    assert option_types(measure) == {"a": int, "b": float | None, "c": Any, "d": Any}


@pytest.mark.parametrize(
    ("value", "annotation", "least"),
    [
        (1, int, 1),
        (-3, int, None),
        (1, float, None),
        (0.5, float, 0.5),
        ("a", str, None),
        (False, bool, None),
        (None, int | None, 1),
        (2, Optional[float], 1),  # noqa: UP045 - as a user may write it
        ("a", int | str, 1),
        (["a"], list[str], None),
        ("b", Literal["a", "b"], None),
        ("anything", Any, None),
        (1.5, Any, 1),
    ],
)
def test_what_fits(value, annotation, least):
    check_option("key", value, annotation, least)


@pytest.mark.parametrize(
    ("value", "annotation", "least", "said"),
    [
        (0, int, 1, "0; allowed is a whole number of at least 1."),
        (1.0, int, None, "1.0; allowed is a whole number."),
        (True, int, None, "True; allowed is a whole number."),
        (True, float, None, "True; allowed is a number."),
        (float("nan"), float, 0.5, "nan; allowed is a number of at least 0.5."),
        (1, str, None, "1; allowed is a text."),
        (1, bool, None, "1; allowed is true or false."),
        (None, float, None, "None; allowed is a number."),
        (0, int | None, 1, "0; allowed is a whole number of at least 1 or null."),
        ("a", Any, 1, "'a'; allowed is a number of at least 1."),
    ],
)
def test_what_does_not_fit(value, annotation, least, said):
    with pytest.raises(ConfigurationError) as refusal:
        check_option("key", value, annotation, least)
    assert str(refusal.value) == f"key is {said}"


def test_a_value_that_is_not_among_those_listed():
    with pytest.raises(ConfigurationError, match="unknown value of key, 'loacl': did you mean 'local'"):
        check_option("key", "loacl", Literal["local", "global"], None)
