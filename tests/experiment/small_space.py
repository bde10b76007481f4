"""Circuits of two qubits, 48 designs; some genes do not exist in all of them."""

from qnas.space import Space, boolean, choice, repeat

space = Space(
    n_qubits=2,
    encoding=choice(
        angle=dict(axis=choice("x", "y"), reupload=boolean()),
        dense_angle=dict(reupload=boolean()),
        iqp=dict(repeats=choice(1, 2)),
    ),
    layers=repeat(1, 2, rotation=choice("ry", "ry_rz"), entangler="cx", topology="line"),
    coupling="residual",
    hidden=(),
    readout="z",
)
