"""What a circuit costs on a named backend: two-qubit gates, their depth, time, and the odds that nothing goes wrong.

Transpiled to the backend with a fixed seed at Qiskit's optimization level 1, as sampled simulation runs it. Inputs and
weights stay free, so that no number depends on their values; amplitude encoding is the circuit that prepares any real
amplitudes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import exp, prod

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ClassicalRegister
from qiskit.transpiler import Target

from qnas.circuit.backends import BackendChoice, find_backend
from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError
from qnas.objectives.design import Design
from qnas.objectives.objective import objective
from qnas.objectives.random_states import program_of_weights
from qnas.references import cites
from qnas.simulation.transpiled import transpiled

QISKIT = "transpiled by Qiskit (Javadi-Abhari et al. 2024, arXiv 2405.08810)"
NISHIO2020 = "estimated success probability of Nishio et al. 2020, arXiv 1903.10963, with decay by T1"


@dataclass(frozen=True, eq=False)
class HardwareCost:
    """A circuit as a backend runs it; each number is computed when it is asked for.

    Attributes:
        circuit: in the backend's gates and on its qubits, measured at its end.
        target: what the backend says of its gates and qubits.
        name: what messages call the backend.
    """

    circuit: QuantumCircuit
    target: Target
    name: str

    @property
    def n_two_qubit_gates(self) -> int:
        """Gates on two qubits, those that routing needs included."""
        return sum(len(step.qubits) == 2 for step in self.circuit.data)

    @property
    def two_qubit_depth(self) -> int:
        """The longest path through gates on two qubits; others count nothing."""
        return int(self.circuit.depth(lambda step: len(step.qubits) == 2))

    @property
    def duration(self) -> float:
        """Seconds from the first gate to the end of the last measurement, each gate as soon as its qubits are free.

        Raises:
            CircuitError: the backend does not say how long a gate takes.
        """
        free = dict.fromkeys(self.circuit.qubits, 0.0)
        for step in self.circuit.data:
            end = max(free[qubit] for qubit in step.qubits) + self._property(step, "duration")
            free |= dict.fromkeys(step.qubits, end)
        return max(free.values())

    @property
    def success_probability(self) -> float:
        """The product of 1 - error of every gate and measurement, and exp(-duration / T1) of every qubit in use.

        Published gate errors hold some of that decay already, so that this is rather too low.

        Raises:
            CircuitError: the backend does not give an error, a duration or a T1.
        """
        decay = self.duration * sum(1 / self._t1(qubit) for qubit in self.used)
        return prod(1 - self._property(step, "error") for step in self.circuit.data) * exp(-decay)

    @property
    def reset(self) -> float:
        """Seconds to reset all qubits in use at once. Raises CircuitError if the backend does not say."""
        return max((self._seconds_to_reset(qubit) for qubit in self.used), default=0.0)

    @property
    def used(self) -> list[int]:
        """The backend's qubits that are acted on or measured."""
        return sorted({qubit for step in self.circuit.data for qubit in self._qubits(step)})

    def _qubits(self, step: CircuitInstruction) -> tuple[int, ...]:
        return tuple(self.circuit.find_bit(qubit).index for qubit in step.qubits)

    def _property(self, step: CircuitInstruction, kind: str) -> float:
        qubits = self._qubits(step)
        where = f"qubit{'s' * (len(qubits) > 1)} {' and '.join(map(str, qubits))}"
        found = getattr(self.target[step.name].get(qubits), kind, None)
        return self._given(found, f"{kind} of {step.name!r} on {where}")

    def _t1(self, qubit: int) -> float:
        every = self.target.qubit_properties
        found = None if every is None else getattr(every[qubit], "t1", None)
        return self._given(found or None, f"T1 of qubit {qubit}")

    def _seconds_to_reset(self, qubit: int) -> float:
        known = self.target["reset"] if "reset" in self.target.operation_names else {}
        return self._given(getattr(known.get((qubit,)), "duration", None), f"duration of 'reset' on qubit {qubit}")

    def _given(self, value: float | None, what: str) -> float:
        if value is not None and value >= 0:
            return float(value)
        raise CircuitError(
            f"the backend {self.name!r} gives no {what}; choose another backend, or leave out what needs it."
        )


def hardware_cost(circuit: QuantumCircuit, backend: BackendChoice) -> HardwareCost:
    """What a circuit costs on a backend, with a measurement of every qubit; its parameters stay free.

    Args:
        circuit: plain Qiskit that lowers.
        backend: which one; it is made once and kept.

    Raises:
        CircuitError: the circuit does not lower, or the backend has fewer qubits.
    """
    return _hardware_cost(program_of_weights(circuit), range(circuit.num_qubits), backend)


def design_cost(design: Design, backend: BackendChoice) -> HardwareCost:
    """What the circuit of a design costs on a backend, with a measurement of the qubits that its readout depends on.

    The turns that X and Y need in front of a measurement are left out. Transpiled once, whatever is asked of it.

    Raises:
        CircuitError: the backend has fewer qubits.
    """
    read = [(paulis.x | paulis.z).any(axis=0) for paulis in (one.paulis for one in design.builder.design.observables)]
    return _hardware_cost(design.program, np.flatnonzero(np.any(read, axis=0)).tolist(), backend)


def _hardware_cost(program: CircuitProgram, read: Sequence[int], choice: BackendChoice) -> HardwareCost:
    backend = find_backend(choice, program.n_qubits)
    body = transpiled(program, backend)
    assert body.places is not None  # only simulators have none
    circuit = body.circuit.copy()
    circuit.add_register(ClassicalRegister(len(read)))
    circuit.measure([body.places[qubit] for qubit in read], range(len(read)))
    return HardwareCost(circuit, backend.target, choice.name)


# --- objectives -----------------------------------------------------------------------------------------------------

LEAST = {"backend_qubits": 1, "backend_seed": 0}
"""The smallest numbers among the options of `chosen_backend`."""
ANY = BackendChoice()


def chosen_backend(
    *,
    backend: str = ANY.name,
    backend_qubits: int | None = ANY.n_qubits,
    backend_seed: int = ANY.seed,
    backend_topology: str = ANY.topology,
    backend_entangler: str = ANY.entangler,
) -> BackendChoice:
    """The backend that options of an objective choose; see `BackendChoice`.

    Unless it has a number of qubits, the generic backend of each width has error rates and durations of its own; give
    one if designs of several widths are compared.
    """
    return BackendChoice(backend, backend_qubits, backend_seed, backend_topology, backend_entangler)


_on_backend = partial(objective, built={"backend": chosen_backend}, least=LEAST)


@_on_backend("minimize", "gates", reference=QISKIT)
@cites("qiskit2024")
def n_two_qubit_gates(design: Design, *, backend: BackendChoice = ANY) -> int:
    """Two-qubit gates of the transpiled circuit, routing included; 0 for the classical control."""
    return design_cost(design, backend).n_two_qubit_gates if has_circuit(design) else 0


@_on_backend("minimize", "gates", reference=QISKIT)
@cites("qiskit2024")
def two_qubit_depth(design: Design, *, backend: BackendChoice = ANY) -> int:
    """Two-qubit gates on the longest path through the transpiled circuit; 0 for the classical control."""
    return design_cost(design, backend).two_qubit_depth if has_circuit(design) else 0


@_on_backend("minimize", "s", reference=QISKIT)
@cites("qiskit2024")
def duration(design: Design, *, backend: BackendChoice = ANY) -> float:
    """Seconds of one shot of the transpiled circuit, measurement included; 0 for the classical control."""
    return design_cost(design, backend).duration if has_circuit(design) else 0.0


@_on_backend("maximize", "probability", reference=NISHIO2020)
@cites("qiskit2024", "nishio2020")
def success_probability(design: Design, *, backend: BackendChoice = ANY) -> float:
    """How likely one shot is free of errors, see `HardwareCost`; 1 for the classical control."""
    return design_cost(design, backend).success_probability if has_circuit(design) else 1.0


def has_circuit(design: Design) -> bool:
    """Whether the model runs its circuit, which the classical control does not."""
    return bool(design.initial_model().quantum_layers)
