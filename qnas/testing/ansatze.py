"""The suite of an ansatz."""

from __future__ import annotations

from collections.abc import Sequence

from qnas.circuit.ansatze import ansatze
from qnas.circuit.build import design_circuit
from qnas.testing.circuits import Built, matters
from qnas.testing.conformance import Options, explained
from qnas.testing.designs import architecture
from qnas.testing.models import check_learns
from qnas.testing.parametrised import ParametrisedConformance


class AnsatzConformance(ParametrisedConformance):
    """What qnas relies on in an ansatz.

        class TestBrickwall(AnsatzConformance):
            name = "brickwall"
            options = ({"gate": "cz"}, {"gate": "cx"})

    Attributes:
        name, options, n_qubits: see `Conformance` and `OnQubits`.
        idle_weights: whether it may have weights without effect on any state.
    """

    kind = "ansatz"
    acts_on_any_state = True
    idle_weights: bool = False

    def build(self, options: Options, n_qubits: int) -> Sequence[Built]:
        """The one circuit of a case."""
        circuit = self.circuit(ansatze[self.name](n_qubits, **options), self.on(options, n_qubits))
        return [Built(circuit, (), tuple(circuit.parameters))]

    def test_every_weight_has_an_effect(self, options: Options, n_qubits: int) -> None:
        """On some state, beyond a global phase; others are counted as parameters and train nothing."""
        (one,) = self.acting(options, n_qubits)
        idle = [weight.name for weight, live in zip(one.weights, matters(one), strict=True) if not live]
        assert self.idle_weights or not idle, (
            f"{self.on(options, n_qubits)} has weights without effect on any state: {', '.join(idle)}; leave them out, "
            "or say so by idle_weights = True."
        )

    def test_it_serves_whole_and_as_a_layer(self, options: Options, n_qubits: int) -> None:
        """`ansatz=...` of an architecture, and an item of its `layers`, each with weights of its own."""
        (one,) = self.built(options, n_qubits)
        whole = architecture(n_qubits=n_qubits, ansatz=self.part(options))
        layers = architecture(n_qubits=n_qubits, layers=[self.part(options)] * 2)
        with explained(self.on(options, n_qubits), "Let its signature name its options."):
            found = [len(design_circuit(each, n_features=3).weights) for each in (whole, layers)]
        assert found == [len(one.weights), 2 * len(one.weights)]

    def test_a_model_with_it_learns(self, options: Options) -> None:
        """Behind a pre-network, on two classes that overlap."""
        n_qubits = self.size(options)
        check_learns(self.on(options, n_qubits), architecture(n_qubits=n_qubits, ansatz=self.part(options)))
