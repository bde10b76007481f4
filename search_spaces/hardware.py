"""Circuits of the gates and the pairs of qubits that a backend has, so that nothing needs routing.

What is of the field: hardware-efficient layers (Kandala et al. 2017, arXiv 1704.05041), of a virtual RZ, SX and one
two-qubit gate, as IBM's devices have them; the lattice of heavy hexagons is theirs, too. What is ours: the patterns of
one-qubit gates, the two ways to go over the pairs, the encodings, which need no pairs either, and everything classical.

The backend is Qiskit's generic one with a topology and a two-qubit gate to choose; `simulation=noisy` takes the same
with `simulation.backend_topology` and `simulation.backend_entangler`. For a real device copy this file and write
`backend="fake_manila"`, or another snapshot of qiskit-ibm-runtime, in the place of topology and entangler.
"""

from qnas.space import Space, choice, integer

space = Space(
    n_qubits=integer(4, 6),
    encoding=choice(angle=dict(axis=choice("x", "y")), dense_angle={}),
    ansatz=dict(
        name="native",
        backend="generic",
        topology=choice("line", "ring", "grid", "heavy_hex", "all"),
        entangler=choice("cx", "cz", "ecr"),
        rotation=choice("rz_sx", "sx_rz_sx", "rz_sx_rz_sx"),
        edges=choice("all", "matching"),
        n_layers=integer(2, 6),
    ),
    coupling=choice("serial", "residual"),
    hidden=choice((), (16,)),
    readout=choice("z", "zz"),
)
