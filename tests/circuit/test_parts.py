"""Parts with options: what is read, what is refused."""

import pytest

from qnas.architecture import Architecture
from qnas.circuit.parts import as_part, check_keys, options_of, part_of, required, takes
from qnas.errors import DesignError


def build(given, size, colour="red", *rest, n_outputs=None, **others):
    """Stands in for what builds a part."""


def options(part, **changes):
    return options_of(Architecture(part), build, "box", **{"n_given": 1, "given": ("n_outputs",), **changes})


def test_a_bare_name_and_a_name_with_options():
    whole = Architecture({"box": "plain", "lid": {"name": "flat", "size": 2}})
    assert part_of(whole, "box") == Architecture({"name": "plain"})
    assert part_of(whole, "lid") == as_part(whole.lid, "the lid") == Architecture({"name": "flat", "size": 2})
    assert part_of(whole, "label", default="none") == Architecture({"name": "none"})
    assert part_of(whole, "box", default="none") == Architecture({"name": "plain"})


def test_options_go_by_name():
    assert options({"name": "a", "size": 3}) == {"size": 3}
    assert options({"name": "a", "size": 3, "colour": "blue"}) == {"size": 3, "colour": "blue"}
    assert options({"name": "a", "n_outputs": 1, "size": 3}, given=()) == {"n_outputs": 1, "size": 3}
    assert options({"name": "a"}, n_given=2) == {}


def test_what_a_function_takes():
    assert takes(build, "n_outputs") and not takes(build, "weight")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: options({"name": "a"}), "the box 'a' needs the option 'size'."),
        (
            lambda: options({"name": "a", "size": 1, "color": 2}),
            "unknown option of the box 'a', 'color': did you mean 'colour'? Allowed: size, colour.",
        ),
        (
            lambda: options({"name": "a", "size": 1, "n_outputs": 2}),
            "unknown option of the box 'a', 'n_outputs': Allowed: size, colour.",
        ),
        (lambda: part_of(Architecture({"lid": 1}), "box"), "the architecture has no 'box'; it holds lid."),
        (lambda: part_of(Architecture({"box": {"size": 1}}), "box"), "the box has no 'name'; it holds size."),
        (lambda: required(Architecture({}), "x", of="layer 2"), "layer 2 has no 'x'; it holds nothing."),
        (
            lambda: check_keys(Architecture({"siz": 1}), ("size",), "value of the box,"),
            "unknown value of the box, 'siz': did you mean 'size'? Allowed: size.",
        ),
    ],
)
def test_what_is_refused(wrong, text):
    with pytest.raises(DesignError) as caught:
        wrong()
    assert str(caught.value) == text
