"""Hybrid classifiers: encodings, layered ansatze, couplings and classical heads, the default space.

Sources, by value:

* `angle`, `reupload`: data re-uploading (Perez-Salinas et al. 2020, arXiv 1907.02085). The axis z is left out: an RZ
  on |0> is a global phase, so the circuit would ignore its input.
* `dense_angle`: two features per qubit (LaRose and Coyle 2020, arXiv 2003.01695).
* `iqp`: products of features in the phases (Havlicek et al. 2019, arXiv 1804.11326).
* `layers`: rotations and entanglers of hardware-efficient ansatze (Kandala et al. 2017, arXiv 1704.05041), with the
  topologies that Sim, Johnson and Aspuru-Guzik 2019 compare (arXiv 1905.10876).
* `additive`, `multiplicative`, `mac`: classical couplings of physics-informed networks (arXiv 2511.07216).
* the choice as a whole: FLOPs-aware search of hybrid networks (arXiv 2605.18345, 2511.10062).
"""

from qnas.architecture import Architecture
from qnas.space import Space, boolean, choice, integer, repeat

__references__ = ("marchisio2026", "kashif2025")  # of the whole; a run cites those of the values that its designs have


def topologies_differ(architecture: Architecture) -> bool:
    """On 3 qubits only one of `ring` and `all` is kept."""
    return architecture.n_qubits > 3 or all(layer.topology != "all" for layer in architecture.layers)


space = Space(
    n_qubits=integer(3, 6),
    encoding=choice(
        angle=dict(axis=choice("x", "y"), reupload=boolean()),
        dense_angle=dict(reupload=boolean()),
        iqp=dict(repeats=integer(1, 2)),
        amplitude={},
    ),
    layers=repeat(
        1,
        4,
        rotation=choice("ry", "ry_rz", "rx_ry_rz"),
        entangler=choice("cx", "cz", "crx"),
        topology=choice("line", "ring", "all"),
    ),
    coupling=choice("serial", "residual", "additive", "multiplicative", "mac"),
    hidden=choice((), (16,), (32,), (32, 16)),
    readout=choice("z", "zz"),
).where(topologies_differ, because="on 3 qubits the topology 'all' joins the same pairs as 'ring'")
