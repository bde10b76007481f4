"""The suite of objectives: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import numpy as np
import pytest
import torch

from qnas.errors import DesignError
from qnas.objectives import Estimate, objective, objectives
from qnas.testing import ObjectiveConformance
from tests.testing.bundled import suites
from tests.testing.failing import failures

OPTIONS = {
    "entangling_capability": [{"n_samples": 20}],
    "expressibility": [{"n_pairs": 50}],
    "frame_potential": [{"n_pairs": 50}],
    "noisy_accuracy": [{"n_shots": 20}],
    "trainability": [{"n_starts": 8}],
}

globals().update(suites(ObjectiveConformance, objectives, OPTIONS))


def failing(measure, *, unit="points", cost="circuit", **attributes):
    """The failures of an objective on one design, or as the attributes say."""
    objective("minimize", unit, cost=cost, name="mine")(measure)
    return failures(ObjectiveConformance, **{"name": "mine", "design": ("classification",), **attributes})


def n_gates(design, *, weight: float = 1.0):
    return weight * design.circuit.size()


def test_a_good_objective_passes():
    assert failing(n_gates, options=[{}, {"weight": 2.0}]) == {}
    assert failing(lambda design: Estimate(1, 0.0, {"a": np.ones(2)})) == {}
    assert failing(lambda design: float(design.rng("mine").normal())) == {}
    assert failing(lambda design: design.trained.curve[-1].train_loss, cost="trained") == {}


def test_changes_of_the_architecture():
    assert failing(lambda design: 10 - design.circuit.num_qubits, changes={"n_qubits": 2}) == {}
    found = failing(lambda design: 1 / (design.circuit.num_qubits - 2), changes={"n_qubits": 2})
    assert found["its_values_are_numbers"] == "ZeroDivisionError: division by zero"


def test_an_objective_without_a_unit():
    found = failing(n_gates, unit=" ")
    assert list(found) == ["it_says_what_it_measures"]
    assert "the objective 'mine' has no unit; say in what its values are counted." in found.popitem()[1]


def test_an_option_without_a_default():
    found = failing(lambda design, *, weight: weight)
    assert "has options without a default: weight; give each one." in found["it_says_what_it_measures"]


def test_options_that_it_does_not_take():
    found = failing(n_gates, options=[{"weigth": 1}])
    text = "mine' with weigth=1: unknown key of objectives.options.mine, 'weigth': did you mean 'weight'?"
    assert text in found["it_says_what_it_measures"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "of the design 'classification' is nan; return a finite number"),
        (np.inf, "is inf; return a finite number"),
        (Estimate(np.float64(np.nan)), "is np.float64(nan); return a finite number"),
        (Estimate(1.0, -0.1), "has the standard error -0.1; give a number of at least 0, or None"),
        (Estimate(1.0, float("nan")), "has the standard error nan; give"),
        (Estimate(1.0, None, {"circuit": object()}), "has details that JSON cannot carry: JSON cannot carry a object"),
    ],
)
def test_values_that_are_no_numbers(value, text):
    assert text in failing(lambda design: value)["its_values_are_numbers"]


def test_randomness_of_its_own():
    rng = np.random.default_rng(0)
    found = failing(lambda design: float(rng.normal()))["a_design_has_one_value"]
    assert "of the design 'classification' has another value in another process; draw from design.rng(purpose)" in found


def test_a_value_that_changes_when_it_is_measured_again():
    def counted(design):
        design.calls = getattr(design, "calls", 0) + 1
        return design.calls

    found = failing(counted)
    assert list(found) == ["a_design_has_one_value"]
    assert "of the design 'classification' has another value when it is measured again" in found.popitem()[1]


def test_global_seeds():
    def seeding(design):
        torch.manual_seed(0)
        return float(torch.rand(()))

    with torch.random.fork_rng(devices=[]):
        found = failing(seeding)
    assert "changes the random numbers of torch of the whole process" in found["a_design_has_one_value"]


@pytest.mark.parametrize(
    "change",
    [
        lambda model: next(model.parameters()).data.mul_(2),
        lambda model: model.eval(),
        lambda model: model.requires_grad_(False),
    ],
)
def test_a_changed_model(change):
    def measure(design):
        change(design.trained.model)
        return 1.0

    found = failing(measure, cost="trained")
    assert "changes the trained model; work on design.initial_model() or a copy" in found["it_leaves_the_model_alone"]


def test_training_at_the_price_of_a_circuit():
    found = failing(lambda design: float(design.trained.outputs.sum()), cost="states")
    assert list(found) == ["it_trains_only_if_it_says_so"]
    assert "trains the model; declare it with cost='trained', or use design.initial_model()." in found.popitem()[1]


def test_a_look_at_the_test_split():
    found = failing(lambda design: float(np.isnan(design.splits.test.features).sum()))
    assert list(found) == ["it_does_not_see_the_test_split"]
    assert "depends on the test split; use design.splits.train or" in found.popitem()[1]


def refusing(design):
    if design.splits.task == "classification":
        raise DesignError("it is for regression.")
    return 1.0


def test_designs_that_are_refused_are_skipped():
    assert failing(refusing, design=("classification", "regression")) == {}


def test_an_objective_that_measures_nothing_fails():
    found = failing(refusing)
    assert list(found) == ["it_measures_a_design"]
    assert "measures none of its designs (it is for regression.); set changes of the suite" in found.popitem()[1]
