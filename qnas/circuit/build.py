"""From an architecture to its plain Qiskit circuit."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qnas.architecture import Architecture
from qnas.circuit.ansatze import (
    Weights,
    add_layer,
    ansatze,
    canonical_sequence,
    gates,
    parameters_in_order,
    weight_source,
)
from qnas.circuit.encodings import Encoding, encodings
from qnas.circuit.lower import lower
from qnas.circuit.parts import as_part, check_keys, options_of, part_of, required, takes
from qnas.circuit.program import CircuitProgram
from qnas.circuit.readouts import Mixture, readouts
from qnas.circuit.topologies import simplest
from qnas.errors import DesignError, PluginError, TooManyFeaturesError, unknown
from qnas.references import cites

DIRECT = "quantum"
"""The coupling that binds features to the encoding directly, without a pre-network."""
PRE = ("mlp", "linear", "pca")
"""What stands between features and circuit: an MLP, one trained linear map, or the first principal components."""
DEFAULT_PRE = "mlp"

_VALUES = ("n_qubits", "encoding", "layers", "ansatz", "coupling", "pre", "hidden", "head", "readout")
_LAYER = ("rotation", "entangler", "topology")


@dataclass(frozen=True, eq=False)
class DesignCircuit:
    """The circuit of an architecture with its inputs x, weights w and observables.

    Attributes:
        observables: none if the readout depends on the number of outputs, and that was not given.
        encoding: the part of the circuit that depends on the inputs, which occurs `n_uploads` times; parameters of it
            that are no inputs stand for weights, which each upload has of its own.
        mixed_to: how many trained combinations of the observables are read; None if each is read as it is.
    """

    circuit: QuantumCircuit
    inputs: tuple[Parameter, ...]
    weights: tuple[Parameter, ...]
    observables: tuple[SparsePauliOp, ...]
    encoding: QuantumCircuit
    n_uploads: int
    mixed_to: int | None = None

    @property
    def n_readouts(self) -> int:
        """How many values leave the circuit."""
        return len(self.observables) if self.mixed_to is None else self.mixed_to

    @property
    def telling_observables(self) -> tuple[SparsePauliOp, ...]:
        """All, but for the last where they add up to a constant, as probabilities do, and their mean tells nothing."""
        total = SparsePauliOp.sum(self.observables).simplify()
        constant = len(self.observables) > 1 and not (total.paulis.x.any() or total.paulis.z.any())
        return self.observables[:-1] if constant else self.observables

    @property
    def program(self) -> CircuitProgram:
        """The circuit, lowered."""
        return lower(self.circuit, self.inputs, self.weights)

    @property
    def encoding_program(self) -> CircuitProgram:
        """One upload of the encoding, lowered."""
        inputs = set(self.inputs)
        return lower(self.encoding, self.inputs, [p for p in self.encoding.parameters if p not in inputs])


@cites("qiskit2024")
def build_circuit(architecture: Architecture, n_features: int) -> QuantumCircuit:
    """The circuit as plain Qiskit, inputs x[0], x[1], ... and weights w[0], w[1], ... as Parameters.

    Args:
        architecture: at least `n_qubits`, `encoding` and `layers` or `ansatz`.
        n_features: of the data; with the coupling "quantum" they are the inputs, with every other coupling the
            inputs are the outputs of the pre-network, as many as the encoding takes. With `pre` "pca" they are the
            first principal components, as many as the encoding takes and the data have.

    Raises:
        DesignError: the architecture names no circuit, e.g. more features than its encoding takes.
    """
    return design_circuit(architecture, n_features).circuit


def canonical(architecture: Architecture) -> Architecture:
    """The one form of all architectures that name this circuit.

    Re-uploading is off where it uploads only once, and the topology of each layer is the first bundled one with its
    pairs: on two qubits, each is "line". A sequence of gates is in the form of `canonical_sequence`. A space may not
    offer what comes of it; tables leave the gene empty then.
    """
    architecture = _with_canonical_gates(_with_simplest_topologies(architecture))
    part = architecture.get("encoding")
    once = "ansatz" in architecture or len(_layers(architecture)) <= 1
    if once and isinstance(part, Architecture) and part.get("reupload", False) and _reuploads(part):
        return architecture.replace(encoding=part.replace(reupload=False))
    return architecture


def _reuploads(part: Architecture) -> bool:
    """Whether the encoding may be uploaded again; where there is none, building the circuit says so."""
    try:
        return encodings[part["name"]].reuploads
    except (KeyError, PluginError):
        return True


def _with_simplest_topologies(architecture: Architecture) -> Architecture:
    layers, n_qubits = _layers(architecture), architecture.get("n_qubits")
    changed = [
        layer.replace(topology=simplest(layer.topology, n_qubits))
        if isinstance(layer, Architecture) and "name" not in layer and "topology" in layer and n_qubits is not None
        else layer
        for layer in layers
    ]
    return architecture if tuple(changed) == layers else architecture.replace(layers=changed)


def _with_canonical_gates(architecture: Architecture) -> Architecture:
    changed: dict[str, Any] = {}
    n_qubits = architecture.get("n_qubits")
    if "ansatz" in architecture:
        changed["ansatz"] = _in_canonical_gates(architecture.ansatz, n_qubits)
    if _layers(architecture):
        changed["layers"] = tuple(_in_canonical_gates(layer, n_qubits) for layer in _layers(architecture))
    same = all(architecture[key] == value for key, value in changed.items())
    return architecture if same else architecture.replace(**changed)


def _in_canonical_gates(block: Any, n_qubits: Any) -> Any:
    """The ansatz `gates` in the one form of its circuit; what cannot be built is left for that to say so."""
    bundled = isinstance(block, Architecture) and block.get("name") == "gates" and ansatze["gates"] is gates
    if not bundled or not isinstance(block.get("sequence"), tuple) or not isinstance(n_qubits, int):
        return block
    try:
        gates(n_qubits, block.sequence)  # gates on qubits that are not there must not vanish before they are noticed
        return block.replace(sequence=canonical_sequence(block.sequence))
    except DesignError:
        return block


def _layers(architecture: Architecture) -> tuple[Any, ...]:
    layers = architecture.get("layers", ())
    return layers if isinstance(layers, tuple) else ()


def design_circuit(architecture: Architecture, n_features: int, n_outputs: int | None = None) -> DesignCircuit:
    """The circuit of `architecture` with its inputs, weights and observables; see `build_circuit`.

    Args:
        architecture, n_features: as for `build_circuit`.
        n_outputs: of the model; only observables depend on it, and not of every readout.
    """
    check_keys(architecture, _VALUES, "value of the architecture,")
    n_qubits = required(architecture, "n_qubits")
    features = ParameterVector("x", n_inputs(architecture, n_features))
    encoded = _encode(_encoding_of(architecture), list(features), n_qubits)
    circuit, n_uploads = _compose(architecture, encoded, set(features))
    weights = tuple(parameter for parameter in circuit.parameters if parameter not in set(features))
    read = _read(part_of(architecture, "readout", default="z"), n_qubits, n_outputs)
    observables, mixed_to = (read.observables, read.n_values) if isinstance(read, Mixture) else (tuple(read), None)
    return DesignCircuit(circuit, tuple(features), weights, observables, encoded, n_uploads, mixed_to)


def n_inputs(architecture: Architecture, n_features: int) -> int:
    """How many inputs the circuit has: what the pre-network yields, or principal components, or the features."""
    part, n_qubits = _encoding_of(architecture), required(architecture, "n_qubits")
    if part is None:
        if n_features or coupling_name(architecture) != DIRECT:
            raise DesignError(
                f"the encoding is None, which means a circuit by itself: it takes the coupling {DIRECT!r}, no features."
            )
        return 0
    width = encodings[part["name"]].width(n_qubits)
    if pre_of(architecture) == "pca":
        return min(width, n_features)
    if coupling_name(architecture) != DIRECT:
        return width
    if n_features > width:
        raise TooManyFeaturesError(
            f"the encoding {part['name']!r} on {n_qubits} qubits takes at most {width} features, but the data have "
            f"{n_features}; use more qubits, pre='pca', data.n_components={width}, or a coupling with a pre-network."
        )
    return n_features


def pre_of(architecture: Architecture) -> str:
    """What stands between features and circuit, one of `PRE`. Raises DesignError if it is something else."""
    pre = architecture.get("pre", DEFAULT_PRE)
    if pre not in PRE:
        raise DesignError(unknown("value of pre,", pre, PRE))
    return str(pre)


def coupling_name(architecture: Architecture) -> str:
    """The name of the coupling, whatever its options. Raises DesignError if it has none."""
    return str(part_of(architecture, "coupling", default="serial")["name"])


def _read(part: Architecture, n_qubits: int, n_outputs: int | None) -> list[SparsePauliOp] | Mixture:
    build = readouts[part["name"]]
    options = options_of(part, build, "readout", n_given=1, given=("n_outputs",))
    if not takes(build, "n_outputs"):
        return build(n_qubits, **options)
    return [] if n_outputs is None else build(n_qubits, n_outputs=n_outputs, **options)


def _encoding_of(architecture: Architecture) -> Architecture | None:
    """The encoding; None, if that is what stands there, for a circuit without inputs."""
    return None if required(architecture, "encoding") is None else part_of(architecture, "encoding")


def _encode(part: Architecture | None, features: list[Parameter], n_qubits: int) -> QuantumCircuit:
    if part is None:
        return QuantumCircuit(n_qubits)
    entry: Encoding = encodings[part["name"]]
    if part.get("reupload", False) and not entry.reuploads:
        raise DesignError(f"the encoding {part['name']!r} prepares the initial state, so it cannot be re-uploaded.")
    own = Architecture({key: value for key, value in part.items() if key != "reupload"})
    circuit = entry.build(features, n_qubits, **options_of(own, entry.build, "encoding", n_given=2))
    return _as_wide(circuit, n_qubits, "encoding", part)


def _compose(architecture: Architecture, encoded: QuantumCircuit, inputs: Set[Parameter]) -> tuple[QuantumCircuit, int]:
    """The encoding and the trained part together, and how often the encoding occurs in it."""
    weights = weight_source()
    circuit = _with_weights(encoded, weights, inputs)
    if "ansatz" in architecture:
        if "layers" in architecture:
            raise DesignError("the architecture has an 'ansatz' and 'layers'; it takes one of them.")
        _add_ansatz(circuit, part_of(architecture, "ansatz"), weights)
        return _rename_weights(circuit, inputs), 1
    layers = required(architecture, "layers")
    part = _encoding_of(architecture)
    n_uploads = max(len(layers), 1) if part is not None and part.get("reupload", False) else 1
    for k, layer in enumerate(layers):
        if 0 < k < n_uploads:
            circuit.compose(_with_weights(encoded, weights, inputs), inplace=True)
        _add_layer(circuit, layer, f"layer {k}", weights)
    return _rename_weights(circuit, inputs), n_uploads


def _add_layer(circuit: QuantumCircuit, layer: Any, what: str, weights: Weights) -> None:
    """A named ansatz as one block, or rotations and an entangler on the pairs of a topology."""
    if not isinstance(layer, Architecture) or "name" in layer:
        _add_ansatz(circuit, as_part(layer, what), weights)
        return
    check_keys(layer, _LAYER, f"value of {what},")
    rotation, entangler, topology = (required(layer, key, of=what) for key in _LAYER)
    add_layer(circuit, rotation, entangler, topology, weights)


def _add_ansatz(circuit: QuantumCircuit, part: Architecture, weights: Weights) -> None:
    build = ansatze[part["name"]]
    block = build(circuit.num_qubits, **options_of(part, build, "ansatz", n_given=1))
    circuit.compose(_with_weights(_as_wide(block, circuit.num_qubits, "ansatz", part), weights), inplace=True)


def _as_wide(circuit: QuantumCircuit, n_qubits: int, kind: str, part: Architecture) -> QuantumCircuit:
    if circuit.num_qubits != n_qubits:
        raise DesignError(
            f"the {kind} {part['name']!r} makes a circuit of {circuit.num_qubits} qubits where n_qubits is {n_qubits}; "
            "it must be as wide as it is asked to be."
        )
    return circuit


def _with_weights(block: QuantumCircuit, weights: Weights, inputs: Set[Parameter] = frozenset()) -> QuantumCircuit:
    """A block with weights of its own, though it may be built of the same parameters every time."""
    own = {parameter: next(weights) for parameter in parameters_in_order(block) if parameter not in inputs}
    return block.assign_parameters(own)


def _rename_weights(circuit: QuantumCircuit, inputs: Set[Parameter]) -> QuantumCircuit:
    """Weights as one vector in the order of application; inputs keep their names."""
    own = sorted((p for p in circuit.parameters if p not in inputs), key=lambda p: int(p.name[1:]))
    vector = ParameterVector("w", len(own))
    return circuit.assign_parameters(dict(zip(own, vector, strict=True)))
