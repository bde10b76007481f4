"""Hybrid classifiers for FLOPs-aware search: small serial networks whose every part has a price.

Source: FLOPs-aware search of hybrid quantum-classical networks (arXiv 2605.18345, 2511.10062). From there are the
genes: encoding, number of qubits, depth, rotations, entanglement, classical widths, measurement and coupling. Their
tables are not at hand, so the values of each gene are our own reading:

* `angle` is RY(2x), one feature per qubit; `amplitude` takes 2^n values from the network in front of it.
* all layers of a design are the same, so that depth is one number.
* `line`, `ring` and `all` of CX or CZ; on 3 qubits `all` joins the same pairs as `ring` and is left out.
* `z` and `zz` are expectation values, `probabilities` those of blocks of basis states, one block per class.

There are exactly 23,760 architectures.
"""

from qnas.architecture import Architecture
from qnas.space import Space, choice, integer, repeat


def topologies_differ(architecture: Architecture) -> bool:
    """On 3 qubits only one of `ring` and `all` is kept."""
    return architecture.n_qubits > 3 or all(layer.topology != "all" for layer in architecture.layers)


space = Space(
    n_qubits=integer(3, 6),
    encoding=choice(angle=dict(axis="y", scale=2.0), amplitude={}),
    layers=repeat(
        1,
        5,
        rotation=choice("ry", "ry_rz", "rx_ry_rz"),
        entangler=choice("cx", "cz"),
        topology=choice("line", "ring", "all"),
        tied=True,
    ),
    hidden=choice((), (8,), (16,), (32,), (16, 8), (32, 16)),
    readout=choice("z", "zz", "probabilities"),
    coupling=choice("serial", "residual"),
).where(topologies_differ, because="on 3 qubits the topology 'all' joins the same pairs as 'ring'")
