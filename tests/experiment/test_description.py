"""What a design costs, counted and measured without a search."""

import numpy as np
import pytest
import torch

import qnas
from qnas.architecture import Architecture
from qnas.data import DataSettings
from qnas.experiment import description
from qnas.experiment.description import describe
from qnas.experiment.evaluation import splits_of
from qnas.launch import compose
from qnas.model.hybrid import build_model
from qnas.model.training import TrainingSettings

IRIS = splits_of(DataSettings("iris"))
LAYERS = ({"rotation": "ry_rz", "entangler": "crx", "topology": "line"},)


def described(budgets=None, training="end_to_end", width=100, **changes):
    values = {"n_qubits": 3, "encoding": "angle", "layers": LAYERS, "coupling": "serial", "hidden": ()}
    found = Architecture(values | changes)
    return describe(found, IRIS, TrainingSettings(training), budgets=budgets or {}, width=width)


def test_what_a_design_costs():
    found = described()
    cost = found.cost
    assert (cost.n_qubits, cost.depth, cost.n_two_qubit_gates, cost.n_larger_gates) == (3, 5, 2, 0)
    assert (cost.n_weights, cost.n_live_weights) == (8, 7), "the RZ of qubit 0 commutes with all that follows"
    assert cost.n_parameters == build_model(found.architecture, 4, 3, seed=0).n_parameters
    assert cost.flops == qnas.flops(found.architecture, 4, 3)
    assert cost.n_steps == 25 * -(-len(IRIS.train.features) // 32) and cost.seconds_per_step > 0
    assert found.remarks == ("the readout does not depend on 1 of 8 circuit weights",)
    assert "Rx(w[6])" in found.circuit


def test_its_lines():
    cost = described().cost
    flops = cost.flops
    circuit, weights, operations, training = cost.lines()
    assert circuit == "circuit: 3 qubits, depth 5, 2 two-qubit gates"
    assert weights == f"weights: {cost.n_parameters}; 8 in circuits, {cost.n_live_weights} of these live"
    assert operations == (
        f"FLOPs of a sample: {flops.total:,} ({flops.encoding} encoding, {flops.circuit:,} circuit, {flops.readout} "
        f"readout, {flops.classical} classical); {flops.training_step:,} in training"
    )
    whole = f"{cost.seconds_per_step * cost.n_steps:.1f} s for {cost.n_steps} steps"
    assert training == f"training: {1000 * cost.seconds_per_step:.1f} ms a step here, {whole}"


def test_gates_on_more_than_two_qubits_are_told_apart():
    amplitude = described(encoding="amplitude")
    assert (amplitude.cost.n_two_qubit_gates, amplitude.cost.n_larger_gates) == (2, 1)
    assert amplitude.cost.lines()[0].endswith(" 2 two-qubit gates and 1 larger")


def test_a_mixture_has_several_circuits():
    one, two = described(), described(coupling={"name": "density", "n_circuits": 2})
    assert (two.cost.n_circuits, two.cost.n_weights, two.cost.n_live_weights) == (2, 16, 14)
    assert (two.cost.depth, two.circuit) == (one.cost.depth, one.circuit)
    assert two.cost.lines()[0] == "2 circuits: 3 qubits, depth 5, 2 two-qubit gates"


def test_the_control_has_no_circuit():
    found = described(coupling="classical")
    assert (found.circuit, found.remarks) == ("", ())
    assert (found.cost.n_qubits, found.cost.depth, found.cost.n_weights, found.cost.n_two_qubit_gates) == (0, 0, 0, 0)
    assert found.cost.lines()[:2] == ["circuit: none", f"weights: {found.cost.n_parameters}"]


def test_a_design_that_cannot_be_built():
    found = described(coupling="nosuch")
    assert (found.circuit, found.cost) == ("", None)
    assert found.remarks[0].startswith("it cannot be built: unknown coupling 'nosuch': ")


def test_a_design_over_a_budget_is_shown_with_its_cost():
    found = described(budgets={"flops": 3, "qubits": 8})
    assert found.cost.flops.total > 3
    assert found.remarks[-1] == f"flops is {found.cost.flops.total:,}, over the budget of 3"


def test_a_design_that_does_not_run(monkeypatch):
    monkeypatch.setattr(description, "loss_function", lambda task: lambda outputs, targets: 1 / 0)
    found = described()
    assert found.cost is None and found.circuit
    assert found.remarks[-1] == "ZeroDivisionError: division by zero"


def test_a_circuit_alone():
    found = described(training="pqc", n_qubits=4, layers=())
    assert (found.cost.n_parameters, found.cost.n_weights) == (0, 0)
    assert described(training="pqc").remarks[0].startswith("it cannot be built: the encoding 'angle' on 3 qubits takes")


@pytest.mark.parametrize(("seconds", "n_timed"), [(0.01, 6), (0.2, 3), (9.0, 1)])
def test_few_steps_are_timed_if_they_take_long(monkeypatch, seconds, n_timed):
    clock = iter(np.cumsum([0.0, seconds] * 40))
    monkeypatch.setattr(description.time, "perf_counter", lambda: next(clock))
    before = torch.get_num_threads()
    assert described().cost.seconds_per_step == pytest.approx(seconds)
    assert next(clock) == pytest.approx(seconds * n_timed)
    assert torch.get_num_threads() == before


def test_designs_are_described_for_the_default_configuration():
    config = compose()
    assert (config.data, config.training) == (DataSettings(), TrainingSettings())
