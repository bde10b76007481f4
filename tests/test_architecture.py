"""Architectures: frozen, canonical, equal when they mean the same, and JSON both ways."""

import copy
import json
import pickle
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qnas.architecture import Architecture
from qnas.errors import DesignError

VALUES = {
    "n_qubits": 4,
    "encoding": {"name": "angle", "axis": "x", "reupload": True},
    "layers": [{"rotation": "ry"}, {"rotation": "rx_rz"}],
    "hidden": (16, 8),
    "rate": 0.1,
    "head": None,
}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(
    scalars, lambda nodes: st.lists(nodes, max_size=3) | st.dictionaries(st.text(), nodes, max_size=3), max_leaves=8
)
mappings = st.dictionaries(st.text(), trees, max_size=4)


def turned(value):
    """The same with every mapping in the opposite order, and tuples for lists."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return tuple(turned(item) for item in value) if isinstance(value, list) else value


@given(mappings)
def test_json_both_ways(values):
    made = Architecture(values)
    assert Architecture.from_json(made.to_json()) == made
    assert Architecture(made.to_dict()) == made
    assert json.loads(made.to_json()) == made.to_dict() == json.loads(json.dumps(values))


@given(mappings)
def test_the_order_of_keys_and_the_kind_of_sequence_do_not_matter(values):
    made, other = Architecture(values), Architecture(turned(values))
    assert made == other
    assert hash(made) == hash(other)
    assert made.fingerprint == other.fingerprint
    assert made.to_json() == other.to_json()
    assert list(made) == sorted(values)


@given(mappings, mappings)
def test_equal_means_equal_json(first, second):
    one, other = Architecture(first), Architecture(second)
    assert (one == other) == (one.to_json() == other.to_json()) == (one.fingerprint == other.fingerprint)


def test_values_are_read_as_attributes_or_keys():
    made = Architecture(VALUES)
    assert made.encoding.axis == made["encoding"]["axis"] == "x"
    assert made.layers[1].rotation == "rx_rz"
    assert made.hidden == (16, 8)
    assert made.get("coupling", "serial") == "serial"
    assert "rate" in made
    assert len(made) == 6
    assert isinstance(made, Mapping)
    assert isinstance(made.encoding, Architecture)


def test_the_fingerprint_is_sixteen_hexadecimal_digits_that_stay():
    """It names entries of ledgers, so it must never change."""
    assert Architecture(VALUES).fingerprint == "25d99aa20d21018b"
    assert Architecture({}).fingerprint == "44136fa355b3678a"


def test_one_changed_value_changes_the_fingerprint():
    made = Architecture(VALUES)
    others = [made.replace(n_qubits=5), made.replace(hidden=(8, 16)), made.replace(extra=None)]
    others.append(made.replace(encoding={**made.encoding, "reupload": False}))
    assert len({one.fingerprint for one in [made, *others]}) == 5


def test_replace_leaves_the_original():
    made = Architecture(VALUES)
    changed = made.replace(n_qubits=2, encoding={"name": "iqp"})
    assert (changed.n_qubits, changed.encoding.name, made.n_qubits, made.encoding.name) == (2, "iqp", 4, "angle")


def test_it_is_frozen():
    made = Architecture(VALUES)
    with pytest.raises(AttributeError, match=r"an architecture is frozen; use \.replace\(n_qubits=\.\.\.\)"):
        made.n_qubits = 3
    with pytest.raises(TypeError):
        made["n_qubits"] = 3
    with pytest.raises(TypeError):
        made.layers[0] = None


def test_it_does_not_share_what_it_was_made_of():
    values = {"layers": [{"rotation": "ry"}]}
    made = Architecture(values)
    values["layers"][0]["rotation"] = "rx"
    made.to_dict()["layers"].append(1)
    assert made == Architecture({"layers": [{"rotation": "ry"}]})


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_copies_are_equal(duplicate):
    made = Architecture(VALUES)
    again = duplicate(made)
    assert again == made
    assert again.encoding.axis == "x"
    assert again.fingerprint == made.fingerprint


def test_it_is_a_key():
    found = {Architecture(VALUES): 1, Architecture(turned(VALUES)): 2}
    assert list(found.values()) == [2]
    assert Architecture(VALUES) != VALUES
    assert Architecture({"a": 1}) != Architecture({"a": 1.0})


def test_what_it_prints():
    assert repr(Architecture({"n": 1, "e": {"name": "a"}})) == "Architecture(e=Architecture(name='a'), n=1)"


def test_an_unknown_value_names_the_nearest():
    with pytest.raises(
        AttributeError, match=r"unknown value of this architecture 'n_qubit': did you mean 'n_qubits'\?"
    ):
        _ = Architecture(VALUES).n_qubit


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"a": {1, 2}}, "the value of a is {1, 2} of type set; allowed are None, booleans, finite numbers, strings, l"),
        ({"a": [1, [2, 3j]]}, "the value of a[1][1] is 3j of type complex; allowed are"),
        ({"a": {"b": np.arange(2)}}, "the value of b is array([0, 1]) of type ndarray; allowed are"),
        ({"a": float("nan")}, "the value of a is nan of type float; allowed are None, booleans, finite numbers"),
        ({"a": [-float("inf")]}, "the value of a[0] is -inf of type float; allowed are"),
    ],
)
def test_values_that_json_cannot_carry(values, text):
    with pytest.raises(DesignError) as caught:
        Architecture(values)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "an architecture is a JSON object, but the text is not JSON: Expecting property name"),
        ("[1, 2]", "an architecture is a JSON object, not a list: '[1, 2]'."),
        ('{"a": NaN}', "the value of a is nan of type float; allowed are"),
    ],
)
def test_text_that_is_no_architecture(text, expected):
    with pytest.raises(DesignError) as caught:
        Architecture.from_json(text)
    assert str(caught.value).startswith(expected)
