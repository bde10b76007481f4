"""Designs at random, with a value of choice, and in pairs."""

import numpy as np

from qnas.data import DataSettings
from qnas.experiment.evaluation import splits_of
from qnas.experiment.probes import Workshop
from qnas.experiment.samples import Samples
from qnas.model.training import TrainingSettings
from qnas.space import boolean, choice, integer
from tests.experiment.spaces import layers, space


def samples(found):
    workshop = Workshop(found, splits_of(DataSettings("iris")), TrainingSettings(), lambda n_built: None)
    return Samples(found, workshop, np.random.default_rng(0))


def test_designs_that_are_excluded_are_drawn_again():
    taken = samples(space().within(n_parameters=50))
    taken.draw(5)
    assert 0 < len(taken.excluded) < 25 and len(taken.drawn) - len(taken.excluded) == 5
    assert len(taken.judged) == 5 and all(probe.built.works for probe in taken.judged)


def test_but_not_for_ever():
    taken = samples(space().within(n_parameters=5))
    taken.draw(4)
    assert len(taken.drawn) == len(taken.excluded) == 24 and taken.judged == []


def test_a_design_with_a_value():
    taken = samples(space().where(lambda a: a.hidden or len(a.layers) == 2, because="something must be deep"))
    for one in (("layers.*.rotation", "rx"), ("hidden", "none"), ("encoding.angle.axis", "x")):
        probe = taken.with_value(one)
        assert probe.holds(one) and taken.space.is_valid(probe.genotype) and taken.held[-1] is probe
    assert taken.with_value(("layers", 1)).holds(("hidden", "8"))


def test_a_value_that_no_design_has():
    taken = samples(space().where(lambda a: a.n_qubits == 2, because="two it is"))
    assert taken.with_value(("n_qubits", 3)) is None and taken.held == []
    assert len(list(taken.codes_with(("n_qubits", 3)))) == 200


def test_pairs_that_differ_in_one_gene():
    taken = samples(space(n_qubits=2, layers=layers(topology=choice("line", "ring"), rotation=choice("ry", "nosuch"))))
    assert [taken.are_same(("layers.*.topology", "ring")) for _ in range(8)].count(True) > 0
    assert taken.are_same(("layers.*.rotation", "nosuch")) is None, "it cannot be built"
    one, other = samples(space()), samples(space(n_qubits=integer(2, 2)))
    assert one.are_same(("hidden", "8")) is False and len(one.held) == 2
    differing = one.held[0].genotype != one.held[1].genotype
    assert [gene.name for gene, differs in zip(one.space.genes, differing, strict=True) if differs] == ["hidden"]
    assert other.are_same(("n_qubits", 2)) is None, "there is no other value"


def test_families_of_genes():
    taken = samples(space(flag=boolean()))
    assert taken.gene("layers.*.rotation").values == ("ry", "rx") and len(taken.families["layers.*.rotation"]) == 2
