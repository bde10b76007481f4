"""The suite of search spaces: the bundled ones pass it, and each of its tests fails on one that deserves it."""

import pytest
from torch import nn

from qnas.model.couplings import coupling
from qnas.space import Space, choice, integer, repeat, space_names
from qnas.testing import SpaceConformance
from qnas.testing.designs import LAYER
from tests.testing.failing import failures


def bundled():
    """A suite for each bundled space."""
    return {
        f"Test_{name}": type(f"Test_{name}", (SpaceConformance,), {"name": name, "seed": range(3)})
        for name in space_names()
    }


globals().update(bundled())

GOOD = Space(n_qubits=integer(2, 3), encoding="angle", layers=repeat(1, 2, **LAYER), hidden=choice((), (4,)))


@pytest.fixture
def failing(monkeypatch):
    """The failures of a space."""

    def find(space, **attributes):
        monkeypatch.setattr("qnas.testing.spaces.load_space", lambda name: space() if callable(space) else space)
        return failures(SpaceConformance, **{"name": "mine", "seed": (0, 1), **attributes})

    return find


def test_a_good_space_passes(failing):
    assert failing(GOOD) == {}
    assert failing(GOOD.where(lambda a: a.n_qubits == 2 or not a.hidden, because="small ones only")) == {}


def test_a_space_that_is_another_each_time(failing):
    sizes = iter(range(2, 1000))
    found = failing(lambda: Space(n_qubits=next(sizes)))
    text = "the search space 'mine' has another sample when it is loaded again; declare it by nothing that is random."
    assert text in found["a_sample_belongs_and_the_seed_decides"]


def test_a_constraint_that_changes_its_mind(failing):
    turns = iter(range(10**9))
    found = failing(GOOD.where(lambda a: next(turns) % 2, because="odd calls only"))
    assert "does not contain its own sample Architecture(" in found["a_sample_belongs_and_the_seed_decides"]
    assert "is left by a variation of its designs, " in found["variation_stays_inside"]


@pytest.mark.parametrize(
    ("method", "broken", "test", "text"),
    [
        ("canonical", lambda self, genotype: genotype, "a_design_is_one_genotype", "has two genotypes for one design"),
        ("to_json", lambda self: f'{{"a": {id(self)}}}', "the_space_is_json", "is another space after JSON"),
    ],
)
def test_a_language_that_is_broken(failing, monkeypatch, method, broken, test, text):
    monkeypatch.setattr(Space, method, broken)
    assert text in failing(Space(n_qubits=2, encoding=choice(angle=dict(axis=choice("x", "y")), iqp={})))[test]


def test_designs_that_cannot_be_built(failing):
    found = failing(Space(n_qubits=2, encoding="angel", layers=repeat(1, 1, **LAYER)))
    for test in ("a_design_learns", "a_design_survives_openqasm"):
        assert "the design Architecture(encoding='angel'," in found[test]
        assert "of the search space 'mine': unknown encoding 'angel': did you mean 'angle'?" in found[test]
        assert found[test].endswith("Exclude it by .where(...).")


def test_designs_that_cannot_take_the_features_are_skipped(failing):
    assert failing(Space(n_qubits=2, encoding="angle", layers=repeat(1, 1, **LAYER), coupling="quantum")) == {}
    found = failing(Space(n_qubits=2, encoding="angle", layers=repeat(1, 1, **LAYER), coupling="quantum"), n_features=2)
    assert found == {}


def test_designs_that_do_not_learn(failing):
    class Constant(nn.Module):
        def __init__(self, parts):
            super().__init__()
            self.head = parts.mlp(parts.n_features, parts.n_outputs)

        def forward(self, features):
            return 0 * self.head(features)

    coupling("constant")(Constant)
    found = failing(Space(n_qubits=2, encoding="angle", layers=repeat(1, 1, **LAYER), coupling="constant"))
    assert list(found) == ["a_design_learns"]
    assert "of the search space 'mine' does not learn: its loss was 0.6931 and is 0.6931 after 10" in found.popitem()[1]


def test_designs_that_say_why_they_do_not_learn_are_skipped(failing):
    """The readout ignores a rotation about z, and there is nothing else to train."""
    layer = {"rotation": "rz", "entangler": "cz", "topology": "line"}
    assert failing(Space(n_qubits=4, encoding="angle", layers=repeat(1, 1, **layer), coupling="quantum")) == {}


def test_a_circuit_that_cannot_be_exported(failing, monkeypatch):
    monkeypatch.setattr("qnas.testing.spaces.overlap", lambda one, other: 0.5)
    found = failing(GOOD)
    assert list(found) == ["a_design_survives_openqasm"]
    assert "is another one after OpenQASM 3." in found.popitem()[1]
