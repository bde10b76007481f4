"""A circuit as a list of what its gates are, to compare with one that is written out."""

from qnas.circuit.lower import lower


def listed(circuit):
    return [(i.operation.name, tuple(circuit.find_bit(qubit).index for qubit in i.qubits)) for i in circuit.data]


def names(circuit):
    """The parameter of each gate that has one, in the order of application."""
    return [p.name for i in circuit.data for value in i.operation.params for p in value.parameters]


def rotation_labels(circuit):
    """The Pauli string of every rotation by a weight, in the order of application, qubit 0 leftmost, without signs."""
    rotations = lower(circuit, [], list(circuit.parameters)).rotations
    return [label(rotation, circuit.num_qubits) for rotation in rotations]


def label(rotation, n_qubits):
    letters = dict(zip(rotation.qubits, rotation.pauli, strict=True))
    return "".join(letters.get(qubit, "I") for qubit in range(n_qubits))
