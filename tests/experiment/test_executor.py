"""Executors: every task comes back once; a worker that dies takes only its own task with it."""

import concurrent.futures
import multiprocessing
import os
from types import SimpleNamespace

import psutil
import pytest
from distributed import KilledWorker
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError

from qnas.config import ExecutorSettings, ObjectiveSettings
from qnas.data import DataSettings
from qnas.errors import ConfigurationError, RunError
from qnas.experiment.evaluation import Evaluation, State, Task
from qnas.experiment.executor import DaskExecutor, Executor, check_executor, make_executor, n_cores
from qnas.experiment.worker import dask_setup
from qnas.model.training import TrainingSettings
from qnas.simulation import SimulationSettings
from qnas.space import load_space
from tests.experiment.runs import SPACE

space = load_space(str(SPACE))
architectures = list(space.architectures())[:5]


def tasks():
    objectives = ObjectiveSettings(["flops"])
    rest = str(SPACE), DataSettings("iris"), objectives, SimulationSettings(), TrainingSettings()
    return [Task(architecture, *rest, seed=0) for architecture in architectures]


def results(executor):
    """Of all tasks, as they come."""
    for key, task in enumerate(tasks()):
        executor.submit(key, task)
    return (executor.take() for _ in architectures)


def test_serial_evaluates_in_order():
    with make_executor(ExecutorSettings("serial")) as executor:
        assert isinstance(executor, Executor) and executor.n_workers == 1
        found = list(results(executor))
    assert [key for key, _ in found] == [0, 1, 2, 3, 4]
    assert [evaluation.architecture for _, evaluation in found] == architectures


def test_serial_evaluates_when_a_result_is_asked_for(monkeypatch):
    evaluated = []
    monkeypatch.setattr(
        "qnas.experiment.executor.evaluate",
        lambda task: evaluated.append(task) or Evaluation(task.architecture, State.LOST),
    )
    with make_executor(ExecutorSettings("serial")) as executor:
        found = results(executor)
        for k in range(3):
            assert len(evaluated) == k
            next(found)


def test_no_worker_starts_before_there_is_something_to_evaluate():
    before = len(psutil.Process().children(recursive=True))
    with make_executor(ExecutorSettings("local", workers=2)) as executor:
        assert executor.n_workers == 2
        assert len(psutil.Process().children(recursive=True)) == before


def test_as_many_workers_as_cores_that_this_process_may_use_unless_given(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 7}, raising=False)
    with make_executor(ExecutorSettings("local")) as executor:
        assert executor.n_workers == 3


def test_all_cores_where_the_system_does_not_say_which_may_be_used(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert n_cores() == 5


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker_is_refused(workers):
    with pytest.raises(ConfigurationError, match=f"executor.workers is {workers}; allowed are whole numbers of at le"):
        check_executor(ExecutorSettings("local", workers))


def test_workers_of_an_executor_without_any_are_refused():
    with pytest.raises(ConfigurationError) as error:
        check_executor(ExecutorSettings("serial", 3))
    assert str(error.value) == (
        "executor.workers is 3, but executor=serial evaluates in this process alone; "
        "leave executor.workers out, or use executor=local."
    )


def test_an_unknown_executor_is_refused():
    with (
        pytest.raises(ConfigurationError, match=r"unknown executor 'locl': did you mean 'local'\? Allowed: local, ser"),
        make_executor(ExecutorSettings("locl")),
    ):
        pass


# --- what a future may raise ----------------------------------------------------------------------------------


class Future:
    """One of Dask's: its result is what was evaluated, unless it raises."""

    def __init__(self, result, status="finished", error=None):
        self.status, self._result, self._error = status, result, error

    def result(self):
        if self._error is not None:
            raise self._error
        return self._result


class Client:
    """Evaluates as it is given work; what is told to happen happens to the second task."""

    def __init__(self, status="finished", error=None, waiting=None):
        self._trouble, self._waiting = (status, error), waiting
        self.n_submitted = 0

    def submit(self, function, task, pure):
        self.n_submitted += 1
        return Future(function(task), *(self._trouble if self.n_submitted == 2 else ()))

    def wait_for_workers(self, n_workers, timeout):
        if self._waiting is not None:
            raise self._waiting


class AsCompleted(list):
    """In the order in which they were submitted."""

    add = list.append

    def __next__(self):
        return self.pop(0)


def run(monkeypatch, *trouble, **more):
    monkeypatch.setattr("distributed.as_completed", AsCompleted)
    client = Client(*trouble, **more)
    return [evaluation for _, evaluation in results(DaskExecutor(lambda: client, 1))]


@pytest.mark.parametrize(
    ("status", "error", "state", "said"),
    [
        ("error", RuntimeError("Error during deserialization"), State.ERROR, "RuntimeError: Error during deserializat"),
        ("error", FileNotFoundError("no module"), State.ERROR, "FileNotFoundError: no module"),
        ("error", MemoryError(), State.OUT_OF_MEMORY, "MemoryError"),
        ("finished", ModuleNotFoundError("No module named 'x'"), State.ERROR, "ModuleNotFoundError: No module named"),
    ],
)
def test_a_task_or_result_that_does_not_arrive_fails_alone(monkeypatch, status, error, state, said):
    found = run(monkeypatch, status, error)
    assert [evaluation.architecture for evaluation in found] == architectures
    assert [evaluation.state for evaluation in found] == [State.COMPLETE, state, *[State.COMPLETE] * 3]
    assert found[1].reason.startswith(f"the task or its result could not be passed between processes: {said}")


def test_a_worker_that_dies_loses_its_task_only(monkeypatch):
    found = run(monkeypatch, "error", KilledWorker("task", SimpleNamespace(address="tcp://here"), 1))
    assert [evaluation.state for evaluation in found] == [State.COMPLETE, State.LOST, *[State.COMPLETE] * 3]


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        ("cancelled", FutureCancelledError("evaluate-1", "scheduler-connection-lost"), "evaluate-1 cancelled for reas"),
        ("lost", concurrent.futures.CancelledError(), "CancelledError"),
        ("finished", CommClosedError("in <TCP>: Stream is closed\nmore"), "in <TCP>: Stream is closed); go on with `q"),
        ("finished", TimeoutError("no answer"), "no answer"),
    ],
)
def test_a_cluster_that_goes_away_ends_the_run_with_a_sentence(monkeypatch, status, error, said):
    with pytest.raises(RunError) as ended:
        run(monkeypatch, status, error)
    sentence = str(ended.value)
    assert sentence.startswith(f"the connection to the workers was lost ({said}") and "\n" not in sentence
    assert sentence.endswith("go on with `qnas resume`.")


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        (TimeoutError(), "a worker process died, and did not come back in 120 s."),
        (CommClosedError("closed"), "the connection to the workers was lost (closed); go on with `qnas resume`."),
    ],
)
def test_workers_that_do_not_come_back_end_the_run_with_a_sentence(monkeypatch, waiting, said):
    with pytest.raises(RunError) as ended:
        run(monkeypatch, "error", KilledWorker("task", SimpleNamespace(address="tcp://here"), 1), waiting=waiting)
    assert str(ended.value) == said


def _ignores_interrupts(answer):
    dask_setup(None)
    os.kill(os.getpid(), 2)
    answer.send("alive")


@pytest.mark.slow
def test_a_worker_ignores_ctrl_c_which_is_the_main_process_to_act_on():
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=_ignores_interrupts, args=(theirs,))
    worker.start()
    worker.join(30)
    assert worker.exitcode == 0
    assert ours.poll() and ours.recv() == "alive"
