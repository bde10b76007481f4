"""Spaces as JSON and back."""

import json

import pytest
from hypothesis import given

from qnas.errors import SpaceError
from qnas.space import Space, boolean, choice, integer, real, repeat
from tests.space.strategies import declarations, declared, quick


@quick
@given(declarations)
def test_a_space_survives_json(text):
    space = declared(text)
    again = Space.from_json(space.to_json())
    assert again == space and hash(again) == hash(space)
    assert (again.genes, again.to_json(), repr(again)) == (space.genes, space.to_json(), repr(space))
    assert Space.from_yaml(space.to_json()) == space


def test_what_json_holds():
    space = Space(
        n=integer(2, 4),
        scale=real(0.1, 1.0, levels=3, log=True),
        encoding=choice(angle={"axis": choice("x", None, (1, 2)), "reupload": boolean()}, amplitude={}),
        layers=repeat(1, 2, gate="cx", sizes=repeat(0, 2, integer(1, 3), tied=True)),
        hidden=(8, (4, 2)),
    ).within(qubits=4)
    assert json.loads(space.to_json()) == {
        "n": {"integer": [2, 4]},
        "scale": {"real": [0.1, 1.0], "levels": 3, "log": True},
        "encoding": {
            "choice": {"angle": {"axis": {"choice": ["x", None, [1, 2]]}, "reupload": "boolean"}, "amplitude": {}}
        },
        "layers": {
            "repeat": [1, 2],
            "of": {"gate": "cx", "sizes": {"repeat": [0, 2], "tied": True, "of": {"integer": [1, 3]}}},
        },
        "hidden": [8, [4, 2]],
        "budgets": {"qubits": 4},
    }  # fmt: skip
    assert Space.from_json(space.to_json(indent=None)) == space


def test_values_called_like_words_of_the_language_survive():
    space = Space(
        budgets=integer(1, 2),
        group={"choice": choice("integer", "boolean"), "real": "boolean"},
        items=repeat(1, 2, of=boolean(), repeat=integer(1, 2), constraints="group"),
        kind=choice(repeat={"budgets": "x"}, boolean={}),
    ).within(flops=1e6)
    assert Space.from_json(space.to_json()) == space


def test_constraints_are_written_by_their_sentences_and_not_read_back():
    part = Space(a=boolean()).where(lambda p: p.a, "a it is")
    inside, outside = Space(part=part), Space(n=integer(1, 2)).where(lambda a: a.n > 1, "one is none").within(qubits=3)
    assert json.loads(outside.to_json()) == {
        "group": {"n": {"integer": [1, 2]}}, "constraints": ["one is none"], "budgets": {"qubits": 3},
    }  # fmt: skip
    with pytest.raises(
        SpaceError, match=r"^its constraints are predicates, which text cannot carry: \['one is none'\];"
    ):
        Space.from_json(outside.to_json())
    with pytest.raises(SpaceError, match=r"^at part: its constraints are predicates"):
        Space.from_json(inside.to_json())
