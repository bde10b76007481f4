"""Every kind of mistake is found in a space that has it, and in no other."""

import pytest

import qnas
from qnas.data import DataSettings
from qnas.experiment.check import find_mistakes
from qnas.model.couplings import couplings
from qnas.model.training import TrainingSettings
from qnas.space import boolean, choice, integer, repeat
from tests.experiment.spaces import LAYER, layers, space

IRIS = DataSettings("iris")
pytestmark = pytest.mark.slow  # each builds dozens of designs


def inspected(found, **settings):
    return find_mistakes(found, IRIS, n_designs=16, **settings)


def mistakes(found, **settings):
    return list(inspected(found, **settings).mistakes)


def test_a_clean_space_has_none():
    assert mistakes(space()) == []


# --- values that no valid design has ---------------------------------------------------------------------------------


def test_a_value_that_no_design_of_a_small_space_has():
    found = space(readout=choice("z", "zz")).where(lambda a: a.readout != "zz", because="pairs are dear")
    assert mistakes(found) == [
        "readout = zz is in no valid design; remove it, or relax the constraint 'pairs are dear'."
    ]


def test_a_value_that_no_drawn_design_of_a_large_space_has():
    found = space(readout=choice("z", "zz"), layers=repeat(1, 7, **LAYER))
    assert not found.is_enumerable
    assert mistakes(found.where(lambda a: a.readout != "zz", because="pairs are dear")) == [
        "readout = zz was not seen in 200 designs drawn with it; remove it, or relax the constraint 'pairs are dear'."
    ]


def test_a_value_that_is_rare_is_no_mistake():
    """One design in 240 has it."""
    found = space(rare=integer(0, 59)).where(lambda a: a.rare or len(a.layers) == 2, because="zero needs two layers")
    assert not any("rare = " in text for text in mistakes(found))


def test_a_value_that_only_some_layers_may_have_is_no_mistake():
    found = space().where(lambda a: a.layers[0].entangler == "cx", because="the first layer has cx")
    assert mistakes(found) == []


def test_a_value_that_no_layer_may_have():
    found = space(layers=layers(rotation=choice("ry", "rx", "rz")))
    found = found.where(lambda a: all(one.rotation != "rz" for one in a.layers), because="rz is idle")
    (text,) = mistakes(found)
    assert text == "layers.*.rotation = rz is in no valid design; remove it, or relax the constraint 'rz is idle'."


# --- genes that never change the network -----------------------------------------------------------------------------


def test_a_gene_that_means_the_same_whatever_its_value():
    """On two qubits a ring is a line: the fingerprints are equal."""
    (text,) = mistakes(space(n_qubits=2, layers=layers(topology=choice("line", "ring"))))
    assert text == (
        "the gene layers.*.topology never changes the network: in 24 pairs of designs that differ in it alone, both "
        "are the same; remove it, or correct what should read it."
    )


def test_a_gene_that_nothing_reads_because_of_another_value():
    """The classical control has no circuit: fingerprints differ, circuit and model do not."""
    found = mistakes(space(coupling="classical", layers=layers(rotation="ry", entangler="cx")))
    genes = [text.split()[2] for text in found]
    assert genes == ["encoding.angle.axis", "layers"]


def test_a_gene_that_a_training_configuration_overrules():
    found = space(encoding="dense_angle", coupling=choice("serial", "mac"))
    texts = mistakes(found, training=TrainingSettings("pqc"))
    assert [text.split()[2] for text in texts] == ["coupling", "hidden"]


def test_a_gene_that_changes_few_designs_is_no_mistake():
    """Re-uploading needs a second layer."""
    found = space(encoding=choice(angle=dict(axis="y", reupload=boolean()), dense_angle={}))
    assert mistakes(found) == []


# --- what circuits ignore --------------------------------------------------------------------------------------------


def test_a_value_with_which_circuits_ignore_their_inputs():
    (text,) = mistakes(space(encoding=choice(angle=dict(axis=choice("y", "z")), dense_angle={})))
    assert text.startswith("with encoding.angle.axis = z, every circuit ignores some of its inputs, e.g. ")
    assert text.endswith(" weights; remove the value.")


def test_circuits_that_all_ignore_their_inputs():
    (text,) = mistakes(space(encoding=choice(angle=dict(axis="z"))))
    assert text.startswith("every circuit ignores some of its inputs, e.g. ")
    assert text.endswith("; change the encoding, the layers or the readout.")


def test_circuits_that_ignore_all_of_their_weights():
    """RZ and CZ commute with what is read."""
    found = mistakes(space(encoding="angle", layers=layers(rotation="rz", entangler="cz")))
    assert found == [
        "every circuit ignores all of its weights, e.g. 0 of 3 inputs and 6 of 6 weights; change the encoding, the "
        "layers or the readout."
    ] or found[0].startswith("every circuit ignores all of its weights, e.g. 0 of ")


def test_what_some_circuits_ignore_is_a_note():
    found = inspected(space(readout=choice("z", "z_first"), layers=layers(rotation=choice("ry", "ry_rz"))))
    assert found.mistakes == ()
    inputs, weights = found.notes
    assert inputs.endswith("of them on average.") and " designs the circuit ignores some of its inputs, " in inputs
    assert " designs the circuit ignores some of its weights, " in weights


# --- designs that cannot be built, and budgets ------------------------------------------------------------------------


def test_a_part_that_does_not_exist():
    (text,) = mistakes(space(coupling=choice("serial", "seriall")))
    assert " of 16 designs cannot be built, all with coupling = seriall: unknown coupling 'seriall': did you" in text
    assert text.endswith("; correct them, or exclude them with where().")


def test_values_that_do_not_go_together():
    (text,) = mistakes(space(n_qubits=integer(1, 3), readout=choice("z", "zz")))
    assert " of 16 designs cannot be built: the readout 'zz' needs at least 2 qubits, but n_qubits is 1" in text


def test_a_part_that_is_rarely_drawn():
    """A value of a large gene is built whether or not it is drawn at random."""
    widths = [(k,) for k in range(1, 50)]
    (text,) = mistakes(space(hidden=choice(*widths, ("80",))), seed=1)
    assert text.startswith("some designs cannot be built, all with hidden = 80: ")


def test_a_key_that_nothing_reads():
    (text,) = mistakes(space(hiden=(8,)))
    assert text.startswith("16 of 16 designs cannot be built: unknown value of the architecture, 'hiden': did you mean")


def test_an_option_that_nothing_reads():
    (text,) = mistakes(space(encoding=choice(angle=dict(axes=choice("x", "y")), dense_angle={})))
    assert "all with encoding = angle: unknown option of the encoding 'angle', 'axes': did you mean 'axis'?" in text


def test_a_part_that_raises(monkeypatch):
    monkeypatch.setattr(couplings, "_parts", dict(couplings._parts))

    @qnas.coupling("raising")
    def raising(parts):
        return 1 / 0

    (text,) = mistakes(space(coupling=choice("serial", "raising")))
    assert "cannot be built, all with coupling = raising: ZeroDivisionError: division by zero; correct" in text


def test_the_most_frequent_reasons_come_first():
    found = mistakes(space(coupling=choice("serial", *(f"nosuch_{k}{letter}" for k, letter in enumerate("abcdefg")))))
    shares = [int(text.split()[0]) for text in found if text.split()[0].isdigit()]
    assert len(found) == 5 and shares == sorted(shares, reverse=True)


def test_a_budget_that_no_design_meets():
    (text,) = mistakes(space().within(flops=3, qubits=4))
    assert text.startswith("none of 96 designs drawn can be searched: the budget flops excluded 96 (at best: flops is ")
    assert text.endswith(", over the budget of 3); raise the budget, or change the space or the data.")


def test_data_that_no_design_takes():
    (text,) = mistakes(space(n_qubits=2, encoding="angle", coupling="quantum", hidden=()))
    assert "designs drawn can be searched: the number of features excluded" in text


def test_a_budget_that_some_designs_meet_is_a_note():
    found = inspected(space().within(n_parameters=40))
    assert found.mistakes == ()
    assert "designs drawn, the budget n_parameters excluded " in found.notes[0]
    assert found.notes[0].endswith("; a search passes over them.")
