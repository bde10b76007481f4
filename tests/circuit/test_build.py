"""From architectures to circuits: every combination builds, and what cannot be built says why."""

import itertools
import re

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Operator, SparsePauliOp

from qnas.architecture import Architecture
from qnas.circuit import ansatze as ansatz_room
from qnas.circuit.ansatze import ENTANGLERS, TRAINABLE, ansatz, sim2019
from qnas.circuit.build import build_circuit, canonical, design_circuit, n_inputs
from qnas.circuit.encodings import encoding, encodings
from qnas.circuit.readouts import readout, readouts
from qnas.circuit.topologies import topologies
from qnas.errors import DesignError, PluginError

LAYER = {"rotation": "ry_rz", "entangler": "cx", "topology": "ring"}


def architecture(**changes):
    values = {"n_qubits": 3, "encoding": {"name": "angle"}, "layers": [LAYER, LAYER], "readout": "z", **changes}
    return Architecture({key: value for key, value in values.items() if value is not None})


@pytest.mark.parametrize(
    ("encoding", "topology", "entangler"), list(itertools.product(encodings, topologies, ENTANGLERS))
)
def test_every_combination_builds(encoding, topology, entangler):
    layer = {"rotation": "rx", "entangler": entangler, "topology": topology}
    made = design_circuit(architecture(encoding=encoding, layers=[layer, layer]), 5)
    n_x = encodings[encoding].width(3)
    n_w = 2 * (3 + (len(topologies[topology](3)) if entangler in TRAINABLE else 0))
    assert [p.name for p in made.inputs] == [f"x[{k}]" for k in range(n_x)]
    assert [p.name for p in made.weights] == [f"w[{k}]" for k in range(n_w)]
    assert set(made.circuit.parameters) == {*made.inputs, *made.weights}
    assert (made.program.n_inputs, made.program.n_weights) == (n_x, n_w)


def test_weights_are_numbered_in_the_order_of_application_beyond_ten():
    circuit = build_circuit(architecture(), 3)
    rotations = [i.operation.params[0].name for i in circuit.data if i.operation.name in ("ry", "rz")]
    assert rotations == ["x[0]", "x[1]", "x[2]", *[f"w[{k}]" for k in range(12)]]


def test_the_encoding_comes_first_and_once():
    made = design_circuit(architecture(), 3)
    expected = QuantumCircuit(3)
    for k in range(3):
        expected.ry(made.inputs[k], k)
    for layer in range(2):
        for block, gate in enumerate(("ry", "rz")):
            for k in range(3):
                getattr(expected, gate)(made.weights[6 * layer + 3 * block + k], k)
        for k in range(3):
            expected.cx(k, (k + 1) % 3)
    assert made.circuit == expected
    assert made.n_uploads == 1
    assert made.encoding.count_ops() == {"ry": 3}


def test_uploads_come_before_every_layer():
    encoding = {"name": "angle", "axis": "x", "reupload": True}
    made = design_circuit(architecture(encoding=encoding, layers=[LAYER] * 4), 3)
    assert made.n_uploads == 4
    assert made.circuit.count_ops()["rx"] == 12
    starts = [k for k, i in enumerate(made.circuit.data) if i.operation.name == "rx"]
    assert starts == [at + k for at in (0, 12, 24, 36) for k in range(3)]


@pytest.mark.parametrize("layers", [[LAYER] * 3, [{"name": "sim2019", "template": 1}] * 3])
def test_each_upload_has_weights_of_its_own(layers):
    encoding = {"name": "angle", "axis": "x", "reupload": True, "trainable": True}
    made = design_circuit(architecture(encoding=encoding, layers=layers), 3)
    names = [sorted(p.name for p in i.operation.params[0].parameters) for i in made.circuit.data if i.params]
    assert names == [name for k in range(3) for name in upload_and_layer(first_weight=9 * k)]
    assert (made.n_uploads, made.program.n_inputs, made.program.n_weights) == (3, 3, 27)
    assert (made.encoding_program.n_inputs, made.encoding_program.n_weights) == (3, 3)


def upload_and_layer(first_weight):
    """Parameters of three scaled features and of a layer of six rotations."""
    scaled = [[f"w[{first_weight + k}]", f"x[{k}]"] for k in range(3)]
    return scaled + [[f"w[{first_weight + k}]"] for k in range(3, 9)]


def test_an_encoding_with_weights_goes_before_an_ansatz():
    changes = {"layers": None, "ansatz": {"name": "sim2019", "template": 1}}
    made = design_circuit(architecture(encoding={"name": "angle", "trainable": True}, **changes), 3)
    first = made.circuit.data[0].operation.params[0].parameters
    assert {p.name for p in first} == {"x[0]", "w[0]"}
    assert [p.name for p in made.weights] == [f"w[{k}]" for k in range(9)]


def test_weights_of_an_encoding_may_have_any_names(monkeypatch):
    monkeypatch.setattr(encodings, "_parts", dict(encodings._parts))

    @encoding("mine")
    def mine(features, n_qubits):
        circuit = QuantumCircuit(n_qubits)
        circuit.rx(features[0] + Parameter("w1"), 0)
        circuit.rx(Parameter("w0"), 0)
        return circuit

    made = design_circuit(architecture(encoding={"name": "mine", "reupload": True}), 3)
    assert [p.name for p in made.weights] == [f"w[{k}]" for k in range(16)]
    assert [str(i.params[0]) for i in made.circuit.data if i.operation.name == "rx"] == [
        "w[0] + x[0]", "w[1]", "w[8] + x[0]", "w[9]",
    ]  # fmt: skip


def test_an_encoding_of_another_width_is_refused(monkeypatch):
    monkeypatch.setattr(encodings, "_parts", dict(encodings._parts))
    encoding("narrow")(lambda features, n_qubits: QuantumCircuit(n_qubits - 1))
    with pytest.raises(DesignError, match="the encoding 'narrow' makes a circuit of 2 qubits where n_qubits is 3; "):
        build_circuit(architecture(encoding="narrow"), 3)


@pytest.mark.parametrize("reupload", [False, True])
def test_without_layers_the_encoding_remains(reupload):
    made = design_circuit(architecture(encoding={"name": "angle", "reupload": reupload}, layers=[]), 3)
    assert made.circuit.count_ops() == {"ry": 3}
    assert (made.n_uploads, made.weights) == (1, ())


def test_an_ansatz_takes_the_place_of_layers():
    changes = {"layers": None, "ansatz": {"name": "sim2019", "template": 19, "n_layers": 2}}
    made = design_circuit(architecture(**changes), 3)
    assert made.circuit.count_ops() == {"ry": 3, "rx": 6, "rz": 6, "crx": 6}
    assert [p.name for p in made.weights] == [f"w[{k}]" for k in range(18)]


def test_the_parameters_of_a_plug_in_are_renamed(monkeypatch):
    monkeypatch.setattr(ansatz_room.ansatze, "_parts", dict(ansatz_room.ansatze._parts))

    @ansatz("mine")
    def mine(n_qubits, *, angle_name="x[0]"):
        circuit = QuantumCircuit(n_qubits)
        circuit.rx(Parameter(angle_name), 0)
        return circuit

    made = design_circuit(architecture(layers=None, ansatz="mine"), 3)
    assert [p.name for p in made.circuit.parameters] == ["w[0]", "x[0]", "x[1]", "x[2]"]


def gates(circuit):
    """Names, qubits and parameters by name; parameters of two circuits are never equal."""
    return [(i.operation.name, [circuit.find_bit(q).index for q in i.qubits], str(i.params)) for i in circuit.data]


def test_a_layer_may_be_an_ansatz_with_weights_of_its_own():
    named = {"name": "sim2019", "template": 3}
    made = design_circuit(architecture(layers=[named, LAYER, named]), 3)
    plain, template = design_circuit(architecture(layers=[LAYER]), 3), sim2019(3, 3)
    expected = design_circuit(architecture(layers=[]), 3).circuit
    expected.compose(template.assign_parameters(made.weights[:8]), inplace=True)
    trained = plain.circuit.assign_parameters(dict(zip(plain.weights, made.weights[8:14], strict=True)))
    expected.data += trained.data[3:]  # without its encoding
    expected.compose(template.assign_parameters(made.weights[14:]), inplace=True)
    assert gates(made.circuit) == gates(expected)
    assert [p.name for p in made.weights] == [f"w[{k}]" for k in range(22)]


def test_uploads_come_before_named_layers_too():
    encoding = {"name": "angle", "axis": "x", "reupload": True}
    layers = [{"name": "sim2019", "template": 15}, {"name": "sim2019", "template": 15, "n_layers": 2}]
    made = design_circuit(architecture(encoding=encoding, layers=layers), 3)
    assert made.n_uploads == 2
    assert [k for k, i in enumerate(made.circuit.data) if i.operation.name == "rx"] == [0, 1, 2, 15, 16, 17]


@pytest.fixture
def one_circuit(monkeypatch):
    """An ansatz that hands out the same circuit each time, whose names are those of other parameters."""
    monkeypatch.setattr(ansatz_room.ansatze, "_parts", dict(ansatz_room.ansatze._parts))
    same = QuantumCircuit(3, global_phase=Parameter("x[1]"))
    for qubit, name in enumerate(("w1", "w0", "w[0]")):
        same.rx(Parameter(name), qubit)

    @ansatz("same")
    def build(n_qubits):
        return same

    return same


def test_the_same_parameters_are_other_weights_in_each_layer(one_circuit):
    """A weight of the global phase, which no gate uses, comes last among those of its layer."""
    made = design_circuit(architecture(layers=["same", {"name": "same"}]), 3)
    assert [p.name for p in made.weights] == [f"w[{k}]" for k in range(8)]
    rotations = [i.operation.params[0].name for i in made.circuit.data if i.operation.name == "rx"]
    assert rotations == ["w[0]", "w[1]", "w[2]", "w[4]", "w[5]", "w[6]"]
    assert one_circuit.num_parameters == 4


def test_an_ansatz_of_another_width_is_refused(one_circuit):
    for changes in ({"layers": ["same"]}, {"layers": None, "ansatz": "same"}):
        with pytest.raises(DesignError) as caught:
            build_circuit(architecture(n_qubits=4, **changes), 3)
        assert str(caught.value) == (
            "the ansatz 'same' makes a circuit of 3 qubits where n_qubits is 4; it must be as wide as it is asked to "
            "be."
        )


def test_a_bare_name_is_a_part_without_options():
    bare, spelled = (build_circuit(architecture(encoding=value), 3) for value in ("iqp", {"name": "iqp"}))
    values = np.random.default_rng(0).normal(size=bare.num_parameters)
    assert Operator(bare.assign_parameters(values)) == Operator(spelled.assign_parameters(values))


def test_the_readout():
    assert design_circuit(architecture(readout="zz"), 3).observables == tuple(map(SparsePauliOp, ("IZZ", "ZIZ", "ZZI")))
    assert len(design_circuit(architecture(readout=None), 3).observables) == 3
    assert design_circuit(architecture(readout={"name": "z_first"}), 3).observables == (SparsePauliOp("IIZ"),)


def test_a_readout_has_options_and_may_know_the_number_of_outputs(monkeypatch):
    monkeypatch.setattr(readouts, "_parts", dict(readouts._parts))

    @readout("scaled")
    def scaled(n_qubits, n_outputs, factor=1.0):
        return [SparsePauliOp("Z" * n_qubits, factor)] * n_outputs

    part = {"name": "scaled", "factor": 2.0}
    assert design_circuit(architecture(readout=part), 3, 2).observables == (SparsePauliOp("ZZZ", 2.0),) * 2
    assert design_circuit(architecture(readout="scaled"), 3, 1).observables == (SparsePauliOp("ZZZ"),)
    assert design_circuit(architecture(readout=part), 3).observables == ()
    assert build_circuit(architecture(readout=part), 3).num_parameters == 15
    for options in ({"factors": 2.0}, {"n_outputs": 2}):
        with pytest.raises(DesignError, match=r"unknown option of the readout 'scaled', '\w+': .*Allowed: factor\."):
            build_circuit(architecture(readout={"name": "scaled", **options}), 3)


@pytest.mark.parametrize(
    ("encoding", "coupling", "pre", "n_features", "expected"),
    [
        ("angle", "serial", None, 10, 3),
        ("angle", None, "mlp", 1, 3),
        ("dense_angle", "mac", "linear", 10, 6),
        ("amplitude", "residual", None, 3, 8),
        ("angle", "quantum", None, 2, 2),
        ("dense_angle", "quantum", "linear", 5, 5),
        ("amplitude", "quantum", None, 7, 7),
        ("angle", "quantum", "pca", 10, 3),
        ("angle", "quantum", "pca", 2, 2),
        ("dense_angle", "serial", "pca", 10, 6),
        ("amplitude", "mac", "pca", 5, 5),
    ],
)
def test_how_many_inputs(encoding, coupling, pre, n_features, expected):
    made = architecture(encoding=encoding, coupling=coupling, pre=pre)
    assert n_inputs(made, n_features) == expected
    assert design_circuit(made, n_features).program.n_inputs == expected


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"coupling": "quantum"},
            "the encoding 'angle' on 3 qubits takes at most 3 features, but the data have 9; use more qubits, "
            "pre='pca', data.n_components=3, or a coupling with a pre-network.",
        ),
        (
            {"coupling": "quantum", "encoding": "amplitude"},
            "the encoding 'amplitude' on 3 qubits takes at most 8 features, but the data have 9; use more qubits, "
            "pre='pca', data.n_components=8, or a coupling with a pre-network.",
        ),
        (
            {"encoding": {"name": "angle", "axes": "x"}},
            "unknown option of the encoding 'angle', 'axes': did you mean 'axis'? Allowed: axis, scale, trainable.",
        ),
        (
            {"encoding": {"name": "iqp", "n_qubits": 2}},
            "unknown option of the encoding 'iqp', 'n_qubits': Allowed: repeats.",
        ),
        (
            {"encoding": {"name": "dense_angle", "axis": "x"}},
            "unknown option of the encoding 'dense_angle', 'axis': Allowed: none.",
        ),
        (
            {"encoding": {"name": "amplitude", "reupload": True}},
            "the encoding 'amplitude' prepares the initial state, so it cannot be re-uploaded.",
        ),
        ({"pre": "lda"}, "unknown value of pre, 'lda': Allowed: mlp, linear, pca."),
        ({"encoding": {"axis": "x"}}, "the encoding has no 'name'; it holds axis."),
        ({"encoding": None}, "the architecture has no 'encoding'; it holds layers, n_qubits, readout."),
        ({"n_qubits": None}, "the architecture has no 'n_qubits'; it holds encoding, layers, readout."),
        ({"layers": None}, "the architecture has no 'layers'; it holds encoding, n_qubits, readout."),
        ({"layers": [{"rotation": "ry"}]}, "layer 0 has no 'entangler'; it holds rotation."),
        ({"layers": [LAYER, {"name": "sim2019"}]}, "the ansatz 'sim2019' needs the option 'template'."),
        (
            {"layers": [{"name": "sim2019", "template": 1, "topology": "all"}]},
            "unknown option of the ansatz 'sim2019', 'topology': Allowed: template, n_layers.",
        ),
        ({"readout": {"name": "z", "axis": "x"}}, "unknown option of the readout 'z', 'axis': Allowed: none."),
        (
            {"layers": None, "ansatz": {"name": "sim2019", "template": 1, "reupload": True}},
            "unknown option of the ansatz 'sim2019', 'reupload': did you mean 'template'? Allowed: template, "
                "n_layers.",
        ),
        ({"layers": None, "ansatz": {"name": "sim2019"}}, "the ansatz 'sim2019' needs the option 'template'."),
        (
            {"layers": None, "ansatz": {"name": "sim2019", "template": 3, "layers": 2}},
            "unknown option of the ansatz 'sim2019', 'layers': did you mean 'n_layers'? Allowed: template, n_layers.",
        ),
    ],
)  # fmt: skip
def test_architectures_that_name_no_circuit(changes, text):
    with pytest.raises(DesignError) as caught:
        build_circuit(architecture(**changes), 9)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"encoding": "amplitud"}, "unknown encoding 'amplitud': did you mean 'amplitude'?"),
        ({"readout": "zzz"}, "unknown readout 'zzz': did you mean 'zz'?"),
        ({"layers": None, "ansatz": "sim"}, "unknown ansatz 'sim': "),
        ({"layers": ["sim"]}, "unknown ansatz 'sim': "),
    ],
)
def test_parts_that_are_not_known(changes, text):
    with pytest.raises(PluginError) as caught:
        build_circuit(architecture(**changes), 3)
    assert str(caught.value).startswith(text)


def test_re_uploading_before_a_single_layer_is_no_other_circuit():
    layer = dict(rotation="ry", entangler="cx", topology="line")
    one = Architecture(dict(n_qubits=2, encoding=dict(name="angle", axis="x", reupload=True), layers=[layer]))
    assert canonical(one) == one.replace(encoding=dict(name="angle", axis="x", reupload=False))
    assert str(build_circuit(canonical(one), 2).draw()) == str(build_circuit(one, 2).draw())
    two = one.replace(layers=[layer, layer])
    assert canonical(two) == two
    whole = Architecture(dict(n_qubits=2, encoding=one.encoding, ansatz=dict(name="sim2019", template=1)))
    assert canonical(whole).encoding.reupload is False
    nothing = Architecture({})
    assert canonical(nothing) == nothing


def test_the_option_topology_of_a_named_layer_is_its_own_affair():
    made = architecture(n_qubits=2, layers=[{"name": "mine", "topology": "star"}])
    assert canonical(made) == made


def with_topologies(*names, n_qubits=2):
    return architecture(n_qubits=n_qubits, layers=[{**LAYER, "topology": name} for name in names])


@pytest.mark.parametrize("name", ["line", "ring", "all", "star"])
@pytest.mark.parametrize("n_qubits", [1, 2])
def test_on_few_qubits_all_topologies_are_one_circuit(n_qubits, name):
    made = with_topologies(name, "line", n_qubits=n_qubits)
    found = canonical(made)
    assert found == with_topologies("line", "line", n_qubits=n_qubits)
    assert str(build_circuit(found, 2).draw()) == str(build_circuit(made, 2).draw())


@pytest.mark.parametrize("n_qubits", [3, 4])
def test_topologies_that_differ_in_pairs_or_their_direction_are_kept(n_qubits):
    for name in ("line", "ring", "all", "star"):
        made = with_topologies(name, n_qubits=n_qubits)
        assert canonical(made) is made


def test_a_topology_of_a_user_gives_way_to_a_bundled_one_and_replaces_none(monkeypatch):
    monkeypatch.setattr(topologies, "_parts", dict(topologies._parts))
    topologies.add("a_first", lambda n_qubits: [(k, k + 1) for k in range(n_qubits - 1)])
    topologies.add("a_turned", lambda n_qubits: [(k + 1, k) for k in range(n_qubits - 1)])
    assert canonical(with_topologies("a_first", "a_turned")) == with_topologies("line", "a_turned")


@pytest.mark.parametrize("name", ["broken", "unheard_of"])
def test_a_topology_that_raises_is_left_as_it_is(monkeypatch, name):
    monkeypatch.setattr(topologies, "_parts", dict(topologies._parts))
    topologies.add("broken", lambda n_qubits: 1 // 0)
    made = with_topologies(name, "star")
    assert canonical(made) == with_topologies(name, "line")
    no_width = Architecture({"layers": [LAYER]})
    assert canonical(no_width) == no_width


BACK_AND_FORTH = [{"name": "rz", "qubit": 1}, {"name": "h", "qubit": 0}, {"name": "h", "qubit": 0}]


@pytest.mark.parametrize("place", ["ansatz", "layers"])
def test_sequences_that_make_one_circuit_are_one_design(place):
    def with_gates(sequence):
        block = {"name": "gates", "sequence": sequence}
        return architecture(**({"layers": None, "ansatz": block} if place == "ansatz" else {"layers": [LAYER, block]}))

    found = canonical(with_gates(BACK_AND_FORTH))
    assert found == with_gates(BACK_AND_FORTH[:1])
    assert canonical(found) is found


@pytest.mark.parametrize("sequence", [None, 3, [{"name": "cnot", "pair": [0, 1]}]])
def test_gates_that_cannot_be_built_are_left_as_they_are(sequence):
    made = architecture(layers=None, ansatz={"name": "gates", "sequence": sequence})
    assert canonical(made) is made
    without = architecture(layers=None, ansatz={"name": "gates"})
    assert canonical(without) is without


def test_gates_of_a_plug_in_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(ansatz_room.ansatze, "_parts", dict(ansatz_room.ansatze._parts))
    ansatz_room.ansatze.add("gates", lambda n_qubits, sequence: QuantumCircuit(n_qubits))
    made = architecture(layers=None, ansatz={"name": "gates", "sequence": BACK_AND_FORTH})
    assert canonical(made) is made


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"couplng": "mac"}, "unknown value of the architecture, 'couplng': did you mean 'coupling'?"),
        ({"layers": [{**LAYER, "rotaton": "ry"}]}, "unknown value of layer 0, 'rotaton': did you mean 'rotation'?"),
    ],
)
def test_a_value_that_nothing_reads_is_refused(changes, text):
    architecture = Architecture({"n_qubits": 2, "encoding": "angle", "layers": [LAYER], **changes})
    with pytest.raises(DesignError, match=re.escape(text)):
        build_circuit(architecture, 2)


def test_a_circuit_by_itself_has_no_inputs():
    alone = architecture(coupling="quantum", hidden=()).replace(encoding=None)
    built = design_circuit(alone, 0)
    assert built.inputs == ()
    assert set(built.weights) == set(built.circuit.parameters)
    for wrong, n_features in ((alone, 3), (alone.replace(coupling="serial"), 0)):
        with pytest.raises(DesignError, match="the encoding is None, which means a circuit by itself"):
            design_circuit(wrong, n_features)


def test_an_ansatz_and_layers_exclude_each_other():
    both = architecture(ansatz={"name": "sim2019", "template": 2})
    with pytest.raises(DesignError, match="the architecture has an 'ansatz' and 'layers'; it takes one of them"):
        build_circuit(both, 3)


def test_the_canonical_form_does_not_mend_what_cannot_be_built():
    amplitude = architecture(encoding={"name": "amplitude", "reupload": True}, layers=[LAYER])
    sequence = [{"name": "h", "qubit": 9}, {"name": "h", "qubit": 9}, {"name": "ry", "qubit": 0}]
    values = {key: value for key, value in architecture().items() if key != "layers"}
    for wrong, sentence in (
        (amplitude, "prepares the initial state, so it cannot be re-uploaded"),
        (
            Architecture({**values, "ansatz": {"name": "gates", "sequence": sequence}}),
            "is on qubit 9, but the 3 qubits are numbered from 0 to 2",
        ),
    ):
        assert canonical(wrong) == wrong
        with pytest.raises(DesignError, match=sentence):
            build_circuit(canonical(wrong), 3)


def test_of_readouts_that_add_up_to_a_constant_the_last_tells_nothing():
    built = design_circuit(architecture(readout={"name": "probabilities"}), 3, 4)
    assert built.telling_observables == built.observables[:-1]
    assert design_circuit(architecture(), 3, 4).telling_observables == tuple(readouts["z"](3))
