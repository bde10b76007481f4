"""Gradient-measurement efficiency: how many derivatives one setting measures on average (arXiv 2406.18316)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.lower import lower
from qnas.circuit.program import CircuitProgram
from qnas.objectives.design import Design
from qnas.objectives.gradient_cost import METHODS, counted
from qnas.objectives.gradient_operators import Groups, measured_together
from qnas.objectives.lie_algebra import CHINZEI2024, program_dimension
from qnas.objectives.objective import Estimate, objective
from qnas.references import cites


@dataclass(frozen=True)
class GradientEfficiency:
    """What one measurement setting yields.

    Attributes:
        value: F_eff^(L) = L / n_groups, of the L weights that have an effect.
        n_groups: how many settings measure all derivatives.
        bound: the largest F with F <= X <= 4^n / F - F, where X is the dimension of the Lie algebra. It holds for
            circuits deep enough, so that shallow ones may score above it.
        lie_algebra_dim: X.
        groups: the names of the weights whose derivatives are measured together.
    """

    value: float
    n_groups: int
    bound: float
    lie_algebra_dim: int
    groups: Groups

    @property
    def distance(self) -> float:
        """How far the value is below the bound."""
        return self.bound - self.value


def gradient_efficiency(circuit: QuantumCircuit, observable: SparsePauliOp, seed: int = 0) -> GradientEfficiency:
    """F_eff of a circuit whose cost is the expectation value of an observable; every parameter is a weight.

    The derivative by weight j is the expectation value, in the initial state, of the gradient operator
    Gamma_j = -i [G_j(w), O(w)] up to a factor, with O(w) = U^dagger O U and G_j(w) = U_j^dagger G_j U_j, where U_j is
    the circuit up to and with rotation j. Operators that commute at random weights are measured together; the groups
    are found greedily, so that there may be fewer. Weights whose gradient operator vanishes do not count.

    Args:
        circuit: plain Qiskit that lowers, with parameters.
        observable: as wide as the circuit.
        seed: of the weights, uniform on [0, 2 pi), and of the vectors that commutators are tested with.

    Raises:
        CircuitError: the circuit has no parameters, more than 10 qubits, or another width than the observable, the
            observable is not Hermitian, no gradient operator differs from zero, or the Lie algebra cannot be computed.
    """
    program = lower(circuit, [], list(circuit.parameters))
    names = [parameter.name for parameter in circuit.parameters]
    return _gradient_efficiency(program, np.empty(0), observable, names, np.random.default_rng(seed))


@objective("maximize", "weights per setting", cost="states", name="gradient_efficiency", reference=CHINZEI2024)
@cites("chinzei2025")
def design_gradient_efficiency(design: Design) -> Estimate:
    """F_eff of a design's circuit for its mean readout, its encoding evaluated at one seeded data sample.

    Reported with the circuits that a gradient of the mean readout by these weights takes, see `qnas.gradient_cost`.
    """
    names, inputs = [weight.name for weight in design.builder.design.weights], design.sample_input[0].numpy()
    readout = design.mean_readout
    found = _gradient_efficiency(design.program, inputs, readout, names, design.rng("gradient_efficiency"))
    cost = counted(design.program, readout, names, found.groups)
    details = {name: getattr(found, name) for name in ("n_groups", "bound", "distance", "lie_algebra_dim", "groups")}
    return Estimate(found.value, None, details | {"circuits": {name: getattr(cost, name) for name in METHODS}})


def _gradient_efficiency(
    program: CircuitProgram,
    inputs: Float[np.ndarray, " inputs"],
    observable: SparsePauliOp,
    names: Sequence[str],
    rng: np.random.Generator,
) -> GradientEfficiency:
    groups = measured_together(program, inputs, observable, names, rng)
    dimension = program_dimension(program)
    return GradientEfficiency(
        value=sum(map(len, groups)) / len(groups),
        n_groups=len(groups),
        bound=largest_efficiency(dimension, program.n_qubits),
        lie_algebra_dim=dimension,
        groups=groups,
    )


def largest_efficiency(lie_algebra_dim: int, n_qubits: int) -> float:
    """The largest F with F <= X <= 4^n / F - F, where X is the dimension of the Lie algebra."""
    root = np.sqrt(float(lie_algebra_dim) ** 2 + 4.0 ** (n_qubits + 1))
    return float(min(lie_algebra_dim, 2 * 4.0**n_qubits / (lie_algebra_dim + root)))
