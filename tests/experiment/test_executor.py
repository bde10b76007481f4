"""Executors: every task comes back once; settings that they cannot have or do not use are refused."""

import os
from math import inf, nan

import psutil
import pytest

from qnas.config import ExecutorSettings, ObjectiveSettings
from qnas.data import DataSettings
from qnas.errors import ConfigurationError
from qnas.experiment.evaluation import Evaluation, State, Task
from qnas.experiment.executor import Executor, check_executor, make_executor, n_cores
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


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (ExecutorSettings("local", workers=0), "executor.workers is 0; allowed are whole numbers of at least 1."),
        (ExecutorSettings("slurm", workers=-1), "executor.workers is -1; allowed are whole numbers of at least 1."),
        (ExecutorSettings(seconds=0.0), "executor.seconds is 0; allowed are numbers over 0, or null for no limit."),
        (ExecutorSettings(seconds=nan), "executor.seconds is nan; allowed are numbers over 0, or null for no limit."),
        (ExecutorSettings(memory_gib=-2.5), "executor.memory_gib is -2.5; allowed are numbers over 0, or null for no "),
        (ExecutorSettings(memory_gib=inf), "executor.memory_gib is inf; allowed are numbers over 0, or null for no li"),
        (
            ExecutorSettings("serial", workers=3),
            "executor.workers is 3, but executor=serial does not use it; leave executor.workers out, or use "
            "executor=local, executor=slurm.",
        ),
        (
            ExecutorSettings("serial", seconds=60.0),
            "executor.seconds is 60.0, but executor=serial does not use it; leave executor.seconds out, or use "
            "executor=local, executor=dask, executor=slurm.",
        ),
        (
            ExecutorSettings("serial", memory_gib=1.0),
            "executor.memory_gib is 1.0, but executor=serial does not use it; l",
        ),
        (ExecutorSettings("local", address="tcp://a:1"), "executor.address is tcp://a:1, but executor=local does not "),
        (ExecutorSettings("dask", address="tcp://a:1", workers=2), "executor.workers is 2, but executor=dask does not"),
        (ExecutorSettings("local", options={"queue": "a"}), "executor.options is {'queue': 'a'}, but executor=local "),
        (
            ExecutorSettings("dask"),
            "executor=dask needs executor.address: the address of a Dask scheduler, such as tcp://10.0.0.1:8786.",
        ),
        (ExecutorSettings("slurm"), "executor=slurm needs executor.workers: the number of jobs."),
    ],
)
def test_settings_that_cannot_be_or_that_nothing_reads_are_refused(settings, sentence):
    with pytest.raises(ConfigurationError) as error:
        check_executor(settings)
    assert str(error.value).startswith(sentence)
    with pytest.raises(ConfigurationError), make_executor(settings):
        pass


def test_an_unknown_executor_is_refused():
    with (
        pytest.raises(ConfigurationError, match=r"unknown executor 'locl': did you mean 'local'\? Allowed: local, ser"),
        make_executor(ExecutorSettings("locl")),
    ):
        pass
