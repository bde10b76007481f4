"""Parts with options everywhere: encodings with weights, named layers, mixtures, principal components."""

from qnas.space import Space, choice, repeat

space = Space(
    n_qubits=2,
    encoding=choice(angle=dict(scale=2.0, trainable=True, reupload=True), basis={}),
    layers=repeat(1, 2, choice(sim2019=dict(template=choice(2, 3)))),
    coupling=choice(density=dict(n_circuits=2, weighting="input"), quantum={}),
    pre="pca",
    hidden=(),
    readout=choice(z={}, probabilities=dict(partition="parity"), pauli_mixture={}),
)
