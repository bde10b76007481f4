"""How many frequencies a model can have, by its circuit alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

import qnas
from qnas.errors import DesignError
from qnas.objectives import Design, Estimate


@qnas.objective("maximize", "frequencies", cost="circuit", reference="arXiv 2008.08605", scale="log")
def n_frequencies(design: Design) -> Estimate:
    """The number of distinct Fourier frequencies of the model in one input of its circuit, mean over the inputs.

    A rotation by an angle s x adds -s, 0 or s to each frequency in x. Weights decide which of them have an amplitude,
    so that this is the most that training can use. In the details are the numbers of all inputs.

    Raises:
        DesignError: an input is no factor of angles alone, as in `iqp` and `amplitude`.
    """
    program = design.program
    angles, inputs = program.angles, slice(program.n_inputs)
    linear = not angles.expressions and not (angles.factors < program.n_inputs).any()
    if program.amplitude_inputs is not None or not linear:
        raise DesignError("the frequencies of a circuit can be counted where angles are linear in its inputs only.")
    counts = [len(spectrum(scales[scales != 0])) for scales in angles.linear[inputs]]
    return Estimate(float(np.mean(counts)), details={"by_input": counts})


def spectrum(scales: Iterable[float]) -> set[float]:
    """All sums of -s, 0 or s over the scales s."""
    found = {0.0}
    for scale in scales:
        found = {round(frequency + step, 9) for frequency in found for step in (-scale, 0.0, scale)}
    return found
