"""Searches that end before their budget is spent: by rules, by constraints, by Ctrl-C, and in spite of callbacks."""

import platform

import pytest

import qnas
from qnas.config import StopSettings
from qnas.errors import ConfigurationError, RunError, UsageError
from qnas.experiment.callbacks import Guarded
from qnas.experiment.evaluation import State
from qnas.experiment.folder import RunFolder
from qnas.experiment.loop import run_search
from qnas.experiment.plan import check_run
from qnas.experiment.results import Findings, read_findings
from qnas.experiment.stopping import Stopping
from qnas.launch import compose
from qnas.space import load_space
from tests.experiment.runs import QUICKEST, SMALL, SPACE, front_without_seconds, n_evaluated


def search(tmp_path, *overrides, job=QUICKEST, callbacks=None):
    return run_search(compose([*job, *overrides, f"run_dir={tmp_path}/run"]), callbacks)


class Clock:
    """Strikes when told to."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


# --- rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_done", [3, 7])
def test_the_clock_ends_a_search_after_the_evaluation_in_which_time_ran_out(tmp_path, finished, monkeypatch, n_done):
    clock = Clock()
    monkeypatch.setattr("qnas.experiment.stopping.time", clock)

    class Slow(qnas.Callbacks):
        def on_evaluation(self, findings, design_id, *, known):
            clock.now += 0.0 if known else 10.0

    found = search(tmp_path, f"stop.seconds={10 * n_done - 5}", job=SMALL, callbacks=Slow())
    assert found.remark == (
        f"the search ended after {n_done} of 12 designs, because stop.seconds={10 * n_done - 5} are over."
    )
    assert list(found.evaluations) == list(range(n_done)) == list(read_findings(tmp_path / "run").evaluations)
    assert 1 <= len(qnas.Result(tmp_path / "run").front) <= n_done
    again = search(tmp_path, f"stop.seconds={10 * n_done - 5}", job=SMALL)
    assert len(again.evaluations) == 12, "it goes on when resumed"
    assert front_without_seconds(tmp_path / "run") == front_without_seconds(finished.path)


def test_the_clock_leaves_trainings_where_they_stand(tmp_path, monkeypatch):
    """Of six designs, two train on after an epoch; when time is up, one of them has."""
    clock, run = Clock(), tmp_path / "run"
    monkeypatch.setattr("qnas.experiment.stopping.time", clock)

    class Slow(qnas.Callbacks):
        def on_evaluation(self, findings, design_id, *, known):
            clock.now += 10.0

    halving = ("search.generations=1", "training.epochs=4", "early_stopping=halving", "early_stopping.first=1")
    found = search(tmp_path, *halving, "stop.seconds=65", job=SMALL, callbacks=Slow())
    stopped = {one.architecture.fingerprint: one.stopped_at for one in found.evaluations.values()}
    assert sorted(stopped.values()) == [1, 1, 1, 1, 1, 3]
    left = {f"{fingerprint}-{epochs}.pt" for fingerprint, epochs in stopped.items()}
    assert {path.name for path in (run / "checkpoints").iterdir()} >= left
    search(tmp_path, *halving, "stop.seconds=65", job=SMALL)
    assert not (run / "checkpoints").exists()
    for row in qnas.Result(run).front.to_dict("records"):
        written = run / "designs" / str(row["id"]) / "weights.safetensors"
        assert written.read_bytes() == RunFolder(run).weights_file(row["fingerprint"]).read_bytes()


def test_time_for_no_evaluation_is_said(tmp_path):
    with pytest.raises(RunError, match=r"after 0 of 12 designs, because stop\.seconds=1e-06 are over\."):
        search(tmp_path, "stop.seconds=1e-6")


def test_a_hypervolume_that_is_reached_ends_a_search(tmp_path, finished):
    reached = read_findings(finished.path).hypervolume()
    found = search(tmp_path, f"stop.hypervolume={reached - 1e-9}", "search.generations=9", job=SMALL)
    assert len(found.evaluations) <= 12
    assert f"at least stop.hypervolume={reached - 1e-9:g}" in found.remark


def test_a_hypervolume_that_does_not_grow_ends_a_search(tmp_path):
    """The best of one objective is met at some point."""
    found = search(tmp_path, "stop.patience=7", "search.generations=8")
    history = found.hypervolume_history()
    assert len(history) < 44 and history[-1] == history[-8]
    assert found.remark.endswith("because the hypervolume has not grown for stop.patience=7 evaluations.")


def test_designs_that_are_excluded_before_they_are_measured_are_no_lack_of_progress(tmp_path):
    """A search begins to be patient once a generation has losses."""
    bound = "objectives.constraints=['flops <= 160']"
    found = search(tmp_path, bound, "search.population=2", "search.generations=12", "stop.patience=3", job=SMALL)
    states = [one.state for one in found.evaluations.values()]
    assert states[:4] == [State.EXCLUDED] * 4
    assert State.COMPLETE in states


def test_a_run_that_has_met_a_rule_goes_on_with_another(tmp_path):
    ended = search(tmp_path, "stop.patience=1", "search.generations=4")
    assert len(ended.evaluations) < 24 and "stop.patience=1 " in ended.remark
    found = search(tmp_path, "stop.patience=23", "search.generations=4")
    assert len(found.evaluations) == 24 and not found.remark


@pytest.mark.parametrize("key", ["seconds", "hypervolume", "patience"])
def test_rules_that_cannot_be_are_refused(key):
    with pytest.raises(ConfigurationError, match=f"stop.{key} is .*; allowed are numbers greater than 0, or null"):
        check_run(compose([*QUICKEST, f"stop.{key}=0"]))


def test_without_rules_nothing_ends():
    assert Stopping(StopSettings()).reason(Findings(compose(QUICKEST), load_space(str(SPACE)), (), {})) == ""


# --- constraints before training ------------------------------------------------------------------------------


def test_designs_that_constraints_exclude_are_not_trained_and_the_search_goes_on(tmp_path):
    found = search(tmp_path, "objectives.constraints=['flops <= 250']", job=SMALL)
    states = [one.state for one in found.evaluations.values()]
    excluded = [k for k, one in found.evaluations.items() if one.state is State.EXCLUDED]
    assert set(states) == {State.COMPLETE, State.EXCLUDED} and len(states) == 12
    assert all(found.evaluations[k].values["flops"] > 250 for k in excluded)
    assert found.front["flops"].max() <= 250 and found.unmet == ""
    weights = RunFolder(tmp_path / "run").weights
    trained = {one.architecture.fingerprint for one in found.evaluations.values() if one.complete}
    assert {path.stem for path in weights.iterdir()} == trained


def test_a_search_in_which_all_designs_are_excluded_says_so(tmp_path):
    found = search(tmp_path, "objectives.constraints=['flops <= 1']", job=SMALL)
    assert all(one.state is State.EXCLUDED for one in found.evaluations.values())
    assert len(found.front) == 0 and (tmp_path / "run" / "front.csv").is_file()
    assert found.unmet == "No design meets flops <= 1; none was trained."


# --- interruption and callbacks -------------------------------------------------------------------------------


class Interrupter(qnas.Callbacks):
    def __init__(self, after):
        self.after = after

    def on_evaluation(self, findings, design_id, *, known):
        if design_id == self.after:
            raise KeyboardInterrupt


def test_an_interrupted_search_leaves_the_front_of_what_it_has_and_goes_on(tmp_path, finished):
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, job=SMALL, callbacks=Interrupter(4))
    first = qnas.Result(tmp_path / "run")
    assert n_evaluated(tmp_path / "run") == 5
    assert 1 <= len(first.front) <= 5 and first.load(int(first.front["id"][0])).n_parameters > 0
    search(tmp_path, job=SMALL)
    assert front_without_seconds(tmp_path / "run") == front_without_seconds(finished.path)


@pytest.mark.parametrize("callbacks", [[Interrupter(4)], Interrupter, "on_end"], ids=["list", "class", "text"])
def test_what_would_never_be_called_is_refused(callbacks):
    with pytest.raises(UsageError, match=r"callbacks is .*; allowed is one object with some of on_start, "):
        Guarded(callbacks)


def test_the_log_tells_how_a_search_began_went_on_and_ended(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, callbacks=Interrupter(4))
    search(tmp_path)
    lines = (tmp_path / "run" / "log.txt").read_text().splitlines()
    told = [line.split(maxsplit=3)[3] for line in lines if "design " not in line]
    begun = f"{SPACE} on iris with nsga2: 12 designs, {{}} in the ledger; "
    begun += f"executor=serial, workers: 1, host: {platform.node()}"
    assert told == [
        begun.format(0),
        "the search was interrupted: KeyboardInterrupt",
        "the front so far is being written",
        begun.format(5),
        "the search has ended after 12 designs; its results are written",
    ]


def test_callbacks_cannot_break_a_run(tmp_path):
    class Broken(qnas.Callbacks):
        def on_start(self, config, *, n_evaluations, n_workers):
            raise ValueError("no start")

        def on_evaluation(self, findings, design_id, *, known):
            raise RuntimeError("no evaluation")

        def on_generation(self, findings, generation):
            raise SystemExit("no generation")

        def on_end(self, findings):
            raise MemoryError

    assert len(search(tmp_path, callbacks=Broken()).evaluations) == 12
    log = (tmp_path / "run" / "log.txt").read_text()
    assert log.count("the callback on_evaluation raised RuntimeError: no evaluation") == 12
    assert log.count("the callback on_generation raised SystemExit: no generation") == 2
    assert "the callback on_start raised ValueError: no start" in log
