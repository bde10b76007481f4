"""The suite of an encoding."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from qiskit.circuit import ParameterVector

from qnas.circuit.build import design_circuit
from qnas.circuit.encodings import encodings
from qnas.testing.circuits import Built, matters
from qnas.testing.conformance import Options, explained, refusal_skips
from qnas.testing.designs import LAYER, architecture
from qnas.testing.models import check_learns
from qnas.testing.parametrised import ParametrisedConformance


class EncodingConformance(ParametrisedConformance):
    """What qnas relies on in an encoding.

        class TestFourier(EncodingConformance):
            name = "fourier"
            options = ({}, {"base": 2})

    Attributes:
        name, options, n_qubits: see `Conformance` and `OnQubits`.
        least_features: from how many features on the state depends on each, e.g. 2 for amplitudes.
        needs_reuploading: whether it has an effect only between layers, such as rotations of |0> about z.
    """

    kind = "encoding"
    acts_on_any_state = False
    least_features: int = 1
    needs_reuploading: bool = False

    def build(self, options: Options, n_qubits: int) -> Sequence[Built]:
        """With one feature, with as many as it takes, and with one less."""
        width = encodings[self.name].width(n_qubits)
        return [self.encoded(options, n_qubits, count) for count in sorted({1, max(1, width - 1), width})]

    def encoded(self, options: Options, n_qubits: int, n_features: int) -> Built:
        """The circuit of so many features."""
        features = tuple(ParameterVector("x", n_features))
        found = encodings[self.name].build(list(features), n_qubits, **options)
        circuit = self.circuit(found, self.on(options, n_qubits))
        weights = [parameter for parameter in circuit.parameters if parameter not in features]
        return Built(circuit, features, tuple(weights))

    def test_its_width_is_a_number_of_features(self, options: Options, n_qubits: int) -> None:
        """Pre-networks have that many outputs."""
        with refusal_skips():
            width: object = encodings[self.name].width(n_qubits)
        assert type(width) is int and width > 0, (
            f"{self.on(options, n_qubits)} takes {width!r} features; let its width be a whole number "
            "of at least 1, and raise a DesignError where it takes none."
        )

    def test_it_takes_fewer_features(self, options: Options, n_qubits: int) -> None:
        """Without a pre-network, the data decide how many there are."""
        self.built(options, n_qubits)
        for n_features in range(1, encodings[self.name].width(n_qubits) + 1):
            built = self.encoded(options, n_qubits, n_features)
            missing = [feature.name for feature in built.inputs if feature not in set(built.circuit.parameters)]
            assert not missing, (
                f"{self.on(options, n_qubits)} leaves out {', '.join(missing)} of {n_features} "
                "features; use each, or let its width be smaller."
            )

    def test_the_state_depends_on_every_parameter(self, options: Options, n_qubits: int) -> None:
        """In general position; a rotation of |0> about z, for one, is a global phase."""
        if self.needs_reuploading:
            pytest.skip("it has an effect between layers only")
        for one in self.built(options, n_qubits):
            if len(one.inputs) >= self.least_features:
                self._check_live(one, self.on(options, n_qubits))

    def test_it_can_be_uploaded_again(self, options: Options, n_qubits: int) -> None:
        """Before each layer, with the same features."""
        self.built(options, n_qubits)
        if not encodings[self.name].reuploads:
            pytest.skip("it says that it prepares the initial state")
        part = {"name": self.name, **options, "reupload": True}
        about = f"{self.on(options, n_qubits)}, before each of three layers"
        with explained(about, "Use gates alone, or declare it with reuploads=False."):
            made = design_circuit(architecture(n_qubits=n_qubits, encoding=part, layers=[LAYER] * 3), n_features=3)
            found = Built(made.circuit, made.inputs, made.weights)
            found.program  # noqa: B018 - it is lowered here
        if len(found.inputs) >= self.least_features:
            self._check_live(found, about, n_checked=len(found.inputs))

    def test_a_model_with_it_learns(self, options: Options) -> None:
        """Behind a pre-network, on two classes that overlap."""
        n_qubits = self.size(options)
        check_learns(self.on(options, n_qubits), architecture(n_qubits=n_qubits, encoding=self.part(options)))

    def _check_live(self, built: Built, about: str, n_checked: int | None = None) -> None:
        idle = [one.name for one, live in zip(built.parameters[:n_checked], matters(built), strict=False) if not live]
        assert not idle, (
            f"{about} prepares a state that does not depend on {', '.join(idle)}; rotate about an axis that the state "
            "before does not lie on, or say so by least_features or needs_reuploading."
        )
