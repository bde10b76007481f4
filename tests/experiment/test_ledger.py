"""The ledger opens with plain Optuna, survives a process that is killed, and gives evaluations back as they were."""

import warnings

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from qnas.config import LedgerSettings
from qnas.errors import RunError, RunFolderError
from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.folder import RunFolder
from qnas.experiment.journal import Journal
from qnas.experiment.ledger import VERSION, Ledger, open_ledger
from qnas.objectives import choose_objectives
from qnas.space import load_space
from tests.experiment.runs import SPACE, in_dashboard

space = load_space(str(SPACE))
objectives = choose_objectives(["accuracy", "expressibility", "flops"])
one, other = space.sample(0), space.sample(1)
COMPLETE = Evaluation(
    one,
    State.COMPLETE,
    values={"accuracy": 0.1 + 0.2, "expressibility": 1e-300, "flops": 12_345},
    errors={"accuracy": 1 / 3},
    details={"flops": {"parts": [1, 2.5, None, "a"], "by": {"circuit": 3}}},
    n_parameters=31,
    n_live_weights=8,
    remark="the readout does not depend on 2 of 8 circuit weights",
    seconds=1.25,
    seed=7,
)
FAILED = Evaluation(
    other,
    State.ERROR,
    values={"flops": 10},
    reason="ValueError: no\nTraceback\n  'quoted' \u2190 {braces}",
    n_parameters=3,
    seconds=0.5,
    seed=7,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.jsonl"


def opened(path):
    return Ledger(path, objectives, space)


def read(path):
    return Ledger(path, objectives, space, read_only=True)


def with_plain_optuna(path):
    return optuna.load_study(study_name=None, storage=JournalStorage(JournalFileBackend(str(path))))


@pytest.mark.parametrize("evaluation", [COMPLETE, FAILED], ids=["complete", "failed"])
def test_an_evaluation_comes_back_as_it_was(path, evaluation):
    opened(path).append(3, evaluation)
    assert list(opened(path).evaluations()) == [(3, evaluation)]


@pytest.mark.parametrize("state", State)
def test_every_state_comes_back(path, state):
    evaluation = Evaluation(one, state, values=COMPLETE.values, reason="because")
    opened(path).append(0, evaluation)
    assert [found for _, found in opened(path).evaluations()] == [evaluation]


def test_of_a_design_that_was_evaluated_again_only_the_last_evaluation_comes_back_in_its_old_place(path):
    ledger = opened(path)
    for design_id, evaluation in ((0, Evaluation(one, State.LOST)), (1, FAILED), (0, COMPLETE)):
        ledger.append(design_id, evaluation)
    assert list(opened(path).evaluations()) == [(0, COMPLETE), (1, FAILED)]
    assert len(with_plain_optuna(path).get_trials()) == 3


def test_an_id_that_is_given_again_is_of_its_last_design_and_a_design_has_its_last_id(path):
    ledger = opened(path)
    for design_id, evaluation in ((0, FAILED), (1, COMPLETE), (2, FAILED), (0, COMPLETE), (0, FAILED)):
        ledger.append(design_id, evaluation)
    assert list(opened(path).evaluations()) == [(0, FAILED)]
    assert [one for _, one in opened(path).entries()] == [FAILED, COMPLETE, FAILED, COMPLETE, FAILED]


def test_only_the_first_designs_are_kept_until_more_are_written(path):
    ledger = opened(path)
    for design_id, evaluation in ((0, COMPLETE), (1, FAILED)):
        ledger.append(design_id, evaluation)
    ledger.keep_first(1)
    assert list(ledger.evaluations()) == list(opened(path).evaluations()) == [(0, COMPLETE)]
    opened(path).append(1, FAILED)
    assert list(opened(path).evaluations()) == [(0, COMPLETE), (1, FAILED)]


def test_weights_are_kept_elsewhere(path):
    opened(path).append(0, Evaluation(one, State.ERROR, weights=b"weights"))
    assert [found.weights for _, found in opened(path).evaluations()] == [None]


def test_plain_optuna_opens_it(path):
    ledger = opened(path)
    ledger.append(0, COMPLETE)
    ledger.append(1, FAILED)
    study = with_plain_optuna(path)
    assert study.study_name == "qnas"
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE", "MINIMIZE"]
    assert study.metric_names == ["accuracy", "expressibility", "flops"]
    good, bad = study.get_trials()
    assert (good.state, bad.state) == (TrialState.COMPLETE, TrialState.FAIL)
    assert good.values == [0.1 + 0.2, 1e-300, 12_345]
    assert (good.params, bad.params) == (space.gene_values(one), space.gene_values(other))
    assert good.user_attrs["fingerprint"] == one.fingerprint
    assert bad.user_attrs["reason"] == FAILED.reason
    assert [trial.duration.total_seconds() for trial in (good, bad)] == [COMPLETE.seconds, FAILED.seconds]


def test_the_dashboard_s_table_of_a_run(finished):
    study = with_plain_optuna(finished.path / "ledger.jsonl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = study.trials_dataframe()
    assert len(table) == len(finished.evaluations) == 12
    assert sorted(table["values_accuracy"]) == sorted(finished.evaluations["accuracy"])


def test_the_dashboard_opens_it(finished):
    shown = in_dashboard(str(finished.path / "ledger.jsonl"))
    assert list(shown) == ["qnas"] and len(shown["qnas"]) == 12
    assert {trial["state"] for trial in shown["qnas"]} == {"Complete"}


def test_opening_and_reading_write_nothing(path):
    opened(path).append(0, COMPLETE)
    before = path.read_bytes()
    list(opened(path).evaluations())
    list(read(path).evaluations())
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["ledger.jsonl"]


@pytest.mark.parametrize("n_bytes", [1, 30, -1])
def test_a_line_that_was_cut_short_is_dropped_and_the_next_one_is_whole(path, n_bytes):
    opened(path).append(0, COMPLETE)
    kept = path.read_bytes()
    opened(path).append(1, FAILED)
    line = path.read_bytes()[len(kept) :]
    path.write_bytes(kept + line[:n_bytes])
    ledger = opened(path)
    assert [design_id for design_id, _ in ledger.evaluations()] == [0]
    ledger.append(1, FAILED)
    assert list(opened(path).evaluations()) == [(0, COMPLETE), (1, FAILED)]


def test_a_ledger_that_may_not_be_read_is_a_sentence(path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    opened(path).append(0, COMPLETE)
    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(RunFolderError, match=r"the ledger .* cannot be read: PermissionError: .*; restore it\."):
        read(path)


def test_the_log_says_what_mending_dropped(path, caplog):
    opened(path).append(0, COMPLETE)
    opened(path)
    assert caplog.messages == []
    path.write_bytes(path.read_bytes() + b'{"op_code": 4')
    opened(path)
    assert caplog.messages == ["the last line of ledger.jsonl was cut short; 13 bytes are dropped"]
    assert caplog.records[0].levelname == "WARNING"


@pytest.mark.parametrize("n_bytes", [0, 20, 200, -1])
def test_reading_a_ledger_that_is_being_written_changes_no_byte(path, n_bytes):
    """As a reader may find it: just made, its study half written, without metric names, an evaluation half written."""
    opened(path).append(0, COMPLETE)
    path.write_bytes(path.read_bytes()[:n_bytes])
    before = path.read_bytes()
    assert list(read(path).evaluations()) == []
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["ledger.jsonl"]


def test_a_reader_ignores_a_line_that_is_being_written(path):
    opened(path).append(0, COMPLETE)
    path.write_bytes(path.read_bytes() + b'{"op_code": 4')
    assert list(read(path).evaluations()) == [(0, COMPLETE)]


def test_a_reader_neither_waits_for_the_lock_of_a_search_nor_breaks_it(path, monkeypatch):
    opened(path).append(0, COMPLETE)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])  # the study, not yet its metric names
    lock = path.with_name("ledger.jsonl.lock")
    lock.symlink_to(path)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("waited for the lock"))
    assert list(read(path).evaluations()) == []
    assert lock.is_symlink()


def test_what_was_opened_to_be_read_cannot_be_written(path):
    opened(path)
    with pytest.raises(AssertionError, match="this ledger was opened to be read"):
        read(path).append(0, COMPLETE)


def test_a_ledger_cut_short_at_its_birth_is_begun_anew(path):
    opened(path)
    path.write_bytes(path.read_bytes()[:20])
    opened(path).append(0, COMPLETE)
    assert list(opened(path).evaluations()) == [(0, COMPLETE)]
    assert with_plain_optuna(path).metric_names == ["accuracy", "expressibility", "flops"]


def test_the_lock_of_a_killed_process_does_not_hold_a_relative_run_forever(path, monkeypatch):
    """Optuna gives a lock up after a while, but only if it can follow the symbolic link that the lock is."""
    monkeypatch.chdir(path.parent.parent)
    relative = path.relative_to(path.parent.parent)
    targets = []
    monkeypatch.setattr("os.symlink", lambda target, lock: targets.append(target))
    monkeypatch.setattr("os.rename", lambda *paths: None)
    monkeypatch.setattr("os.unlink", lambda *paths: None)
    opened(relative)
    assert targets and all(target == str(path) for target in targets)


def test_no_lock_of_a_killed_process_stays_whatever_it_was_about(path):
    opened(path).append(0, COMPLETE)
    for left in ("ledger.jsonl.lock", "ledger.jsonl.lock4711.rename"):
        path.with_name(left).symlink_to(path)
    Journal(path).break_lock()
    assert [file.name for file in path.parent.iterdir()] == ["ledger.jsonl"]


def test_a_ledger_that_is_not_one_is_refused(path):
    opened(path).append(0, COMPLETE)
    path.write_bytes(b"this is no journal\n" + path.read_bytes())
    with pytest.raises(RunFolderError, match=r"the ledger .* cannot be read"):
        opened(path)


def test_a_trial_that_is_no_json_is_refused(path):
    for design_id, evaluation in ((0, COMPLETE), (1, FAILED)):
        opened(path).append(design_id, evaluation)
    *lines, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], lines[-1][:40], b"\n", last]))
    for ledger in (lambda: opened(path), lambda: list(read(path).evaluations())):
        with pytest.raises(RunFolderError, match=r"the ledger .* cannot be read: JSONDecodeError: .*; restore it"):
            ledger()


def test_a_ledger_of_a_later_version_is_refused_and_left_alone(path):
    opened(path).append(0, COMPLETE)
    with_plain_optuna(path).set_user_attr("version", VERSION + 1)
    before = path.read_bytes()
    said = rf"is of version {VERSION + 1}, which a later qnas wrote; this one reads versions up to {VERSION}, so"
    for opening in (opened, read):
        with pytest.raises(RunFolderError, match=said):
            opening(path)
    assert path.read_bytes() == before


def test_a_ledger_that_says_nothing_of_its_version_is_read_and_becomes_one_of_this_version(path):
    """As the first version wrote it."""
    opened(path).append(0, COMPLETE)
    lines = [line for line in path.read_text().splitlines(keepends=True) if '"version"' not in line]
    path.write_text("".join(lines).replace(',"reused":""', ""))
    assert list(read(path).evaluations()) == [(0, COMPLETE)]
    assert "version" not in with_plain_optuna(path).user_attrs
    opened(path).append(1, FAILED)
    assert with_plain_optuna(path).user_attrs["version"] == VERSION
    assert list(opened(path).evaluations()) == [(0, COMPLETE), (1, FAILED)]


def test_what_somebody_else_puts_into_the_study_is_no_evaluation(path):
    opened(path).append(0, COMPLETE)
    with_plain_optuna(path).add_trial(optuna.trial.create_trial(values=[0.5, 1.0, 2.0]))
    assert list(opened(path).evaluations()) == [(0, COMPLETE)]
    assert [one for _, one in opened(path).entries()] == [COMPLETE]


def test_a_study_that_somebody_deletes_meanwhile_is_a_sentence_and_its_evaluations_stay(path):
    ledger = opened(path)
    ledger.append(0, COMPLETE)
    optuna.delete_study(study_name="qnas", storage=JournalStorage(JournalFileBackend(str(path))))
    with pytest.raises(RunError, match=r"^somebody has deleted the study 'qnas' from the ledger '.*'; `qnas "):
        ledger.append(1, FAILED)
    again = opened(path)
    again.append(1, FAILED)
    assert next(again.evaluations()) == (0, COMPLETE) and len(with_plain_optuna(path).get_trials()) == 1


def test_a_missing_ledger_is_refused_and_not_made(path):
    with pytest.raises(RunFolderError, match=r"there is no ledger at .*ledger.jsonl'; give the folder of a run"):
        open_ledger(RunFolder(path.parent), LedgerSettings(), objectives, space)
    assert not path.exists()


def test_optuna_s_log_level_is_left_as_it_was(path):
    before = optuna.logging.get_verbosity()
    opened(path)
    assert optuna.logging.get_verbosity() == before
