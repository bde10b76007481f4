"""Circuits gate by gate: up to 16 gates on any qubits, in the manner of quantum architecture search.

What is of the field: a circuit as a list of gates from a small set, each on a qubit or an ordered pair that the search
chooses (reviewed by Martyniuk et al. 2024, arXiv 2406.06210). What is ours: this set of gates, the length, the encoding
in front, which is fixed, so that the search is about the circuit, and everything classical.

Sequences that make one circuit, because gates commute, cancel or add up, are one design of a run (`canonical_sequence`
says which), but the size of the space counts each of them.
"""

from qnas.space import Space, choice, repeat

N_QUBITS = 4

qubit = choice(*range(N_QUBITS))
ordered_pair = choice(*((a, b) for a in range(N_QUBITS) for b in range(N_QUBITS) if a != b))
pair = choice(*((a, b) for a in range(N_QUBITS) for b in range(a + 1, N_QUBITS)))

gate = choice(
    h=dict(qubit=qubit),
    rx=dict(qubit=qubit),
    ry=dict(qubit=qubit),
    rz=dict(qubit=qubit),
    cx=dict(pair=ordered_pair),
    cz=dict(pair=pair),
    crx=dict(pair=ordered_pair),
    rzz=dict(pair=pair),
)

space = Space(
    n_qubits=N_QUBITS,
    encoding=dict(name="angle", axis="y"),
    ansatz=dict(name="gates", sequence=repeat(1, 16, gate)),
    coupling=choice("serial", "residual"),
    hidden=choice((), (16,)),
    readout=choice("z", "zz"),
)
