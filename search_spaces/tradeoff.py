"""Expressibility against trainability, for one circuit under three training configurations.

Source: the expressibility-trainability study in three training configurations (arXiv 2605.25768). From there are the
genes: depth, number of qubits, topology, and the classical widths in front of the circuit (`hidden`) and behind it
(`head`); and the configurations `training=end_to_end`, `training=quantum_only` and `training=pqc`. Its tables are not
at hand, so the values of each gene are our own reading:

* every layer is RY and RZ on each qubit and CX on the pairs of the topology; features are RY angles.
* `pre` "pca" puts principal components in front of the circuit instead of an MLP, and so has no `hidden` widths. It is
  what remains in front of a circuit that is trained alone (`training=pqc`), on data of any number of features. Designs
  with an MLP can be trained alone where the data have at most as many features as the circuit has qubits; a search
  leaves the others out.
* where topologies join the same pairs, on 2 and on 3 qubits, one of them is kept.
"""

from qnas.architecture import Architecture
from qnas.space import Space, choice, integer, repeat

_SAME = {2: ("ring", "all", "star"), 3: ("all",)}


def topologies_differ(architecture: Architecture) -> bool:
    """Topologies that join the pairs of an earlier one are left out."""
    return all(layer.topology not in _SAME.get(architecture.n_qubits, ()) for layer in architecture.layers)


space = (
    Space(
        n_qubits=integer(2, 6),
        encoding=dict(name="angle", axis="y"),
        layers=repeat(
            1, 8, rotation="ry_rz", entangler="cx", topology=choice("line", "ring", "star", "all"), tied=True
        ),
        pre=choice("mlp", "pca"),
        hidden=choice((), (8,), (16,), (16, 8)),
        head=choice((), (8,), (16,)),
        coupling="serial",
        readout="z",
    )
    .where(topologies_differ, because="on 2 qubits all topologies join one pair, on 3 'all' joins the pairs of 'ring'")
    .where(lambda a: a.pre == "mlp" or not a.hidden, because="principal components have no hidden layers")
)
