"""Where evaluations run: in this process, or in worker processes on this machine (Dask)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

from qnas.config import ExecutorSettings
from qnas.errors import ConfigurationError, unknown
from qnas.experiment.evaluation import Evaluation, State, Task, evaluate


class Executor(Protocol):
    """Evaluates tasks; results come as they complete, each with the position of its task."""

    n_workers: int

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Evaluation]]:
        """Evaluate all tasks, in any order."""
        ...


class SerialExecutor:
    """One after the other, in this process."""

    n_workers = 1

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Evaluation]]:
        """Evaluate all tasks in order."""
        for position, task in enumerate(tasks):
            yield position, evaluate(task)


class DaskExecutor:
    """Workers of a Dask cluster; at most one task per worker is in flight, so that a death blames one task only."""

    def __init__(self, client: object, n_workers: int) -> None:
        self._client = client
        self.n_workers = n_workers

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Evaluation]]:
        """Evaluate all tasks; results in order of completion."""
        from distributed import as_completed

        waiting = enumerate(tasks)
        positions = dict(self._submit(item) for item in islice(waiting, self.n_workers))
        running = as_completed(list(positions))
        for future in running:
            position = positions.pop(future)
            yield position, self._result(future, tasks[position])
            for item in islice(waiting, 1):
                successor, successor_position = self._submit(item)
                positions[successor] = successor_position
                running.add(successor)

    def _submit(self, item: tuple[int, Task]) -> tuple[object, int]:
        position, task = item
        future = self._client.submit(evaluate, task, pure=False)  # type: ignore[attr-defined]
        return future, position

    def _result(self, future: object, task: Task) -> Evaluation:
        """The evaluation, or a failed one if its worker died; `evaluate` itself does not raise."""
        from distributed import KilledWorker

        try:
            result: Evaluation = future.result()  # type: ignore[attr-defined]
        except KilledWorker:
            reason = "the worker process died, most likely killed for want of memory."
            return Evaluation(task.architecture, State.LOST, reason=reason, seed=task.seed)
        return result


@contextmanager
def _serial(settings: ExecutorSettings) -> Iterator[Executor]:
    yield SerialExecutor()


@contextmanager
def _local(settings: ExecutorSettings) -> Iterator[Executor]:
    """Worker processes, spawned (Aer hangs in forked ones), one thread each."""
    import dask
    from distributed import Client, LocalCluster

    n_workers = settings.workers or os.cpu_count() or 1
    options = {
        "distributed.worker.daemon": True,
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.scheduler.allowed-failures": 0,
        "distributed.admin.tick.limit": "1 minute",
    }
    with dask.config.set(options), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dask's, e.g. about ports that other clusters use
        cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            memory_limit=0,
            silence_logs=50,
        )
        with cluster, Client(cluster) as client:
            yield DaskExecutor(client, n_workers)


EXECUTORS: dict[str, Callable[[ExecutorSettings], object]] = {"local": _local, "serial": _serial}


@contextmanager
def make_executor(settings: ExecutorSettings) -> Iterator[Executor]:
    """The executor that the settings name, for the length of a run.

    Raises:
        ConfigurationError: there is no such executor, or fewer than one worker is asked for.
    """
    check_executor(settings)
    with EXECUTORS[settings.name](settings) as executor:  # type: ignore[attr-defined]
        yield executor


def check_executor(settings: ExecutorSettings) -> None:
    """Raise ConfigurationError if `make_executor` would."""
    if settings.name not in EXECUTORS:
        raise ConfigurationError(unknown("executor", settings.name, EXECUTORS, "Set executor.name."))
    if settings.workers is not None and settings.workers < 1:
        raise ConfigurationError(f"executor.workers is {settings.workers}; allowed are whole numbers of at least 1.")
