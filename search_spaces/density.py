"""Density networks: mixtures of circuits of one form, of families whose gradients are cheap (arXiv 2405.20237).

What is the paper's: the mixture of K circuits with trained weights that are positive and add up to one, which may
depend on the input, and the two families, commuting-block and orthogonal circuits, which keep the Hamming weight.

What is our reading: the generators of the blocks, see the ansatz `commuting`; the layouts of the orthogonal circuits;
the weights as a softmax of numbers or of a linear map of the features; and the encodings: angles or amplitudes on all
basis states, where the paper loads data into states of one Hamming weight, so that an orthogonal circuit here keeps how
likely each Hamming weight is. `serial` is one circuit, the end of the family at K = 1.
"""

from qnas.space import Space, choice, integer

space = Space(
    n_qubits=integer(3, 6),
    encoding=choice(angle=dict(axis=choice("x", "y")), amplitude={}),
    ansatz=choice(
        commuting=dict(blocks=choice("x", "zx", "zy", "xzx", "yzx"), max_weight=integer(1, 2)),
        orthogonal=dict(
            layout=choice("pyramid", "brick", "butterfly"), n_layers=integer(1, 3), hamming_weight=integer(1, 2)
        ),
    ),
    coupling=choice(serial={}, density=dict(n_circuits=integer(2, 4), weighting=choice("constant", "input"))),
    hidden=choice((), (16,)),
    readout=choice("z", "zz"),
)
