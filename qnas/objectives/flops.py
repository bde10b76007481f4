"""Floating-point operations: real ones, for one sample, forward; a complex product is 6, a complex sum 2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from qiskit.quantum_info import SparsePauliOp

from qnas.architecture import Architecture
from qnas.circuit.lower import ROTATIONS
from qnas.circuit.program import CircuitProgram, Fixed, Rotation
from qnas.model.hybrid import HybridModel, ModelBuilder
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.objectives.torch_flops import forward_flops
from qnas.references import cites

_UNIT_PHASES = (1, -1, 1j, -1j)


@dataclass(frozen=True)
class Flops:
    """Floating-point operations of one sample, by part; docs/flops.md has the convention and an example by hand.

    Attributes:
        encoding, circuit, readout, classical: of the forward pass.
        sweep: of the circuit's backward pass by the adjoint method, see `sweep_flops`.
    """

    encoding: int
    circuit: int
    readout: int
    classical: int
    sweep: int

    @property
    def total(self) -> int:
        """The forward pass."""
        return self.encoding + self.circuit + self.readout + self.classical

    @property
    def training_step(self) -> int:
        """Forward, and backward with the derivatives of all weights and inputs of the circuit.

        The backward pass of the classical part is twice its forward pass, as is customary: of a linear map, the
        derivatives of its weights cost as much as the map, and those of its inputs, too.
        """
        return self.total + self.sweep + 2 * self.classical


def flops(architecture: Architecture, n_features: int, n_outputs: int) -> Flops:
    """The floating-point operations of the model of an architecture; see `Flops`."""
    return _flops(ModelBuilder(architecture, n_features, n_outputs))


@objective("minimize", "FLOPs", cost="circuit", name="flops", reference="arXiv 2605.18345, 2511.10062", scale="log")
@cites("marchisio2026", "kashif2025")
def design_flops(design: Design) -> Estimate:
    """Floating-point operations of one sample, forward."""
    found = _flops(design.builder)
    names = ("encoding", "circuit", "readout", "classical", "training_step")
    return Estimate(found.total, None, {name: getattr(found, name) for name in names})


def _flops(builder: ModelBuilder) -> Flops:
    """A model with several circuits, which are all of one form, has their sum."""
    model = builder.build(0).eval()
    program, design, n_circuits = builder.program, builder.design, len(model.quantum_layers)
    encoding = design.n_uploads * program_flops(design.encoding_program)
    return Flops(
        encoding=n_circuits * encoding,
        circuit=n_circuits * (program_flops(program) - encoding),
        readout=n_circuits * readout_flops(design.observables),
        classical=classical_flops(model, builder.n_features),
        sweep=n_circuits * sweep_flops(program, design.observables),
    )


def program_flops(program: CircuitProgram) -> int:
    """Of applying every operation to a state of 2^n amplitudes; amplitude encoding is a norm and 2^n divisions."""
    preparation = 0 if program.amplitude_inputs is None else 3 * 2**program.n_qubits
    return preparation + _operations_flops(program)


def sweep_flops(program: CircuitProgram, observables: Iterable[SparsePauliOp]) -> int:
    """Of the adjoint method's way back (arXiv 2009.02823), when the final state psi is at hand.

    lambda = sum_k g_k O_k psi costs what the readout does but for the squares: 2 per amplitude for the product of psi
    with the diagonal of all strings of Z, instead of 3, and one product less for each coefficient. Then the circuit is
    undone on psi and lambda, with an inner product Im <lambda| P |psi> of 4 per amplitude for each rotation. For
    amplitude encoding, lambda is projected and divided by the norm, 5 per amplitude.
    """
    dim = 2**program.n_qubits
    projection = 0 if program.amplitude_inputs is None else 5 * dim
    undone = 2 * _operations_flops(program) + 4 * dim * len(program.rotations)
    return _strings_flops(observables, of_squares=2, of_coefficient=1) + undone + projection


def _operations_flops(program: CircuitProgram) -> int:
    return sum(_operation_flops(operation, 2**program.n_qubits) for operation in program.operations)


def _operation_flops(operation: Rotation | Fixed, dim: int) -> int:
    """A rotation 6 per amplitude, also at a fixed angle; a Hadamard 4; permutations and sign flips 0; other phases 6;
    dense 8 * 2^k - 2.
    """
    if isinstance(operation, Rotation):
        return 6 * dim
    if operation.name == "h":
        return 4 * dim
    matrix = operation.matrix
    entries = matrix[np.abs(matrix) > 1e-12]
    if len(entries) == len(matrix):
        others = sum(1 for entry in entries if np.abs(entry - np.array(_UNIT_PHASES)).min() > 1e-12)
        return 6 * dim * others // len(matrix)
    if operation.name in ROTATIONS:
        return 6 * dim * sum(len(factors) for factors in ROTATIONS[operation.name])
    return (8 * len(matrix) - 2) * dim


def readout_flops(observables: Iterable[SparsePauliOp]) -> int:
    """|psi|^2 once (3 per amplitude), if any string is of Z alone, and what each observable takes of it.

    Its strings of Z together are one diagonal, prepared beforehand: a product and a sum, 2 per amplitude. A single one
    is a sum with signs, 1 per amplitude. Each string with X or Y is 4 per amplitude. A single string of Z and a string
    with X or Y whose coefficient is not 1 or -1 cost one product and one sum more.
    """
    return _strings_flops(observables, of_squares=3, of_coefficient=2)


def _strings_flops(observables: Iterable[SparsePauliOp], *, of_squares: int, of_coefficient: int) -> int:
    """Squares per amplitude, if any string is of Z alone; coefficients that are not 1 or -1, each once."""
    operators = list(observables)
    dim = 2 ** operators[0].num_qubits
    any_diagonal = any((~operator.paulis.x.any(axis=1)).any() for operator in operators)
    strings = sum(_observable_flops(operator, dim, of_coefficient) for operator in operators)
    return of_squares * dim * any_diagonal + strings


def _observable_flops(operator: SparsePauliOp, dim: int, of_coefficient: int) -> int:
    flips, weighted = operator.paulis.x.any(axis=1), np.abs(operator.coeffs) != 1
    n_diagonal = int((~flips).sum())
    summed = 2 * dim if n_diagonal > 1 else n_diagonal * dim
    apart = flips if n_diagonal > 1 else np.full(len(operator), True)
    return summed + 4 * int(flips.sum()) * dim + of_coefficient * int((weighted & apart).sum())


def classical_flops(model: HybridModel, n_features: int) -> int:
    """Outside the circuit, see `qnas.objectives.torch_flops`: a linear map d -> m with bias is 2dm.

    What mixes the expectation values of a learned readout is counted here, too.

    Raises:
        PluginError: the model uses a torch operator of no known cost.
    """
    features = torch.full((1, n_features), 0.5, dtype=torch.float64)
    return forward_flops(model, features, leaving_out=model.quantum_layers)
