"""The state behind the first one-qubit gates: a product of their first columns, for they act on |0...0>."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Complex, Float

from qnas.simulation.contract import States
from qnas.simulation.transitions import Window


class ProductState:
    """A product state of each sample, in factors of one window of qubits each.

    Args:
        columns: the one-qubit states, lowest qubit first.
        windows: that cover the register.
    """

    def __init__(self, columns: Complex[np.ndarray, "batch qubits 2"], windows: Sequence[Window]) -> None:
        self._windows = windows
        self._factors = [window.product(columns) for window in windows]
        above = self._factors[-1]
        self._above = [above]  # the product of all factors from each window on, highest first
        for factor in reversed(self._factors[:-1]):
            pairs = above[:, :, None] * factor[:, None, :]
            above = pairs.reshape(len(pairs), -1)
            self._above.append(above)

    @property
    def n_bytes(self) -> int:
        """Of its arrays."""
        return sum(array.nbytes for array in (*self._factors, *self._above))

    @property
    def amplitudes(self) -> States:
        return self._above[-1]

    def vectors(self, bra: States) -> Iterator[Float[np.ndarray, "batch qubits 3"]]:
        """Im <lambda| (X, Y, Z) |psi> on each qubit, window by window, from the conjugates of lambda.

        For each window the others are contracted away, the lower ones once for all windows above them.
        """
        batch = len(bra)
        for window, factor, above in zip(self._windows, self._factors, [*self._above[-2::-1], None], strict=True):
            here = bra
            if above is not None:
                matrix = bra.reshape(batch, -1, factor.shape[1])
                here = (above[:, None] @ matrix)[:, 0]
                bra = (matrix @ factor[:, :, None])[:, :, 0]
            yield window.of_product(factor, here)
