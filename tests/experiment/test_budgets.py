"""Designs over a budget are rejected with a sentence before they are trained."""

import sys

import pytest

from qnas.errors import OverBudgetError, SpaceError
from qnas.experiment.budgets import check_budgets, check_circuit
from qnas.experiment.evaluation import State, evaluate
from qnas.objectives import Design
from qnas.space import load_space
from tests.experiment.runs import SPACE
from tests.experiment.test_evaluation import architecture, splits_of, task

space = load_space(str(SPACE))
NAMES = ["accuracy", "flops"]


def evaluated(tmp_path, **budgets):
    path = tmp_path / "bounded.json"
    path.write_text(space.within(**budgets).to_json())
    return evaluate(task(NAMES, space=str(path)))


@pytest.mark.parametrize("name", ["qubits", "n_parameters", "flops", "depth"])
def test_a_design_at_its_budget_is_trained_and_one_over_it_is_not(tmp_path, name):
    settings = task()
    design = Design(architecture, splits_of(settings.data), settings.training)
    counts = {
        "qubits": 2, "n_parameters": design.initial_model().n_parameters,
        "flops": evaluate(task(["flops"])).values["flops"], "depth": design.circuit.depth(),
    }  # fmt: skip
    assert evaluated(tmp_path, **{name: counts[name]}).complete
    found = evaluated(tmp_path, **{name: counts[name] - 1})
    assert (found.state, found.values, found.weights) == (State.INVALID, {}, None)
    assert found.reason == f"{name} is {counts[name]}, over the budget of {counts[name] - 1}."
    assert found.n_parameters == counts["n_parameters"]


@pytest.mark.parametrize("readout", ["z", "probabilities", "pauli_mixture"])
@pytest.mark.parametrize("coupling", ["serial", {"name": "density", "n_circuits": 2}])
def test_parts_with_options_are_over_a_budget_by_their_circuit_alone(readout, coupling):
    made = architecture.replace(readout=readout, coupling=coupling)
    with pytest.raises(OverBudgetError, match=r"flops is at least \d+, over the budget of 10\."):
        check_circuit({"flops": 10}, made, 4, 3)
    check_circuit({"flops": 10}, made.replace(coupling="classical"), 4, 3)


@pytest.mark.parametrize(
    ("value", "bound", "sentence"),
    [
        (1_200_000, 1e6, "flops is 1.2e6, over the budget of 1e6."),
        (1_000_001, 1_000_000, "flops is 1,000,001, over the budget of 1e6."),
        (2.5e10, 2e10, "flops is 2.5e10, over the budget of 2e10."),
        (9, 8.5, "flops is 9, over the budget of 8.5."),
    ],
)
def test_the_sentence_shows_all_that_matters(tmp_path, monkeypatch, value, bound, sentence):
    monkeypatch.setattr(sys.modules["qnas.objectives.flops"], "_flops", lambda builder: Counted(value))
    assert evaluated(tmp_path, flops=bound).reason == sentence


class Counted:
    encoding = circuit = readout = classical = training_step = 0

    def __init__(self, total):
        self.total = total


@pytest.mark.parametrize("name", ["qbits", "accuracy", "parameters"])
def test_a_budget_that_cannot_be_counted_before_training_is_refused(name):
    settings = task()
    design = Design(architecture, splits_of(settings.data), settings.training)
    with pytest.raises(
        SpaceError, match=f"unknown budget '{name}': .*Allowed: depth, .*flops, .*n_parameters, .*qubits"
    ):
        check_budgets({name: 3}, design)
