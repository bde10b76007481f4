"""One evaluation: its randomness, its states, and what it leaves as it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from qnas.config import ObjectiveSettings
from qnas.data import DataSettings
from qnas.errors import DesignError, MemoryBudgetError
from qnas.experiment.evaluation import State, Task, evaluate, failure, plain_number, single_thread, splits_of
from qnas.model.training import Stretch, TrainingSettings
from qnas.objectives import Objective, objectives
from qnas.simulation import SimulationSettings
from qnas.space import load_space
from tests.experiment.runs import MISHAPS, SPACE

space = load_space(str(SPACE))
architecture = next(one for one in space.architectures() if len(one.layers) == 1)
NAMES = ["accuracy", "expressibility", "trainability", "flops"]
OPTIONS = {"expressibility": {"n_pairs": 50}, "trainability": {"n_starts": 4}}


def task(names=NAMES, options=OPTIONS, **changes):
    objectives = ObjectiveSettings(names=list(names), options={k: v for k, v in options.items() if k in names})
    settings = DataSettings("iris"), objectives, SimulationSettings(), TrainingSettings(epochs=1)
    return replace(Task(architecture, str(SPACE), *settings, seed=0), **changes)


def mishap(kind, **options):
    objectives = ObjectiveSettings(["flops"], [str(MISHAPS)], {"mishap": {"kind": kind, **options}})
    return evaluate(task(objectives=objectives))


def outcome(evaluation):
    """All but the wall-clock."""
    return replace(evaluation, seconds=0.0)


def test_a_complete_evaluation_has_every_value_and_the_weights():
    found = evaluate(task())
    assert found.complete and found.state is State.COMPLETE and found.reason == ""
    assert set(found.values) == set(NAMES)
    assert set(found.errors) == {"accuracy", "expressibility", "trainability"}
    assert found.n_parameters > found.n_live_weights > 0
    assert found.weights and found.seconds > 0


def test_live_weights_are_those_of_all_circuits():
    one, three = (
        evaluate(task(["flops"], architecture=architecture.replace(coupling=coupling)))
        for coupling in ("serial", {"name": "density", "n_circuits": 3})
    )
    assert three.n_live_weights == 3 * one.n_live_weights > 0


def test_only_an_evaluation_that_trains_has_weights():
    assert evaluate(task(["flops", "expressibility"])).weights is None


def test_the_same_task_gives_the_same_evaluation_whatever_came_before():
    first = evaluate(task())
    evaluate(task(seed=5, architecture=space.sample(3)))
    with torch.random.fork_rng():
        torch.manual_seed(99)
        again = evaluate(task())
    assert outcome(again) == outcome(first)


def test_an_objective_does_not_depend_on_the_others_nor_on_their_order():
    every = evaluate(task())
    turned = evaluate(task(NAMES[::-1]))
    assert (turned.values, turned.errors) == (every.values, every.errors)
    for name in NAMES:
        assert evaluate(task([name])).values == {name: every.values[name]}


@pytest.mark.parametrize("change", [{"seed": 1}, {"repeat": 1}])
def test_seed_and_repeat_draw_anew(change):
    one, other = evaluate(task()), evaluate(task(**change))
    assert one.values["flops"] == other.values["flops"]
    assert one.values["expressibility"] != other.values["expressibility"]
    assert one.values["trainability"] != other.values["trainability"]
    assert one.weights != other.weights


def test_shots_are_drawn_by_seed_and_repeat_and_counted():
    def on_shots(**changes):
        return evaluate(task(["accuracy"], simulation=SimulationSettings("shots", n_shots=16), **changes))

    first = on_shots()
    spent = first.details["simulation"]
    assert spent["n_shots"] == 16 * spent["n_circuits"] > 0
    assert outcome(on_shots()) == outcome(first)
    assert on_shots(repeat=1).weights != first.weights
    assert "simulation" not in evaluate(task(["accuracy"])).details


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only", "pqc"])
def test_on_shots_no_objective_changes_what_training_draws(configuration):
    def on_shots(names):
        simulation, training = SimulationSettings("shots", n_shots=16), TrainingSettings(configuration, epochs=1)
        data = DataSettings("iris", n_samples=30, n_components=2)
        found = evaluate(task(names, data=data, simulation=simulation, training=training))
        return found.values["accuracy"], found.errors["accuracy"], found.weights, found.details["simulation"]

    alone = on_shots(["accuracy"])
    for others in (["flops"], ["flops", "expressibility"], ["expressibility", "trainability"]):
        assert on_shots(["accuracy", *others]) == alone


def test_what_needs_no_training_is_exact_and_spends_no_shots():
    names = ["flops", "expressibility", "trainability"]
    found = evaluate(task(names, simulation=SimulationSettings("shots", n_shots=16)))
    assert found.values == evaluate(task(names)).values
    assert "simulation" not in found.details


def test_a_backend_that_is_too_small_makes_the_design_invalid():
    settings = SimulationSettings("noisy", backend_qubits=1)
    found = evaluate(task(["flops"], simulation=settings))
    assert found.state is State.INVALID
    assert "but the backend 'generic' has 1; choose a larger one" in found.reason


def test_the_seed_is_noted():
    assert evaluate(task(["flops"], seed=12)).seed == 12


@pytest.mark.parametrize(
    ("kind", "state", "sentence"),
    [
        ("error", State.ERROR, "mishap: ValueError: the mishap struck"),
        ("not_a_number", State.NOT_A_NUMBER, "mishap: the value is nan."),
        ("infinity", State.NOT_A_NUMBER, "mishap: the value is -inf."),
        ("memory", State.OUT_OF_MEMORY, "mishap: MemoryError"),
        ("torch_memory", State.OUT_OF_MEMORY, "allocate"),
        ("nothing", State.ERROR, "mishap: Type"),
        ("exit", State.ERROR, "mishap: SystemExit: no more"),
        ("panic", State.ERROR, "mishap: Panic: the core gave up"),
        ("details", State.ERROR, "mishap: TypeError: JSON cannot carry a TextIOWrapper"),
    ],
)
def test_what_goes_wrong_is_a_state_with_a_sentence(kind, state, sentence, capsys):
    with capsys.disabled():  # so that sys.stdout is what it is outside of tests
        found = mishap(kind)
    assert not found.complete and found.state is state
    assert sentence in found.reason.splitlines()[0]
    assert found.values == {"flops": found.values["flops"]}, "what was measured before stays"
    assert found.n_parameters > 0 and found.seed == 0


@pytest.mark.parametrize("kind", ["error", "nothing", "details"])
def test_an_error_keeps_its_traceback_and_the_name_of_the_objective(kind):
    reason = mishap(kind).reason
    assert reason.startswith("mishap: ") and "Traceback (most recent call last)" in reason


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [("usage", "mishap: give it more."), ("design", "mishap: no such part."), ("circuit", "mishap: no such gate.")],
)
def test_an_error_of_qnas_in_an_objective_says_nothing_about_the_design(kind, sentence):
    found = mishap(kind)
    assert (found.state, found.reason) == (State.ERROR, sentence)


def test_ctrl_c_in_an_objective_is_no_failure():
    with pytest.raises(KeyboardInterrupt):
        mishap("interrupt")


def test_a_design_that_cannot_be_built_is_invalid():
    found = evaluate(task(["flops"], data=DataSettings("wine"), training=TrainingSettings("pqc", epochs=1)))
    assert (found.state, found.values) == (State.INVALID, {})
    assert "features" in found.reason and "Traceback" not in found.reason


def test_a_design_of_an_unknown_part_is_invalid():
    found = evaluate(task(["flops"], architecture=architecture.replace(coupling="nosuch")))
    assert (found.state, found.values) == (State.INVALID, {})
    assert found.reason.startswith("unknown coupling 'nosuch': ")


def test_what_its_process_cannot_load_says_nothing_about_a_design(tmp_path):
    """Such as a file that a worker on another machine does not have; the search itself has loaded it."""
    found = evaluate(task(data=DataSettings("file", path=str(tmp_path / "nosuch.csv"))))
    assert (found.state, found.values) == (State.LOST, {}) and not found.state.about_design
    assert found.reason.startswith("its process cannot load the space, the objectives or the data: ")
    assert "nosuch.csv" in found.reason and "Traceback" not in found.reason


def test_a_design_over_the_memory_budget_is_out_of_memory():
    found = evaluate(task(architecture=architecture.replace(n_qubits=50)))
    assert found.state is State.OUT_OF_MEMORY
    assert "50 qubits needs 240 PiB" in found.reason


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (MemoryBudgetError("too large"), State.OUT_OF_MEMORY),
        (DesignError("no such network"), State.ERROR),
        (FloatingPointError("the loss became nan"), State.NOT_A_NUMBER),
        (RuntimeError("something else"), State.ERROR),
    ],
)
def test_the_state_of_an_error(error, state):
    assert failure(error)[0] is state
    assert str(error) in failure(error)[1]


def test_which_states_say_something_about_the_design():
    assert {state for state in State if not state.about_design} == {State.LOST, State.OUT_OF_MEMORY, State.OUT_OF_TIME}


def test_numbers_and_details_of_numpy_become_plain():
    found = mishap("numpy")
    assert (type(found.values["mishap"]), type(found.errors["mishap"])) == (float, float)
    assert found.details["mishap"] == {"array": [0, 1], "pair": [1, None]}


@pytest.mark.parametrize(
    ("value", "plain"), [(7, 7), (np.int64(7), 7), (0.1, 0.1), (np.float32(0.5), 0.5), (torch.tensor(2.5), 2.5)]
)
def test_a_count_stays_an_integer_and_anything_else_is_a_float(value, plain):
    found = plain_number(value)
    assert (type(found), found) == (type(plain), plain)


def test_an_evaluation_runs_on_one_thread_and_gives_the_others_back():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert mishap("threads").values["mishap"] == 1
        assert torch.get_num_threads() == 3
        mishap("error")
        assert torch.get_num_threads() == 3
        with single_thread():
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_splits_are_loaded_once():
    assert splits_of(DataSettings("iris")) is splits_of(DataSettings("iris"))


def test_splits_are_loaded_again_once_a_file_of_theirs_has_changed(tmp_path):
    path = tmp_path / "mine.csv"
    settings = DataSettings("file", path=str(path))
    path.write_text("\n".join(["a,y", *(f"{k},{k % 2}" for k in range(20))]))
    before = splits_of(settings)
    assert splits_of(settings) is before
    path.write_text("\n".join(["a,b,y", *(f"{k},{-k},{k % 2}" for k in range(20))]))
    assert (before.n_features, splits_of(settings).n_features) == (1, 2)


# --- constraints before training, and training in stretches ---------------------------------------------------


def constrained(*constraints, names=NAMES):
    return ObjectiveSettings(
        list(names), options={k: OPTIONS[k] for k in names if k in OPTIONS}, constraints=[*constraints]
    )


def test_what_breaks_a_constraint_is_not_trained(monkeypatch):
    monkeypatch.setattr("qnas.objectives.design.train", lambda *_: pytest.fail("trained"))
    found = evaluate(task(objectives=constrained("flops <= 10", "expressibility <= 100", "accuracy >= 0.9")))
    assert found.state is State.EXCLUDED and not found.complete and found.state.about_design
    assert set(found.values) == {"expressibility", "trainability", "flops"}
    assert found.reason == f"flops is {found.values['flops']}, not flops <= 10."
    assert found.weights is None


def test_what_meets_the_constraints_is_trained_whatever_they_say_of_training():
    found = evaluate(task(objectives=constrained("flops <= 1e6", "accuracy >= 2")))
    assert found.complete and found.values == evaluate(task()).values


def test_a_design_that_needs_no_training_is_complete_though_it_breaks_a_constraint():
    found = evaluate(task(objectives=constrained("flops <= 10", names=["flops"])))
    assert found.complete and found.values["flops"] > 10


def test_a_stopped_evaluation_is_taken_up_again_without_measuring_anew(monkeypatch):
    training = TrainingSettings(epochs=3)
    whole = evaluate(task(training=training))
    stopped = evaluate(task(training=training, stretch=Stretch(until=1)))
    assert (stopped.stopped_at, whole.stopped_at) == (1, None)
    assert stopped.checkpoint and whole.checkpoint is None
    assert len(stopped.details["accuracy"]["learning_curve"]) == 1
    for name in ("expressibility", "trainability"):
        again = Objective(name, "minimize", "", "states", lambda design: pytest.fail("measured again"))
        monkeypatch.setitem(objectives._parts, name, again)
    taken_up = evaluate(
        task(options={}, training=training, stretch=Stretch(1, None, stopped.checkpoint), begun=stopped)
    )
    assert taken_up.seconds > stopped.seconds
    assert outcome(taken_up) == outcome(whole)


def test_a_training_that_comes_to_its_own_end_is_not_stopped():
    training = TrainingSettings(epochs=40, patience=1, learning_rate=0.5)
    whole = evaluate(task(["accuracy"], training=training))
    n_epochs = len(whole.details["accuracy"]["learning_curve"])
    assert n_epochs < 40
    stopped, at_its_end, after = (
        evaluate(task(["accuracy"], training=training, stretch=Stretch(until=n_epochs + k))) for k in (-1, 0, 1)
    )
    assert (stopped.stopped_at, at_its_end.stopped_at, after.stopped_at) == (n_epochs - 1, None, None)
    assert outcome(at_its_end) == outcome(after) == outcome(whole)
    assert stopped.checkpoint and at_its_end.checkpoint is None


def test_a_failure_after_a_stretch_is_final():
    settings = ObjectiveSettings(["flops", "accuracy"], [str(MISHAPS)], {"mishap": {"kind": "error"}})
    found = evaluate(task(objectives=settings, stretch=Stretch(until=1)))
    assert found.state is State.ERROR and found.stopped_at is None
