"""A circuit as a list of what its gates are, to compare with one that is written out."""


def listed(circuit):
    return [(i.operation.name, tuple(circuit.find_bit(qubit).index for qubit in i.qubits)) for i in circuit.data]


def names(circuit):
    """The parameter of each gate that has one, in the order of application."""
    return [p.name for i in circuit.data for value in i.operation.params for p in value.parameters]
