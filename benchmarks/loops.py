"""The objectives as one would write them with `qiskit.quantum_info`: a bound circuit, its states, and a loop.

Each function returns what qnas returns, from the same random numbers, so that the benchmark can compare both. They are
written as well as their means allow: data are bound once, a gradient reads one weighted observable, and products of
Hermitian matrices are used twice. They serve the circuits of the benchmark, with one weight for each rotation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from qiskit.quantum_info import Clifford, Operator, Pauli, PauliList, SparsePauliOp, Statevector, partial_trace
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from qnas.model.hybrid import HybridModel
from qnas.model.training import loss_function, tensors
from qnas.objectives import Design

_GENERATORS = {"rx": "X", "ry": "Y", "rz": "Z"}
_N_BINS = 75


def expressibility(design: Design, n_pairs: int) -> float:
    """The divergence alone, without its error."""
    circuit, order = _with_sample(design)
    weights = design.rng("expressibility").uniform(0, 2 * np.pi, (2, n_pairs, len(order)))[..., order]
    states = [[Statevector(circuit.assign_parameters(row)) for row in rows] for rows in weights]
    fidelities = [abs(first.inner(second)) ** 2 for first, second in zip(*states, strict=True)]
    p = np.histogram(fidelities, bins=_N_BINS, range=(0, 1))[0] / n_pairs
    edges, power = np.linspace(0, 1, _N_BINS + 1), 2**circuit.num_qubits - 1
    haar = (1 - edges[:-1]) ** power - (1 - edges[1:]) ** power
    filled = p > 0
    return float(np.sum(p[filled] * np.log(p[filled] / haar[filled])))


def entangling_capability(design: Design, n_samples: int) -> float:
    """The mean of Q = 2 (1 - mean over qubits of Tr rho_k^2)."""
    circuit, order = _with_sample(design)
    qubits, found = set(range(circuit.num_qubits)), []
    for row in design.rng("entangling_capability").uniform(0, 2 * np.pi, (n_samples, len(order))):
        state = Statevector(circuit.assign_parameters(row[order]))
        purities = [partial_trace(state, sorted(qubits - {k})).purity().real for k in qubits]
        found.append(2 * (1 - np.mean(purities)))
    return float(np.mean(found))


def trainability(design: Design, n_starts: int) -> float:
    """For the configuration "end_to_end" and a batch of one sample, the circuit's derivatives by parameter shift."""
    rows = design.rng("batch").permutation(len(design.splits.train.features))[:1]
    features, targets = (values[rows] for values in tensors(design.splits.train))
    derivatives = []
    for start in design.rng("starts").integers(2**63, size=n_starts):
        model = with_loops(design.builder.build(int(start)), design)
        loss = loss_function(design.splits.task)(model(features), targets)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        derivatives.append(torch.cat([gradient.flatten() for gradient in gradients]).numpy())
    return float(np.log10(np.var(derivatives, axis=0, ddof=1).mean()))


def with_loops(model: HybridModel, design: Design) -> HybridModel:
    """The model, its circuit simulated by a loop."""
    parts = design.builder.design
    for layer in model.quantum_layers:
        layer.forward = lambda inputs, own=layer: _Loop.apply(inputs, own.weight, parts)  # type: ignore[method-assign]
    return model


class _Loop(torch.autograd.Function):
    """Expectation values sample by sample; derivatives by parameter shift."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weights: Tensor, parts: Any) -> Tensor:
        points = torch.cat([inputs, weights.expand(len(inputs), -1)], dim=1).numpy()
        ctx.points, ctx.parts = points, parts
        states = [_state(parts, point) for point in points]
        return torch.tensor([[state.expectation_value(o).real for o in parts.observables] for state in states])

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, Tensor, None]:
        slopes = []
        for point, row in zip(ctx.points, cotangents[0].tolist(), strict=True):
            weighted = SparsePauliOp.sum([g * o for g, o in zip(row, ctx.parts.observables, strict=True)]).simplify()
            steps = np.pi / 2 * np.eye(len(point))
            ends = [[_state(ctx.parts, point + sign * step).expectation_value(weighted).real for step in steps]
                    for sign in (1, -1)]  # fmt: skip
            slopes.append(np.subtract(*ends) / 2)
        n_inputs = len(ctx.parts.inputs)
        found = torch.from_numpy(np.array(slopes))
        return found[:, :n_inputs], found[:, n_inputs:].sum(dim=0), None


def _state(parts: Any, point: Float[np.ndarray, " parameters"]) -> Statevector:
    return Statevector(parts.circuit.assign_parameters(dict(zip([*parts.inputs, *parts.weights], point, strict=True))))


def flops(design: Design) -> int:
    """By the matrix of each gate; what a gate is, its Pauli strings tell."""
    parts, dim = design.builder.design, 2**design.circuit.num_qubits
    total = 3 * dim + len(parts.observables) * dim  # strings of Z
    for instruction in design.circuit.data:
        gate = instruction.operation
        is_free = any(isinstance(angle, ParameterExpression) for angle in gate.params)
        bound = type(gate)(*[0.3] * len(gate.params)) if is_free else gate
        if np.count_nonzero(np.abs(Operator(bound).data) > 1e-12) > 2**gate.num_qubits or is_free:
            strings = len(SparsePauliOp.from_operator(Operator(bound)))
            total += 6 * dim if strings == 2 else (8 * 2**gate.num_qubits - 2) * dim
    return total + _classical_flops(design)


def _classical_flops(design: Design) -> int:
    """Linear maps by torch's counter, functions of m values by hooks."""
    model, elementwise = design.builder.build(0), [0]
    for module in model.modules():
        if isinstance(module, nn.Tanh):
            module.register_forward_hook(lambda _, __, found: elementwise.append(found.numel()))
    for layer in model.quantum_layers:
        layer.forward = lambda inputs: torch.zeros(1, design.builder.design.n_readouts, dtype=torch.float64)  # type: ignore[method-assign]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.ones(1, design.splits.n_features, dtype=torch.float64))
    return int(counter.get_total_flops()) + sum(elementwise) + design.program.n_inputs  # the factor pi of each angle


def lie_algebra_dim(design: Design) -> int:
    """Commutators of all strings with every generator, as vectors of Pauli strings."""
    generators = PauliList(list(dict.fromkeys(_generators(design))))
    known = set(generators.to_labels())
    newest = generators
    while len(newest):
        found: set[str] = set()
        for generator in generators:
            moved = newest[newest.anticommutes(generator)]
            if len(moved):
                product = moved.compose(generator)
                product.phase = 0
                found.update(product.to_labels())
        found -= known
        known |= found
        newest = PauliList(sorted(found)) if found else newest[:0]
    return len(known)


def _generators(design: Design) -> list[str]:
    """Of the weights, with the fixed gates moved out of the way."""
    n_qubits = design.circuit.num_qubits
    frame, found = Clifford(QuantumCircuit(n_qubits)), []
    for instruction in _weighted_part(design):
        qubits = [design.circuit.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name in _GENERATORS:
            string = _string(instruction.operation.name, qubits[0], n_qubits).evolve(frame, frame="h")
            found.append(string.to_label().lstrip("-"))
        else:
            frame = frame.compose(Clifford(instruction.operation), qargs=qubits)
    return found


def _weighted_part(design: Design) -> list[Any]:
    """The circuit without its encoding."""
    inputs = set(design.builder.design.inputs)
    return [
        instruction
        for instruction in design.circuit.data
        if not any(getattr(angle, "parameters", set()) & inputs for angle in instruction.operation.params)
    ]


def _string(name: str, qubit: int, n_qubits: int) -> Pauli:
    return Pauli("I" * (n_qubits - 1 - qubit) + _GENERATORS[name] + "I" * qubit)


def gradient_efficiency(design: Design) -> float:
    """Gradient operators and their commutators as matrices, groups by first fit."""
    circuit, order = _with_sample(design)
    point = design.rng("gradient_efficiency").uniform(0, 2 * np.pi, len(order))[order]
    operators = _gradient_operators(circuit.assign_parameters(point), design)
    alive = [one for one in operators if np.linalg.norm(one) > 1e-8]
    groups: list[list[int]] = []
    commute = np.eye(len(alive), dtype=bool)
    for j, first in enumerate(alive):
        for k in range(j):
            product = first @ alive[k]
            commute[j, k] = commute[k, j] = np.linalg.norm(product - product.conj().T) < 1e-8
    for j in np.argsort(commute.sum(axis=1), kind="stable"):
        fitting = next((group for group in groups if commute[j, group].all()), None)
        groups.append([j]) if fitting is None else fitting.append(j)
    return len(alive) / len(groups)


def _gradient_operators(bound: QuantumCircuit, design: Design) -> list[Any]:
    """-i [G_j, O] for the rotations behind the encoding."""
    n_qubits, cost = bound.num_qubits, design.mean_readout.to_matrix()
    whole = Operator(bound).data
    cost = whole.conj().T @ cost @ whole
    prefix, found = Operator(np.eye(2**n_qubits)), []
    skipped = len(bound.data) - len(_weighted_part(design))
    for k, instruction in enumerate(bound.data):
        qubits = [bound.find_bit(qubit).index for qubit in instruction.qubits]
        prefix = prefix.compose(instruction.operation, qargs=qubits)
        if k >= skipped and instruction.operation.name in _GENERATORS:
            string = _string(instruction.operation.name, qubits[0], n_qubits).to_matrix(sparse=True)
            product = prefix.data.conj().T @ (string @ prefix.data) @ cost
            found.append(-1j * (product - product.conj().T))
    return found


def _with_sample(design: Design) -> tuple[QuantumCircuit, list[int]]:
    """The circuit with a sample bound, and from which of the design's weights each of its parameters comes."""
    parts = design.builder.design
    bound = design.circuit.assign_parameters(dict(zip(parts.inputs, design.sample_input[0].tolist(), strict=True)))
    place = {weight: k for k, weight in enumerate(parts.weights)}
    return bound, [place[parameter] for parameter in bound.parameters]
