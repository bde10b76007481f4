"""The same model in qnas and in its peers: RY encoding, L layers of RY and RZ per qubit and a ring of CX, all <Z_i>.

Every implementation makes a step for a case: forward, and the gradients of weights and inputs, in complex128.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from qnas.circuit.readouts import z
from qnas.model.quantum_layer import QuantumLayer

Gradients = tuple[Float[np.ndarray, " weights"], Float[np.ndarray, "batch qubits"]]
Step = Callable[[], Gradients]


@dataclass(frozen=True)
class Case:
    """One size, and the numbers that every implementation gets."""

    n_qubits: int
    n_layers: int
    batch: int

    def __str__(self) -> str:
        return f"{self.n_qubits}q/{self.n_layers}"

    @cached_property
    def inputs(self) -> Float[np.ndarray, "batch qubits"]:
        return np.random.default_rng(0).uniform(-np.pi, np.pi, (self.batch, self.n_qubits))

    @cached_property
    def weights(self) -> Float[np.ndarray, " weights"]:
        return np.random.default_rng(1).uniform(0, 2 * np.pi, 2 * self.n_qubits * self.n_layers)

    @cached_property
    def cotangent(self) -> Float[np.ndarray, "batch qubits"]:
        return np.random.default_rng(2).normal(size=(self.batch, self.n_qubits))


def circuit_of(case: Case) -> tuple[QuantumCircuit, ParameterVector, ParameterVector]:
    """The circuit in Qiskit, its inputs and its weights."""
    n = case.n_qubits
    x, w = ParameterVector("x", n), ParameterVector("w", len(case.weights))
    circuit, weights = QuantumCircuit(n), iter(w)
    for qubit in range(n):
        circuit.ry(x[qubit], qubit)
    for _ in range(case.n_layers):
        for gate in (circuit.ry, circuit.rz):
            for qubit in range(n):
                gate(next(weights), qubit)
        for qubit in range(n):
            circuit.cx(qubit, (qubit + 1) % n)
    return circuit, x, w


def _torch_step(
    function: Callable[[torch.Tensor], torch.Tensor], weights: torch.Tensor, inputs: torch.Tensor, case: Case
) -> Step:
    cotangent = torch.tensor(case.cotangent)

    def step() -> Gradients:
        by_weight, by_input = torch.autograd.grad(function(inputs), [weights, inputs], cotangent)
        return by_weight.numpy(), by_input.numpy()

    return step


def qnas(case: Case) -> Step:
    """The layer that qnas trains."""
    circuit, x, w = circuit_of(case)
    layer = QuantumLayer(circuit, list(x), list(w), z(case.n_qubits))
    layer.weight.data.copy_(torch.tensor(case.weights))
    return _torch_step(layer, layer.weight, torch.tensor(case.inputs, requires_grad=True), case)


def estimator_qnn(case: Case) -> Step:
    """Qiskit Machine Learning on Aer: exact expectation values, gradients by parameter shift."""
    from qiskit_aer.primitives import EstimatorV2
    from qiskit_machine_learning.gradients import ParamShiftEstimatorGradient
    from qiskit_machine_learning.neural_networks import EstimatorQNN

    circuit, x, w = circuit_of(case)
    estimator = EstimatorV2(options={"backend_options": {"max_parallel_threads": 1}})
    network = EstimatorQNN(
        circuit=circuit,
        observables=z(case.n_qubits),
        input_params=list(x),
        weight_params=list(w),
        estimator=estimator,
        gradient=ParamShiftEstimatorGradient(estimator),
        input_gradients=True,
        default_precision=0.0,
    )

    def step() -> Gradients:
        network.forward(case.inputs, case.weights)
        by_input, by_weight = network.backward(case.inputs, case.weights)
        return np.einsum("bk,bkw->w", case.cotangent, by_weight), np.einsum("bk,bki->bi", case.cotangent, by_input)

    return step


def _pennylane(case: Case, device: str, diff_method: str) -> Step:
    import pennylane as qml

    n = case.n_qubits

    @qml.qnode(qml.device(device, wires=n), interface="torch", diff_method=diff_method)
    def node(inputs: torch.Tensor, weights: torch.Tensor) -> list[object]:
        for qubit in range(n):
            qml.RY(inputs[:, qubit], wires=qubit)
        own = iter(weights)
        for _ in range(case.n_layers):
            for gate in (qml.RY, qml.RZ):
                for qubit in range(n):
                    gate(next(own), wires=qubit)
            for qubit in range(n):
                qml.CNOT(wires=[qubit, (qubit + 1) % n])
        return [qml.expval(qml.PauliZ(qubit)) for qubit in range(n)]

    weights = torch.tensor(case.weights, requires_grad=True)
    inputs = torch.tensor(case.inputs, requires_grad=True)
    return _torch_step(lambda rows: torch.stack(list(node(rows, weights)), dim=1), weights, inputs, case)


def pennylane_backprop(case: Case) -> Step:
    """PennyLane's default.qubit, which takes the batch at once; torch differentiates it."""
    return _pennylane(case, "default.qubit", "backprop")


def pennylane_adjoint(case: Case) -> Step:
    """PennyLane's C++ simulator; its `device_vjp` takes nearly twice as long here, so it is left off."""
    return _pennylane(case, "lightning.qubit", "adjoint")


def tensorcircuit(case: Case) -> Step:
    """TensorCircuit-NG on JAX, vectorised over the batch and compiled."""
    import jax
    import tensorcircuit as tc

    tc.set_backend("jax")
    tc.set_dtype("complex128")
    tc.set_contractor("plain")  # gate by gate: up to twice as quick here as its default, the greedy one
    n = case.n_qubits

    def expectations(inputs: jax.Array, weights: jax.Array) -> jax.Array:
        circuit, own = tc.Circuit(n), iter(weights)
        for qubit in range(n):
            circuit.ry(qubit, theta=inputs[qubit])
        for _ in range(case.n_layers):
            for gate in (circuit.ry, circuit.rz):
                for qubit in range(n):
                    gate(qubit, theta=next(own))
            for qubit in range(n):
                circuit.cx(qubit, (qubit + 1) % n)
        return jax.numpy.stack([tc.backend.real(circuit.expectation_ps(z=[qubit])) for qubit in range(n)])

    def cost(weights: jax.Array, inputs: jax.Array) -> jax.Array:
        return (jax.vmap(expectations, in_axes=(0, None))(inputs, weights) * case.cotangent).sum()

    gradient = jax.jit(jax.grad(cost, argnums=(0, 1)))

    def step() -> Gradients:
        by_weight, by_input = jax.block_until_ready(gradient(case.weights, case.inputs))
        return np.asarray(by_weight), np.asarray(by_input)

    return step


@dataclass(frozen=True)
class Implementation:
    """A way to make a step, the module it needs, and the cases that it does in reasonable time."""

    name: str
    make: Callable[[Case], Step]
    module: str
    takes: Callable[[Case], bool] = lambda case: True
    limits: str = ""

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


IMPLEMENTATIONS = (
    Implementation("qnas", qnas, "qiskit_aer"),
    Implementation(
        "TensorCircuit-NG", tensorcircuit, "tensorcircuit",
        takes=lambda case: case.n_qubits <= 12 and case.n_layers <= 8,
        limits="to 12 qubits and to 8 layers, beyond which it compiles for minutes",
    ),
    Implementation(
        "default.qubit", pennylane_backprop, "pennylane",
        takes=lambda case: case.n_qubits <= 14,
        limits="to 14 qubits, beyond which it keeps several GiB of states",
    ),
    Implementation(
        "lightning.qubit", pennylane_adjoint, "pennylane_lightning",
        takes=lambda case: case.n_qubits <= 14 and case.batch <= 256,
        limits="to 14 qubits and to a batch of 256, beyond which a step takes seconds",
    ),
    Implementation(
        "EstimatorQNN", estimator_qnn, "qiskit_machine_learning",
        takes=lambda case: case.n_qubits <= 4 and case.n_layers <= 2,
        limits="at 4q/2 only, where a step takes seconds",
    ),
)  # fmt: skip
