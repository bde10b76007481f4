"""Models with many frequencies: exponential encodings, perhaps re-uploaded, between trained layers."""

from qnas.space import Space, boolean, choice, integer, repeat

space = Space(
    n_qubits=integer(2, 6),
    encoding=choice(fourier=dict(base=integer(1, 3), reupload=boolean()), angle=dict(reupload=boolean())),
    layers=repeat(1, 3, rotation=choice("ry", "rx_ry_rz"), entangler=choice("cx", "cz"), topology="ring"),
    coupling=choice("serial", "additive"),
    hidden=choice((), (8,)),
    readout=choice("z", "zz"),
)
