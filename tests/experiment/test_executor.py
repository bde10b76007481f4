"""Executors: every task comes back once; a worker that dies takes only its own task with it."""

import multiprocessing
import os

import psutil
import pytest

from qnas.config import ExecutorSettings, ObjectiveSettings
from qnas.data import DataSettings
from qnas.errors import ConfigurationError
from qnas.experiment.evaluation import Task
from qnas.experiment.executor import Executor, check_executor, make_executor, n_cores
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


def test_serial_evaluates_in_order():
    with make_executor(ExecutorSettings("serial")) as executor:
        assert isinstance(executor, Executor) and executor.n_workers == 1
        results = list(executor.run(tasks()))
    assert [position for position, _ in results] == [0, 1, 2, 3, 4]
    assert [evaluation.architecture for _, evaluation in results] == architectures


def test_serial_evaluates_when_a_result_is_asked_for(monkeypatch):
    evaluated = []
    monkeypatch.setattr("qnas.experiment.executor.evaluate", evaluated.append)
    with make_executor(ExecutorSettings("serial")) as executor:
        results = executor.run(tasks())
        for k in range(3):
            assert len(evaluated) == k
            next(results)


def test_no_worker_starts_before_there_is_something_to_evaluate():
    before = len(psutil.Process().children(recursive=True))
    with make_executor(ExecutorSettings("local", workers=2)) as executor:
        assert executor.n_workers == 2
        assert list(executor.run([])) == []
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
