"""Stabilizer-logical product ansatze, beside the symmetric and the non-symmetric circuit (arXiv 2406.18316).

What is the paper's: the product ansatz, in blocks of one logical Pauli times every element of a stabilizer group, whose
derivatives are measured together, and the two circuits that it is compared with; on 4 qubits, with X on all and Z on
all as stabilizers, with `XX_YY_ZZ` as logicals and 12 blocks, they are those of the paper, string by string.

What is our reading: the other groups and logicals, the widths, the encoding in front, and everything classical. The
readout `zz` commutes with every stabilizer here, `z` does not with those that hold X or Y.
"""

from qnas.space import Space, choice, integer

space = Space(
    n_qubits=choice(4, 6),
    encoding=choice(angle=dict(axis=choice("x", "y")), iqp=dict(repeats=integer(1, 2))),
    ansatz=choice(
        slpa=dict(
            stabilizers=choice("X_Z", "X", "Y", "Z"),
            logicals=choice("XX_YY_ZZ", "XX_YY", "XX_ZZ", "YY_ZZ"),
            n_blocks=integer(1, 24),
        ),
        symmetric=dict(n_layers=integer(1, 4)),
        non_symmetric=dict(n_layers=integer(1, 4)),
    ),
    coupling=choice("serial", "residual"),
    hidden=choice((), (16,)),
    readout=choice("zz", "z"),
)
