"""The space `slpa`: the circuits of the paper are designs of it."""

import pytest

from qnas.circuit.ansatze import ansatze
from qnas.space import load_space
from tests.circuit.ansatze.listing import rotation_labels
from tests.objectives.algebras import NON_SYMMETRIC, SLPA, SYMMETRIC


@pytest.mark.parametrize(
    ("ansatz", "strings"),
    [
        (dict(name="slpa", stabilizers="X_Z", logicals="XX_YY_ZZ", n_blocks=12), SLPA),
        (dict(name="symmetric", n_layers=2), SYMMETRIC * 2),
        (dict(name="non_symmetric", n_layers=1), NON_SYMMETRIC),
    ],
    ids=["slpa", "symmetric", "non_symmetric"],
)
def test_the_circuits_of_the_paper(ansatz, strings):
    space = load_space("slpa")
    assert space.contains(space.sample().replace(n_qubits=4, ansatz=ansatz))
    name, options = ansatz["name"], {key: value for key, value in ansatz.items() if key != "name"}
    assert rotation_labels(ansatze[name](4, **options)) == strings
