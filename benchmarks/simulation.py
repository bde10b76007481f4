"""One training step of the same circuit in qnas and in its peers: forward, and gradients of weights and inputs.

The circuit: RY encoding, L layers of RY and RZ on each qubit and a ring of CX, all <Z_i>. One process, one thread,
complex128; medians after warm-up. Peers come from the extra [bench]; those that are not installed are left out.
`make bench` runs it and writes `simulation.md`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import importlib.util
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from qnas.circuit.readouts import z
from qnas.experiment.folder import environment
from qnas.model.quantum_layer import QuantumLayer

HERE = Path(__file__).resolve().parent
SIZES = ((4, 2), (6, 4), (8, 4), (10, 4), (12, 4))
BATCH = 32
MIN_REPEATS, MIN_SECONDS = 7, 1.0
Step = Callable[[], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """One size: the numbers that every implementation gets."""

    n_qubits: int
    n_layers: int
    batch: int = BATCH
    inputs: np.ndarray = field(init=False, repr=False)
    weights: np.ndarray = field(init=False, repr=False)
    cotangent: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        object.__setattr__(self, "inputs", rng.uniform(-np.pi, np.pi, (self.batch, self.n_qubits)))
        object.__setattr__(self, "weights", rng.uniform(0, 2 * np.pi, 2 * self.n_qubits * self.n_layers))
        object.__setattr__(self, "cotangent", rng.normal(size=(self.batch, self.n_qubits)))


def circuit_of(case: Case) -> tuple[QuantumCircuit, ParameterVector, ParameterVector]:
    """The circuit in Qiskit."""
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


def torch_step(function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], case: Case) -> Step:
    """Forward and backward of a torch function of inputs and weights."""
    inputs = torch.tensor(case.inputs, requires_grad=True)
    weights = torch.tensor(case.weights, requires_grad=True)
    cotangent = torch.tensor(case.cotangent)

    def step() -> tuple[np.ndarray, np.ndarray]:
        by_weight, by_input = torch.autograd.grad(function(inputs, weights), [weights, inputs], cotangent)
        return by_weight.numpy(), by_input.numpy()

    return step


# --- the implementations: each makes a step for a case ------------------------------------------------------------


def qnas(case: Case) -> Step:
    circuit, x, w = circuit_of(case)
    layer = QuantumLayer(circuit, list(x), list(w), z(case.n_qubits))
    layer.weight.data.copy_(torch.tensor(case.weights))
    inputs, cotangent = torch.tensor(case.inputs, requires_grad=True), torch.tensor(case.cotangent)

    def step() -> tuple[np.ndarray, np.ndarray]:
        by_weight, by_input = torch.autograd.grad(layer(inputs), [layer.weight, inputs], cotangent)
        return by_weight.numpy(), by_input.numpy()

    return step


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

    def step() -> tuple[np.ndarray, np.ndarray]:
        network.forward(case.inputs, case.weights)
        by_input, by_weight = network.backward(case.inputs, case.weights)
        return (
            np.einsum("bk,bkw->w", case.cotangent, by_weight),
            np.einsum("bk,bki->bi", case.cotangent, by_input),
        )

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

    return torch_step(lambda inputs, weights: torch.stack(node(inputs, weights), dim=1), case)


def pennylane_backprop(case: Case) -> Step:
    return _pennylane(case, "default.qubit", "backprop")


def pennylane_adjoint(case: Case) -> Step:
    return _pennylane(case, "lightning.qubit", "adjoint")


def tensorcircuit(case: Case) -> Step:
    """TensorCircuit-NG on JAX, vectorised over the batch and compiled."""
    import jax
    import tensorcircuit as tc

    tc.set_backend("jax")
    tc.set_dtype("complex128")
    n = case.n_qubits

    def expectations(inputs: object, weights: object) -> object:
        circuit, k = tc.Circuit(n), 0
        for qubit in range(n):
            circuit.ry(qubit, theta=inputs[qubit])  # type: ignore[index]
        for _ in range(case.n_layers):
            for gate in (circuit.ry, circuit.rz):
                for qubit in range(n):
                    gate(qubit, theta=weights[k])  # type: ignore[index]
                    k += 1
            for qubit in range(n):
                circuit.cx(qubit, (qubit + 1) % n)
        values = [tc.backend.real(circuit.expectation_ps(z=[qubit])) for qubit in range(n)]
        return jax.numpy.stack(values)

    def cost(weights: object, inputs: object) -> object:
        values = jax.vmap(expectations, in_axes=(0, None))(inputs, weights)
        return (values * case.cotangent).sum()

    gradient = jax.jit(jax.grad(cost, argnums=(0, 1)))

    def step() -> tuple[np.ndarray, np.ndarray]:
        by_weight, by_input = jax.block_until_ready(gradient(case.weights, case.inputs))
        return np.asarray(by_weight), np.asarray(by_input)

    return step


@dataclass(frozen=True)
class Implementation:
    name: str
    make: Callable[[Case], Step]
    package: str
    largest: int = 12
    once: bool = False


IMPLEMENTATIONS = (
    Implementation("qnas", qnas, "qiskit_aer"),
    Implementation("TensorCircuit-NG (JAX)", tensorcircuit, "tensorcircuit"),
    Implementation("PennyLane default.qubit", pennylane_backprop, "pennylane"),
    Implementation("PennyLane lightning", pennylane_adjoint, "pennylane_lightning"),
    Implementation("EstimatorQNN on Aer", estimator_qnn, "qiskit_machine_learning", largest=4, once=True),
)


@dataclass(frozen=True)
class Timing:
    """Seconds: the median step, and the first call beyond it (building, compiling)."""

    median: float
    first: float
    n_repeats: int


def measure(implementation: Implementation, case: Case) -> tuple[Timing, tuple[np.ndarray, np.ndarray]]:
    """Time steps until there are enough, and return the gradients for comparison."""
    started = time.perf_counter()
    step = implementation.make(case)
    found = step()
    first = time.perf_counter() - started
    if implementation.once:
        return Timing(_timed(step), first, 1), found
    for _ in range(3):
        step()
    seconds: list[float] = []
    while len(seconds) < MIN_REPEATS or (sum(seconds) < MIN_SECONDS and len(seconds) < 500):
        seconds.append(_timed(step))
    median = float(np.median(seconds))
    return Timing(median, max(first - median, 0.0), len(seconds)), found


def _timed(step: Step) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def compare(sizes: tuple[tuple[int, int], ...]) -> dict[str, dict[str, Timing]]:
    """Every implementation at every size; all must give the gradients of qnas."""
    results: dict[str, dict[str, Timing]] = {}
    for n_qubits, n_layers in sizes:
        case = Case(n_qubits, n_layers)
        row: dict[str, Timing] = {}
        reference: tuple[np.ndarray, np.ndarray] | None = None
        for implementation in _installed():
            if n_qubits > implementation.largest:
                continue
            row[implementation.name], found = measure(implementation, case)
            reference = reference or found
            # lightning's gradients agree to 1e-7 only, all others to 1e-12
            worst = max(float(np.abs(a - b).max()) for a, b in zip(found, reference, strict=True))
            assert worst < 1e-6, f"{implementation.name} disagrees with qnas by {worst:.1e}"
            print(f"{n_qubits}q/{n_layers}: {implementation.name} {row[implementation.name].median * 1e3:.3f} ms")
        results[f"{n_qubits}q/{n_layers}"] = row
    return results


def _installed() -> Iterator[Implementation]:
    for implementation in IMPLEMENTATIONS:
        if importlib.util.find_spec(implementation.package):
            yield implementation
        else:
            print(f"{implementation.name} is left out: {implementation.package} is not installed")


def table(results: dict[str, dict[str, Timing]]) -> str:
    """Milliseconds per step, ratios to qnas, and the first call, as Markdown."""
    sizes = list(results)
    names = [implementation.name for implementation in IMPLEMENTATIONS if implementation.name in results[sizes[0]]]
    lines = [f"| ms per step | {' | '.join(sizes)} | first call |", f"|---|{'---|' * (len(sizes) + 1)}"]
    for name in names:
        cells = []
        for size in sizes:
            timing, own = results[size].get(name), results[size]["qnas"]
            ratio = "" if timing is None or name == "qnas" else f" ({timing.median / own.median:,.1f}x)"
            cells.append("-" if timing is None else f"{timing.median * 1e3:,.2f}{ratio}")
        first = max(timings[name].first for timings in results.values() if name in timings)
        lines.append(f"| {name} | {' | '.join(cells)} | {first * 1e3:,.0f} ms |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the table with the machine and the versions."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    text = table(compare(SIZES))
    names = ("qiskit-aer", "qiskit-machine-learning", "torch", "pennylane", "tensorcircuit-ng", "jax")
    versions = ", ".join(f"{name} {version(name)}" for name in names if _has(name))
    machine = f"{environment()['processor']}, one thread, batch {BATCH}"
    page = f"{text}\n\n{machine}. {versions}, Python {platform.python_version()}. In brackets: times as long as qnas.\n"
    print(f"\n{page}")
    (HERE / "simulation.md").write_text(page)


def _has(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
