"""Which designs a run may evaluate: networks are told apart, and those over a budget left out before any training."""

import numpy as np
import pytest

import qnas
from qnas.architecture import Architecture
from qnas.data import DataSettings
from qnas.errors import DesignError, OutputCountError, OverBudgetError, TooManyFeaturesError
from qnas.experiment import candidates as room
from qnas.experiment.candidates import Candidates, check_candidate, exclusions
from qnas.experiment.evaluation import splits_of
from qnas.model.training import TrainingSettings, effective
from qnas.space import Space, choice, integer, load_space
from tests.experiment.runs import SPACE

IRIS = splits_of(DataSettings("iris"))
LAYERS = ({"rotation": "ry", "entangler": "cx", "topology": "line"},)


def architecture(**changes):
    values = {"n_qubits": 3, "encoding": "angle", "layers": LAYERS, "coupling": "serial", "hidden": ()}
    return Architecture(values | changes)


def check(found, training="end_to_end", **budgets):
    check_candidate(budgets, found, IRIS, TrainingSettings(training))


def test_a_part_that_raises_does_not_end_the_asking():
    broken = Space(n_qubits=2, encoding=choice(nosuch={}, angle={}), layers=())
    candidates = Candidates(broken.within(flops=1), IRIS, TrainingSettings("pqc"))
    fingerprints = [candidates.network_of(np.array([code])) for code in (0, 1)]
    assert fingerprints == [effective(broken.decode(np.array([0])), "pqc").fingerprint, None]


def test_without_budgets_nothing_is_built(monkeypatch):
    monkeypatch.setattr(room, "Design", lambda *_: pytest.fail("built"))
    check(architecture())
    space = load_space(str(SPACE))
    assert Candidates(space, IRIS, TrainingSettings()).network_of(space.random_genotype(np.random.default_rng(0)))


def test_a_network_is_judged_once(monkeypatch):
    judged = []
    monkeypatch.setattr(room, "check_candidate", lambda budgets, one, *_: judged.append(one.fingerprint))
    space = Space(n_qubits=2, topology=choice("line", "ring"), unread=integer(1, 2)).within(qubits=3)
    candidates = Candidates(space, IRIS, TrainingSettings())
    asked = [candidates.network_of(np.array(codes)) for codes in ([0, 0], [0, 1], [0, 0], [0, 1])]
    assert judged == asked[:2] and asked[:2] == asked[2:]


def test_the_bound_itself_is_within_the_budget():
    """RY and RY on 3 qubits, 2 CX, and maps 4 -> 3 -> 3."""
    weights = 3 + (4 + 1) * 3 + (3 + 1) * 3
    counts = {"qubits": 3, "depth": 4, "n_parameters": weights, "flops": qnas.flops(architecture(), 4, 3).total}
    for name, count in counts.items():
        check(architecture(), **{name: count})
        with pytest.raises(OverBudgetError, match=f"^{name} is {count}, over the budget of {count - 1}"):
            check(architecture(), **{name: count - 1})


def test_a_circuit_over_a_budget_is_not_simulated(monkeypatch):
    """At 26 qubits one state takes a gibibyte."""
    monkeypatch.setattr(room, "Design", lambda *_: pytest.fail("built"))
    wide = architecture(n_qubits=26)
    for budgets, said in (
        ({"qubits": 25}, r"qubits is 26, over the budget of 25\.$"),
        ({"depth": 26}, r"depth is 27, over the budget of 26\.$"),
        ({"n_parameters": 25}, r"n_parameters is at least 26, over the budget of 25\.$"),
        ({"flops": 1e9}, r"flops is at least [\d,]+, over the budget of 1e9\.$"),
    ):
        with pytest.raises(OverBudgetError, match=said):
            check(wide, **budgets)


def test_the_control_has_no_circuit_to_be_over_a_budget():
    check(architecture(coupling="classical"), qubits=0, depth=0)
    with pytest.raises(OverBudgetError, match="qubits is 3"):
        check(architecture(), qubits=0)


def test_the_configuration_that_is_trained_is_what_is_counted():
    check(architecture(n_qubits=4), training="pqc", n_parameters=4)
    with pytest.raises(OverBudgetError, match="n_parameters is 39, over the budget of 4"):
        check(architecture(n_qubits=4), n_parameters=4)
    with pytest.raises(TooManyFeaturesError, match="at most 3 features"):
        check(effective(architecture(), "pqc"), training="pqc", n_parameters=4)


def test_outputs_that_a_readout_cannot_give():
    """Ten classes, where 3 qubits have 8 basis states; a readout that can give no number of them is another matter."""
    digits, settings = splits_of(DataSettings("digits")), TrainingSettings()
    with pytest.raises(OutputCountError, match="into at most 8 blocks, but there are 10 outputs; use more qubits"):
        check_candidate({}, architecture(readout="probabilities"), digits, settings)
    check_candidate({}, architecture(readout="probabilities"), IRIS, settings)
    check_candidate({}, architecture(readout="probabilities", n_qubits=4), digits, settings)
    with pytest.raises(DesignError, match="unknown partition") as error:
        check_candidate({}, architecture(readout={"name": "probabilities", "partition": "x"}), digits, settings)
    assert type(error.value) is DesignError


def test_what_excluded_how_many_with_the_nearest_miss():
    errors = [
        OverBudgetError("flops is 90, over the budget of 30.", "flops", 3.0),
        OverBudgetError("qubits is 1, over the budget of 0.", "qubits", float("inf")),
        TooManyFeaturesError("it takes 3, but the data have 4."),
        OutputCountError("it gives 3, but the data have 4."),
        OverBudgetError("flops is 60, over the budget of 30.", "flops", 2.0),
    ]
    assert exclusions(errors) == (
        "the budget flops excluded 2 (at best: flops is 60, over the budget of 30); the budget qubits excluded 1 (at "
        "best: qubits is 1, over the budget of 0); the number of features excluded 1 (at best: it takes 3, but the "
        "data have 4); the number of outputs excluded 1 (at best: it gives 3, but the data have 4)"
    )
    assert all(isinstance(error, DesignError) for error in errors) and exclusions([]) == ""
