"""The suite of a readout."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from qiskit.quantum_info import SparsePauliOp, Statevector

from qnas.circuit.lower import lower
from qnas.circuit.parts import takes
from qnas.circuit.readouts import Mixture, readouts
from qnas.model.quantum_function import QuantumFunction
from qnas.objectives import flops
from qnas.testing.circuits import any_state
from qnas.testing.conformance import OnQubits, Options, explained
from qnas.testing.designs import architecture
from qnas.testing.models import check_learns


class ReadoutConformance(OnQubits):
    """What qnas relies on in a readout.

        class TestParity(ReadoutConformance):
            name = "parity"

    Attributes:
        name, options, n_qubits: see `Conformance` and `OnQubits`.
        n_outputs: of the models that it is tested in; 2, because they learn two classes.
    """

    kind = "readout"
    n_outputs: int = 2

    def build(self, options: Options, n_qubits: int) -> Any:
        """What the readout returns, newly made."""
        build = readouts[self.name]
        given = {"n_outputs": self.n_outputs} if takes(build, "n_outputs") else {}
        return build(n_qubits, **given, **options)

    def observables(self, options: Options, n_qubits: int) -> Any:
        """What is measured."""
        found = self.built(options, n_qubits)
        return list(found.observables) if isinstance(found, Mixture) else found

    def test_it_is_a_list_of_pauli_sums(self, options: Options, n_qubits: int) -> None:
        """One at least, each as wide as the circuit."""
        about = self.on(options, n_qubits)
        found = self.observables(options, n_qubits)
        is_list = isinstance(found, list) and all(isinstance(one, SparsePauliOp) for one in found)
        assert is_list and found, (
            f"{about} is {found!r}; return a list of SparsePauliOp, one at least, or a Mixture of such."
        )
        widths = {one.num_qubits for one in self.observables(options, n_qubits)}
        assert widths == {n_qubits}, f"{about} acts on {sorted(widths)} qubits; give labels of n_qubits letters."

    def test_observables_are_hermitian(self, options: Options, n_qubits: int) -> None:
        """Only they have real expectation values in all states."""
        for k, one in enumerate(self.observables(options, n_qubits)):
            matrix = one.to_matrix()
            assert np.allclose(matrix, matrix.conj().T, rtol=0, atol=1e-12), (
                f"{self.on(options, n_qubits)} has an observable {k} that is not Hermitian; give real coefficients."
            )

    def test_no_observable_is_a_constant(self, options: Options, n_qubits: int) -> None:
        """A multiple of the identity tells nothing of the circuit."""
        for k, one in enumerate(self.observables(options, n_qubits)):
            others = [label for label, value in one.simplify().to_list() if set(label) != {"I"} and value != 0]
            assert others, (
                f"{self.on(options, n_qubits)} has an observable {k} that is the same for all states; leave it out."
            )

    def test_equal_calls_give_equal_observables(self, options: Options, n_qubits: int) -> None:
        """In the same order: they are the inputs of the layer behind."""
        assert self.built(options, n_qubits) == self.build(options, n_qubits), (
            f"{self.on(options, n_qubits)} differs from call to call; take what is random from an option, e.g. seed=0."
        )

    def test_values_are_those_of_qiskit(self, options: Options, n_qubits: int) -> None:
        """Expectation values in a state in general position."""
        observables, circuit = self.observables(options, n_qubits), any_state(n_qubits)
        with explained(self.on(options, n_qubits), "Give Hermitian sums of Pauli strings."):
            function = QuantumFunction(lower(circuit, [], []), observables)
        nothing = torch.empty(1, 0, dtype=torch.float64)
        expected = [Statevector(circuit).expectation_value(one).real for one in observables]
        assert np.allclose(function(nothing, nothing[0])[0], expected, rtol=0, atol=1e-9)

    def test_its_flops_can_be_counted(self, options: Options, n_qubits: int) -> None:
        """They are part of the cost of a design."""
        self.built(options, n_qubits)
        assert flops(architecture(n_qubits=n_qubits, readout=self.part(options)), 3, self.n_outputs).readout > 0

    def test_a_model_with_it_learns(self, options: Options) -> None:
        """Behind a pre-network and a circuit, before a linear map."""
        n_qubits = self.size(options)
        check_learns(self.on(options, n_qubits), architecture(n_qubits=n_qubits, readout=self.part(options)))
