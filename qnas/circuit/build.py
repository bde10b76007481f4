"""From an architecture to its plain Qiskit circuit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qnas.architecture import Architecture
from qnas.circuit.ansatze import add_layer, ansatze, in_order, weight_source
from qnas.circuit.encodings import Encoding, encodings
from qnas.circuit.lower import lower
from qnas.circuit.program import CircuitProgram
from qnas.circuit.readouts import readouts
from qnas.circuit.topologies import simplest
from qnas.errors import DesignError, TooManyFeaturesError, unknown

DIRECT = "quantum"
"""The coupling that binds features to the encoding directly, without a pre-network."""


_VALUES = ("n_qubits", "encoding", "layers", "ansatz", "coupling", "hidden", "readout")
_LAYER = ("rotation", "entangler", "topology")


@dataclass(frozen=True, eq=False)
class DesignCircuit:
    """The circuit of an architecture with its inputs x, weights w and observables.

    `encoding` is the part of it that depends on the inputs, which occurs `n_uploads` times.
    """

    circuit: QuantumCircuit
    inputs: tuple[Parameter, ...]
    weights: tuple[Parameter, ...]
    observables: tuple[SparsePauliOp, ...]
    encoding: QuantumCircuit
    n_uploads: int

    @property
    def program(self) -> CircuitProgram:
        """The circuit, lowered."""
        return lower(self.circuit, self.inputs, self.weights)


def build_circuit(architecture: Architecture, n_features: int) -> QuantumCircuit:
    """The circuit as plain Qiskit, inputs x[0], x[1], ... and weights w[0], w[1], ... as Parameters.

    Args:
        architecture: at least `n_qubits`, `encoding` and `layers` or `ansatz`.
        n_features: of the data; with the coupling "quantum" they are the inputs, with every other coupling the
            inputs are the outputs of the pre-network, as many as the encoding takes.

    Raises:
        DesignError: the architecture names no circuit, e.g. more features than its encoding takes.
    """
    return design_circuit(architecture, n_features).circuit


def canonical(architecture: Architecture) -> Architecture:
    """The one form of all architectures that name this circuit.

    Re-uploading is off where it uploads only once, and the topology of each layer is the first bundled one with its
    pairs: on two qubits, each is "line". A space may not offer that one; tables leave the gene empty then.
    """
    architecture = _with_simplest_topologies(architecture)
    part = architecture.get("encoding")
    once = "ansatz" in architecture or len(_layers(architecture)) <= 1
    if once and isinstance(part, Architecture) and part.get("reupload", False):
        return architecture.replace(encoding=part.replace(reupload=False))
    return architecture


def _with_simplest_topologies(architecture: Architecture) -> Architecture:
    layers, n_qubits = _layers(architecture), architecture.get("n_qubits")
    changed = [
        layer.replace(topology=simplest(layer.topology, n_qubits))
        if isinstance(layer, Architecture) and "topology" in layer and n_qubits is not None
        else layer
        for layer in layers
    ]
    return architecture if tuple(changed) == layers else architecture.replace(layers=changed)


def _layers(architecture: Architecture) -> tuple[Any, ...]:
    layers = architecture.get("layers", ())
    return layers if isinstance(layers, tuple) else ()


def design_circuit(architecture: Architecture, n_features: int) -> DesignCircuit:
    """The circuit of `architecture` with its inputs, weights and observables; see `build_circuit`."""
    _check_keys(architecture, _VALUES, "value of the architecture,")
    n_qubits = _required(architecture, "n_qubits")
    features = ParameterVector("x", n_inputs(architecture, n_features))
    encoded = _encode(_part(architecture, "encoding"), list(features), n_qubits)
    circuit, n_uploads = _compose(architecture, encoded, n_qubits)
    weights = tuple(parameter for parameter in circuit.parameters if parameter not in set(features))
    observables = readouts[architecture.get("readout", "z")](n_qubits)
    return DesignCircuit(circuit, tuple(features), weights, tuple(observables), encoded, n_uploads)


def n_inputs(architecture: Architecture, n_features: int) -> int:
    """How many inputs the circuit has: the features themselves, or what the pre-network yields."""
    part, n_qubits = _part(architecture, "encoding"), _required(architecture, "n_qubits")
    width = encodings[part["name"]].width(n_qubits)
    if architecture.get("coupling") != DIRECT:
        return width
    if n_features > width:
        raise TooManyFeaturesError(
            f"the encoding {part['name']!r} on {n_qubits} qubits takes at most {width} features, but the data have "
            f"{n_features}; use more qubits, data.n_components={width}, or a coupling with a pre-network."
        )
    return n_features


def _check_keys(architecture: Architecture, allowed: Sequence[str], kind: str) -> None:
    """A value that nothing reads is a mistake, such as a misspelt one."""
    for key in architecture:
        if key not in allowed:
            raise DesignError(unknown(kind, key, allowed))


def _required(architecture: Architecture, key: str, of: str = "the architecture") -> Any:
    if key not in architecture:
        raise DesignError(f"{of} has no {key!r}; it holds {', '.join(architecture) or 'nothing'}.")
    return architecture[key]


def _part(architecture: Architecture, key: str) -> Architecture:
    """A part with its options; a bare name is a part without options."""
    value = _required(architecture, key)
    part = value if isinstance(value, Architecture) else Architecture({"name": value})
    _required(part, "name", of=f"the {key}")
    return part


def _options(part: Architecture, function: Callable[..., Any], kind: str, *, n_given: int) -> dict[str, Any]:
    """The part's options, checked against the function's parameters after the first `n_given`."""
    options = {key: value for key, value in part.items() if key not in ("name", "reupload")}
    allowed = dict(list(inspect.signature(function).parameters.items())[n_given:])
    for key in options:
        if key not in allowed:
            raise DesignError(unknown(f"option of the {kind} {part['name']!r},", key, allowed))
    for key, parameter in allowed.items():
        if key not in options and parameter.default is parameter.empty:
            raise DesignError(f"the {kind} {part['name']!r} needs the option {key!r}.")
    return options


def _encode(part: Architecture, features: list[Parameter], n_qubits: int) -> QuantumCircuit:
    entry: Encoding = encodings[part["name"]]
    if part.get("reupload", False) and not entry.reuploads:
        raise DesignError(f"the encoding {part['name']!r} prepares the initial state, so it cannot be re-uploaded.")
    return entry.build(features, n_qubits, **_options(part, entry.build, "encoding", n_given=2))


def _compose(architecture: Architecture, encoded: QuantumCircuit, n_qubits: int) -> tuple[QuantumCircuit, int]:
    """The encoding and the trained part together, and how often the encoding occurs in it."""
    if "ansatz" in architecture:
        part = _part(architecture, "ansatz")
        build = ansatze[part["name"]]
        trained = in_order(build(n_qubits, **_options(part, build, "ansatz", n_given=1)))
        return encoded.compose(trained), 1
    layers = _required(architecture, "layers")
    n_uploads = max(len(layers), 1) if _part(architecture, "encoding").get("reupload", False) else 1
    circuit, weights = encoded.copy(), weight_source()
    for k, layer in enumerate(layers):
        if 0 < k < n_uploads:
            circuit.compose(encoded, inplace=True)
        _check_keys(layer, _LAYER, f"value of layer {k},")
        rotation, entangler, topology = (_required(layer, key, of=f"layer {k}") for key in _LAYER)
        add_layer(circuit, rotation, entangler, topology, weights)
    return _rename_weights(circuit, encoded), n_uploads


def _rename_weights(circuit: QuantumCircuit, encoded: QuantumCircuit) -> QuantumCircuit:
    """Weights as one vector in the order of application; inputs keep their names."""
    inputs = set(encoded.parameters)
    own = sorted((p for p in circuit.parameters if p not in inputs), key=lambda p: int(p.name[1:]))
    vector = ParameterVector("w", len(own))
    return circuit.assign_parameters(dict(zip(own, vector, strict=True)))
