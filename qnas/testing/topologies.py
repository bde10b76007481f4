"""The suite of a topology."""

from __future__ import annotations

from typing import Any

from qnas.circuit.build import design_circuit
from qnas.circuit.topologies import topologies
from qnas.testing.conformance import OnQubits, Options
from qnas.testing.designs import LAYER, architecture


class TopologyConformance(OnQubits):
    """What qnas relies on in a topology.

        class TestLadder(TopologyConformance):
            name = "ladder"
            n_qubits = (2, 4, 6)

    Attributes:
        name, n_qubits: see `Conformance` and `OnQubits`; a topology has no options.
    """

    kind = "topology"

    def build(self, options: Options, n_qubits: int) -> Any:
        """The pairs on so many qubits."""
        return topologies[self.name](n_qubits)

    def test_it_is_a_list_of_pairs_of_qubits(self, n_qubits: int) -> None:
        """Of whole numbers from 0, the control first."""
        pairs = self.built({}, n_qubits)
        well_formed = isinstance(pairs, list) and all(
            isinstance(pair, tuple) and [type(qubit) for qubit in pair] == [int, int] for pair in pairs
        )
        assert well_formed, (
            f"{self.on({}, n_qubits)} is {pairs!r}; return a list of (control, target), each a plain int."
        )

    def test_pairs_join_two_qubits_of_the_register(self, n_qubits: int) -> None:
        """Each two different ones, and no ordered pair twice."""
        pairs = self.built({}, n_qubits)
        about = self.on({}, n_qubits)
        outside = [pair for pair in pairs if len(set(pair) & set(range(n_qubits))) != 2]
        assert not outside, f"{about} joins {outside}; join two different qubits of 0 to {n_qubits - 1}."
        twice = sorted({pair for pair in pairs if pairs.count(pair) > 1})
        assert not twice, f"{about} joins {twice} more than once in one layer; more layers do that."

    def test_equal_calls_give_equal_lists(self, n_qubits: int) -> None:
        """Whatever the caller does with the first of them."""
        first = self.built({}, n_qubits)
        kept = list(first)
        first.clear()
        assert self.build({}, n_qubits) == kept, (
            f"{self.on({}, n_qubits)} gives another list when it is called again; make a new one in each call, by "
            "nothing but n_qubits."
        )

    def test_layers_are_built_on_it(self) -> None:
        """One entangler on each pair."""
        n_qubits = self.size({})
        pairs = self.build({}, n_qubits)
        layers = [LAYER | {"topology": self.name}]
        counts = design_circuit(architecture(n_qubits=n_qubits, layers=layers), n_features=3).circuit.count_ops()
        assert counts.get("cx", 0) == len(pairs)
