"""What encodings and ansatze have in common: each builds circuits with free parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit

from qnas.testing.circuits import Built, after_any_state, as_qiskit_has_it, derivatives, overlap, read_back
from qnas.testing.conformance import OnQubits, Options, explained

_N_POINTS = 4
_LOWER = "Build it of gates that lower (see qnas.circuit.lower), and make every parameter a Parameter."
_EXPORT = "Build it of gates that have a definition, and of expressions that OpenQASM 3 or Python's math can write."


class ParametrisedConformance(OnQubits):
    """The tests of all parts that build circuits with free parameters.

    Attributes:
        acts_on_any_state: whether the part follows others in a circuit; else it acts on |0...0>.
    """

    acts_on_any_state: ClassVar[bool]

    def build(self, options: Options, n_qubits: int) -> Sequence[Built]:
        """The circuits of one case, newly made."""
        raise NotImplementedError

    def acting(self, options: Options, n_qubits: int) -> Sequence[Built]:
        """The circuits of one case, on a state that they may meet."""
        found = self.built(options, n_qubits)
        return [after_any_state(one) for one in found] if self.acts_on_any_state else found

    def circuit(self, found: object, about: str) -> QuantumCircuit:
        """What the part returns, if it is a circuit."""
        assert isinstance(found, QuantumCircuit), f"{about} is a {type(found).__name__}; return a QuantumCircuit."
        return found

    def test_it_is_a_circuit_on_all_qubits(self, options: Options, n_qubits: int) -> None:
        """Unitary, and as wide as asked for."""
        about = self.on(options, n_qubits)
        for one in self.built(options, n_qubits):
            n_found = one.circuit.num_qubits
            assert n_found == n_qubits, f"{about} has {n_found} qubits; build it on n_qubits."
            assert not one.circuit.num_clbits, f"{about} has classical bits; qnas adds the readout, so leave them out."

    def test_equal_calls_give_equal_circuits(self, options: Options, n_qubits: int) -> None:
        """Workers build a design anew, and a search evaluates it once."""
        about = self.on(options, n_qubits)
        first, second = (self.built(options, n_qubits) for _ in range(2))
        for one, other in zip(first, second, strict=True):
            names = [[parameter.name for parameter in each.circuit.parameters] for each in (one, other)]
            assert names[0] == names[1], (
                f"{about} names its parameters {names[0]} in one call and {names[1]} in the next; count them from 0."
            )
            values = dict(zip(names[0], np.linspace(0.1, 2.9, len(names[0])).tolist(), strict=True))
            circuits = [each.circuit.assign_parameters(values) for each in (one, other)]
            assert circuits[0] == circuits[1], (
                f"{about} differs from call to call; take what is random from an option such as seed=0."
            )

    def test_it_lowers_to_what_qiskit_computes(self, options: Options, n_qubits: int) -> None:
        """The state that qnas trains on is that of the circuit."""
        about = self.on(options, n_qubits)
        for one in self.acting(options, n_qubits):
            values = one.values(_N_POINTS)
            with explained(about, _LOWER):
                found = one.states(values)
            expected = [as_qiskit_has_it(one.bound(point)) for point in values]
            fidelity = min(map(overlap, found, expected))
            assert abs(fidelity - 1) < 1e-9, (
                f"{about} has another state in qnas than in Qiskit (fidelity {fidelity}); let gates of your own have "
                "the matrices of their definitions; if all are Qiskit's, report it as a bug of qnas."
            )

    def test_gradients_are_those_of_differences(self, options: Options, n_qubits: int) -> None:
        """Of every expectation value in every input and weight."""
        about = self.on(options, n_qubits)
        for one in self.acting(options, n_qubits):
            with explained(about, _LOWER):
                exact, differences = derivatives(one)
            for k, parameter in enumerate(one.parameters):
                error = np.abs(exact[:, k] - differences[:, k]).max()
                assert error < 1e-7, (
                    f"{about} has a derivative by {parameter.name} that differs from differences by {error:.1e}; use "
                    "expressions of parameters that are smooth between -pi and pi."
                )

    def test_it_survives_openqasm(self, options: Options, n_qubits: int) -> None:
        """`qnas export` writes OpenQASM 3; read back, it prepares the same state."""
        about = self.on(options, n_qubits)
        for one in self.acting(options, n_qubits):
            (values,) = one.values()
            with explained(about, _EXPORT):
                again = read_back(one.circuit, dict(zip(one.parameters, values.tolist(), strict=True)))
            fidelity = overlap(as_qiskit_has_it(again), as_qiskit_has_it(one.bound(values)))
            assert abs(fidelity - 1) < 1e-9, (
                f"{about} is another circuit after OpenQASM 3 (fidelity {fidelity}). {_EXPORT}"
            )
