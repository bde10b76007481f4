"""Spaces for tests, each with one mistake, or none."""

from qnas.space import Space, choice, integer, repeat

LAYER = dict(rotation=choice("ry", "rx"), entangler=choice("cx", "crx"), topology="line")
CLEAN = dict(
    n_qubits=integer(2, 3),
    encoding=choice(angle=dict(axis=choice("x", "y")), dense_angle={}),
    layers=repeat(1, 2, **LAYER),
    coupling="serial",
    hidden=choice((), (8,)),
)


def space(**changes):
    """The space without a mistake, but for the values that are changed."""
    return Space(**{**CLEAN, **changes})


def layers(**changes):
    return repeat(1, 2, **{**LAYER, **changes})
