"""Designs are built once each, and those that are one network are known as such."""

import numpy as np

import qnas
from qnas.circuit.topologies import topologies
from qnas.data import DataSettings
from qnas.experiment.evaluation import splits_of
from qnas.experiment.probes import Workshop
from qnas.model.training import TrainingSettings
from qnas.space import Space, boolean, choice, integer, repeat
from tests.experiment.spaces import space

IRIS = splits_of(DataSettings("iris"))


def workshop(found, training="end_to_end", watch=lambda n_built: None):
    return Workshop(found, IRIS, TrainingSettings(training), watch)


def probe(found, *codes):
    return workshop(found).probe(np.array(codes))


def test_a_probe_knows_the_values_of_all_layers():
    found = space(encoding="angle", hidden=())
    seen = workshop(found).probe(found.encode(found.sample(1)))
    layers = found.decode(seen.genotype).layers
    assert seen.values["layers.*.rotation"] == {layer.rotation for layer in layers}
    assert seen.holds(("layers", len(layers))) and not seen.holds(("layers", 3)) and not seen.holds(("nosuch", 3))
    assert ("layers.*.entangler", layers[0].entangler) in list(seen.each())


def test_a_network_is_built_once():
    """With one layer, re-uploading changes nothing, and the architectures are one."""
    told = []
    layer = dict(rotation="ry", entangler="cx", topology="line")
    found = Space(n_qubits=2, encoding=choice(angle=dict(reupload=boolean())), layers=repeat(1, 2, **layer))
    shop = workshop(found, watch=told.append)
    first, second, third = (shop.probe(np.array(codes)) for codes in ([0, 0, 0], [0, 1, 0], [0, 1, 1]))
    assert first.built is second.built and third.built.network != first.built.network
    assert told == [1, 2] and shop.n_built == 2


def test_networks_are_told_apart_by_circuit_and_model():
    ansatz = choice(sim2019=dict(template=integer(9, 12)))
    found = Space(n_qubits=2, encoding="angle", ansatz=ansatz, hidden=choice((), (2,)), readout=choice("z", "z_first"))
    shop = workshop(found)
    networks = {shop.probe(codes).built.network for codes in map(found.encode, found.architectures())}
    assert len(networks) == found.size == 16 and "" not in networks


def test_names_that_mean_one_network_are_one(monkeypatch):
    monkeypatch.setattr(topologies, "_parts", dict(topologies._parts))
    layer = dict(rotation="ry", entangler="cx")
    same = Space(n_qubits=3, encoding="angle", layers=repeat(1, 1, **layer, topology=choice("line", "own_line")))

    @qnas.topology("own_line")
    def own_line(n_qubits):
        return [(k, k + 1) for k in range(n_qubits - 1)]

    one, other = probe(same, 0, 0), probe(same, 0, 1)
    assert one.built.network == other.built.network != ""


def test_what_is_dead():
    idle = probe(Space(n_qubits=2, encoding=choice(angle=dict(axis=choice("y", "z"))), layers=()), 0, 1).built
    assert (idle.n_inputs, idle.n_dead_inputs, idle.n_weights, idle.n_dead_weights, idle.works) == (2, 2, 0, 0, True)


def test_a_control_has_nothing_to_ignore():
    control = probe(
        Space(n_qubits=2, encoding=choice(angle=dict(axis=choice("y", "z"))), layers=(), coupling="classical"), 0, 1
    )
    assert control.built.works and control.built.n_inputs == control.built.n_dead_inputs == 0


def test_what_does_not_work():
    broken = probe(Space(n_qubits=2, encoding=choice("nosuch"), layers=()), 0).built
    assert broken.problem.startswith("unknown encoding 'nosuch': ") and not broken.works and broken.excluded is None
    over = probe(Space(n_qubits=integer(2, 3), encoding="angle", layers=()).within(qubits=2), 1).built
    assert str(over.excluded) == "qubits is 3, over the budget of 2." and not over.works and over.problem == ""
