"""Early stopping: the ladder of epochs, who climbs it, and searches that use it, cut short anywhere."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import qnas
from qnas.architecture import Architecture
from qnas.config import EarlyStoppingSettings
from qnas.errors import ConfigurationError
from qnas.experiment import executor as executor_room
from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import Ledger
from qnas.experiment.loop import run_search
from qnas.experiment.plan import check_run
from qnas.experiment.results import read_findings
from qnas.experiment.rungs import Extrapolation, Rungs
from qnas.launch import compose
from qnas.objectives import choose_objectives
from qnas.objectives.constraint import Constraint
from tests.experiment.runs import SMALL, front_without_seconds, records_without_seconds

OBJECTIVES = choose_objectives(["accuracy", "flops"])
HALVING = EarlyStoppingSettings("halving", first=2, factor=2)
JOB = (
    *(override for override in SMALL if not override.startswith("training")),
    "training.epochs=5",
    "early_stopping=halving",
    "early_stopping.first=1",
    "early_stopping.factor=2",
)


def evaluation(accuracy, flops=1, state=State.COMPLETE, scores=(0.5, 0.6), stopped_at=2):
    curve = [dict(validation_score=score, validation_loss=1 - score, train_loss=1 - score) for score in scores]
    details = {"accuracy": {"learning_curve": curve}}
    values = {"accuracy": accuracy, "flops": flops}
    return Evaluation(Architecture({"n_qubits": 1}), state, values, details=details, stopped_at=stopped_at)


def rungs(settings=HALVING, epochs=10, constraints=()):
    return Rungs(settings, epochs, OBJECTIVES, [Constraint.parse(text, ["accuracy", "flops"]) for text in constraints])


# --- the ladder -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "factor", "epochs", "stages"),
    [(3, 3, 25, [3, 9, None]), (2, 2, 10, [2, 4, 8, None]), (2, 2, 8, [2, 4, None]), (9, 3, 10, [9, None])],
)
def test_epochs_grow_by_the_factor(first, factor, epochs, stages):
    assert rungs(EarlyStoppingSettings("halving", first, factor), epochs).stages() == stages


def test_without_early_stopping_there_is_one_stage():
    assert rungs(EarlyStoppingSettings()).stages() == [None]


def test_the_best_share_by_fronts_and_crowding_goes_on():
    """Two fronts: 1, 3 and 4, of which 4 is the most crowded; then 0 and 2."""
    found = {
        0: evaluation(0.5, 30),
        1: evaluation(0.9, 40),
        2: evaluation(0.6, 35),
        3: evaluation(0.4, 10),
        4: evaluation(0.7, 20),
        5: evaluation(0.99, 1, State.NOT_A_NUMBER),
    }
    assert rungs().promoted(found, 6, 0) == [1, 3, 4]
    assert rungs().promoted(found, 6, 1) == [1, 3]
    assert rungs().promoted(found, 4, 0) == [1, 3]


def test_designs_that_meet_the_constraints_go_first():
    found = {0: evaluation(0.9, 40), 1: evaluation(0.1, 8), 2: evaluation(0.8, 20)}
    assert rungs(constraints=["flops <= 10"]).promoted(found, 2, 0) == [1]
    assert rungs(constraints=["flops <= 10"]).promoted(found, 4, 0) == [1, 2]


def test_nobody_goes_on_if_all_failed():
    assert rungs().promoted({0: evaluation(0.5, state=State.ERROR)}, 1, 0) == []


# --- what curves promise --------------------------------------------------------------------------------------


def test_extrapolation_trains_in_full_until_it_has_learnt():
    found = rungs(replace(HALVING, name="extrapolation"))
    for k in range(8):
        assert found.stages() == [None]
        found.learn(evaluation(k / 8, stopped_at=None))
        found.learn(evaluation(k / 8, stopped_at=2))
        found.learn(evaluation(k / 8, state=State.ERROR, stopped_at=None))
    assert found.stages() == [2, 4, 8, None]


def test_a_final_score_that_is_linear_in_the_curve_is_found():
    rng, learnt = np.random.default_rng(0), Extrapolation()
    curves = [
        [dict(zip(("validation_score", "validation_loss", "train_loss"), rng.random(3), strict=True)) for _ in range(6)]
        for _ in range(400)
    ]
    finals = [0.3 + 0.5 * curve[2]["validation_score"] - 0.2 * curve[2]["validation_loss"] for curve in curves]
    for curve, final in zip(curves[:-20], finals, strict=False):
        learnt.learn(curve, final)
    found = [learnt.final(curve[:3]) for curve in curves[-20:]]
    assert found == pytest.approx(finals[-20:], abs=2e-3)


def test_extrapolation_ranks_by_the_promise():
    """Designs that end well begin worse."""
    found = rungs(replace(HALVING, name="extrapolation"))
    for k in range(10):
        found.learn(evaluation(1 - k / 10, scores=(k / 20, k / 10, 1 - k / 10), stopped_at=None))
    slow, quick = evaluation(0.2, scores=(0.1, 0.2)), evaluation(0.8, scores=(0.4, 0.8))
    assert found.promoted({0: quick, 1: slow}, 2, 0) == [1]
    assert rungs().promoted({0: quick, 1: slow}, 2, 0) == [0]
    ended = {0: replace(quick, stopped_at=None), 1: replace(slow, stopped_at=None)}
    assert found.promoted(ended, 2, 0) == [0], "nothing is promised of a training that has ended"


# --- searches -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def halved(tmp_path_factory):
    return qnas.search([*JOB, f"run_dir={tmp_path_factory.mktemp('halved')}/run"])


def test_a_generation_is_halved_rung_by_rung(halved):
    found = read_findings(halved.path).evaluations
    for generation in (range(6), range(6, 12)):
        stopped = [found[k].stopped_at for k in generation]
        assert [stopped.count(epochs) for epochs in (1, 2, 4, None)] == [3, 1, 1, 1]
    lengths = {k: len(one.details["accuracy"]["learning_curve"]) for k, one in found.items()}
    assert all(lengths[k] == (one.stopped_at or 5) for k, one in found.items())
    assert not (halved.path / "checkpoints").exists()


@pytest.mark.slow
def test_the_front_does_not_depend_on_the_workers(halved, tmp_path):
    """A design that trains on may do so in another process."""
    result = qnas.search([*JOB, "executor=local", "executor.workers=2", f"run_dir={tmp_path}/run"])
    assert front_without_seconds(result.path) == front_without_seconds(halved.path)
    assert records_without_seconds(result.path) == records_without_seconds(halved.path)


def test_tables_mark_what_was_stopped(halved):
    table = halved.evaluations
    assert sorted(table["stopped_at"].dropna().astype(int)) == [1] * 6 + [2] * 2 + [4] * 2
    assert "stopped_at" in halved.front.columns
    assert "jamieson2016" in (halved.path / "references.bib").read_text()


def test_a_design_that_is_not_stopped_has_the_values_of_a_search_without(halved, tmp_path):
    rest = [override for override in JOB if not override.startswith("early_stopping")]
    whole = qnas.search([*rest, "search.generations=1", f"run_dir={tmp_path}/run"]).evaluations
    assert "stopped_at" not in whole.columns
    both = halved.evaluations.merge(whole, on="fingerprint")
    ended = both[both["stopped_at"].isna()]
    assert len(ended) >= 1
    for name in ("accuracy", "expressibility", "flops"):
        assert (ended[f"{name}_x"] == ended[f"{name}_y"]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("n_kept", "checkpoints"), [(3, True), (8, True), (9, False), (15, True)])
def test_cut_short_anywhere_it_ends_with_the_same_front(halved, tmp_path, n_kept, checkpoints):
    config = compose([*JOB, f"run_dir={tmp_path}/run"])
    folder = RunFolder.claim(config)
    lines = (halved.path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    born = next(k for k, line in enumerate(lines) if b'"fingerprint"' in line)
    folder.ledger_file.write_bytes(b"".join(lines[: born + n_kept]))
    shutil.copytree(halved.path / "weights", folder.weights, dirs_exist_ok=True)
    if checkpoints:
        shutil.copytree(_checkpoints(config, tmp_path, n_kept), folder.checkpoints)
    run_search(config)
    assert front_without_seconds(folder.path) == front_without_seconds(halved.path)
    assert records_without_seconds(folder.path) == records_without_seconds(halved.path)


def test_a_training_is_taken_up_where_the_ledger_says_that_it_stands(tmp_path, monkeypatch):
    """A kill may come between checkpoint and ledger; on shots, another start gives another end."""
    config = compose([*JOB, "search.generations=1", f"run_dir={tmp_path}/run"])
    folder, asked, append = RunFolder(tmp_path / "run"), [], Ledger.append

    def killed(ledger, design_id, evaluation):
        if evaluation.stopped_at == 2:
            raise KeyboardInterrupt
        append(ledger, design_id, evaluation)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Ledger, "append", killed)
        run_search(config)
    (unknown,) = folder.checkpoints.glob("*-2.pt")
    before = unknown.with_name(unknown.name.replace("-2.", "-1.")).read_bytes()
    evaluated = executor_room.evaluate
    monkeypatch.setattr(executor_room, "evaluate", lambda task: asked.append(task.stretch) or evaluated(task))
    run_search(config)
    assert (asked[0].since, asked[0].until, asked[0].checkpoint) == (1, 2, before)
    assert not folder.checkpoints.exists()


def _checkpoints(config, tmp_path, n_kept):
    """As a search leaves them that is killed once it has so many evaluations."""

    class Killer(qnas.Callbacks):
        def __init__(self):
            self.n = 0

        def on_evaluation(self, findings, design_id, *, known):
            self.n += 1
            if self.n == n_kept:
                raise KeyboardInterrupt

    killed = replace(config, run_dir=str(tmp_path / "killed"))
    with pytest.raises(KeyboardInterrupt):
        run_search(killed, Killer())
    return RunFolder(tmp_path / "killed").checkpoints


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["early_stopping.name=quarter"], "unknown value of early_stopping.name 'quarter'"),
        (["search=steady_state"], "halving ranks generations, which search=steady_state has not; choose another"),
        (["search=optuna", "search.window=1"], "halving ranks generations, which search=optuna has not; choose"),
        (["search.population=1"], "halving ranks generations, but search.population is 1; raise it"),
        (["early_stopping=off"], "early_stopping.first is 1, but early_stopping=off does not use it; leave it out"),
        (
            ["early_stopping.first=5"],
            "early_stopping.first is 5; allowed are whole numbers of at least 1 that are less",
        ),
        (["early_stopping.first=0"], "early_stopping.first is 0; allowed"),
        (["early_stopping.factor=1"], "early_stopping.factor is 1; allowed are whole numbers of at least 2"),
        (
            ["objectives.names=[flops,expressibility]"],
            "halving stops training, but no objective of the run needs any",
        ),
        (
            [
                "early_stopping=extrapolation",
                "early_stopping.first=1",
                "objectives.names=[gradient_norm,expressibility]",
            ],
            "early_stopping=extrapolation extrapolates accuracy, which is no objective of the run; use halving",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(overrides, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        check_run(compose([*JOB, *overrides]))
