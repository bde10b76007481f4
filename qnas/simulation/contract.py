"""What the hybrid model asks of a simulator, so that exact and sampled ones are interchangeable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Complex, Float
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.program import CircuitProgram


@dataclass(frozen=True, eq=False)
class Binding:
    """The angles of one batch of circuits.

    Attributes:
        shared: angles in radians of the slots that all samples share, in slot order, shape (n_shared,).
        varying: angles of the slots that differ per sample, in slot order, shape (batch, n_varying).
        amplitudes: initial amplitudes per sample, not necessarily of norm 1, shape (batch, 2^n); None: |0...0>.
    """

    shared: Float[np.ndarray, " shared"]
    varying: Float[np.ndarray, "batch varying"]
    amplitudes: Float[np.ndarray, "batch dim"] | None = None

    @property
    def batch(self) -> int:
        return int(self.varying.shape[0])


@dataclass(frozen=True, eq=False)
class Gradients:
    """Derivatives of sum(cotangent * expectations); shapes as in `Binding`."""

    shared: Float[np.ndarray, " shared"]
    varying: Float[np.ndarray, "batch varying"]
    amplitudes: Float[np.ndarray, "batch dim"] | None


class Needs(NamedTuple):
    """Which derivatives the caller will use; a simulator may leave the others at zero and save their circuits."""

    shared: bool = True
    varying: bool = True
    amplitudes: bool = True


EVERYTHING = Needs()


@dataclass(frozen=True)
class Spent:
    """Circuits run and shots taken since an executable was prepared; exact simulation takes none."""

    n_circuits: int = 0
    n_shots: int = 0


@runtime_checkable
class Executable(Protocol):
    """One circuit program with its observables, prepared to be run many times.

    Attributes:
        varying: which slots differ per sample, as prepared.
        shifts: whether derivatives of derivatives may be taken, which is by parameter shift.
        one_job: whether one large batch costs less than several. A binding may then give every slot an angle per
            sample, whatever was prepared: `shared` is empty, and `varying` has a column for each slot, in slot order.
    """

    varying: Bool[np.ndarray, " slots"]
    shifts: bool
    one_job: bool

    @property
    def spent(self) -> Spent:
        """Circuits and shots so far."""
        ...

    def forward(self, binding: Binding) -> tuple[Float[np.ndarray, "batch observables"], object]:
        """The expectation values, and whatever `backward` needs of this run."""
        ...

    def backward(
        self,
        binding: Binding,
        residual: object,
        cotangent: Float[np.ndarray, "batch observables"],
        needs: Needs = EVERYTHING,
    ) -> Gradients:
        """The derivatives of sum(cotangent * expectations) at the run that left `residual`."""
        ...


@runtime_checkable
class Simulator(Protocol):
    """Prepares circuit programs; frozen and picklable, so that it can cross processes."""

    def prepare(
        self,
        program: CircuitProgram,
        observables: Sequence[SparsePauliOp],
        varying: Bool[np.ndarray, " slots"],
    ) -> Executable:
        """An executable whose slots marked in `varying` differ per sample.

        Raises:
            CircuitError: an observable has another width than the circuit, or the circuit is over the memory budget.
        """
        ...


States = Complex[np.ndarray, "batch dim"]
"""State vectors, one per row; column k is the amplitude of basis state k."""
