"""Where evaluations run: in this process, or in worker processes on this machine (Dask)."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, Protocol, runtime_checkable

from qnas.config import ExecutorSettings
from qnas.errors import ConfigurationError, RunError, unknown
from qnas.experiment.evaluation import Evaluation, State, Task, evaluate, failure

_RESTART_SECONDS = 120


@runtime_checkable
class Executor(Protocol):
    """Evaluates tasks, in the order in which they are submitted; results come as they complete.

    Attributes:
        n_workers: how many evaluations run at once.
    """

    n_workers: int

    def submit(self, key: int, task: Task) -> None:
        """Have a task evaluated; returns at once."""
        ...

    def take(self) -> tuple[int, Evaluation]:
        """The next evaluation to complete, with the key of its task; waits for it. Something must be submitted."""
        ...


class SerialExecutor:
    """One after the other, in this process, once a result is asked for."""

    n_workers = 1

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Task]] = deque()

    def submit(self, key: int, task: Task) -> None:
        """Put it at the end of the queue."""
        self._waiting.append((key, task))

    def take(self) -> tuple[int, Evaluation]:
        """Evaluate the first of the queue."""
        key, task = self._waiting.popleft()
        return key, evaluate(task)


class DaskExecutor:
    """Workers of a Dask cluster; at most one task per worker is in flight, so that a death blames one task only.

    Args:
        connect: gives Dask's client, always the same; called once there is something to evaluate.
        n_workers: of the cluster.
    """

    def __init__(self, connect: Callable[[], Any], n_workers: int) -> None:
        self._connect = connect
        self.n_workers = n_workers
        self._waiting: deque[tuple[int, Task]] = deque()
        self._running: dict[Any, tuple[int, Task]] = {}
        self._completed: Any = None

    def submit(self, key: int, task: Task) -> None:
        """Start it on a free worker, or put it at the end of the queue."""
        self._waiting.append((key, task))
        self._fill()

    def take(self) -> tuple[int, Evaluation]:
        """The next result, in order of completion."""
        future = next(self._completed)
        key, task = self._running.pop(future)
        evaluation = self._result(future, task)
        self._fill()
        return key, evaluation

    def _fill(self) -> None:
        """Give every free worker a task."""
        from distributed import as_completed

        while self._waiting and len(self._running) < self.n_workers:
            key, task = self._waiting.popleft()
            future = self._connect().submit(evaluate, task, pure=False)
            self._running[future] = key, task
            self._completed = self._completed or as_completed()
            self._completed.add(future)

    def _result(self, future: Any, task: Task) -> Evaluation:
        """The evaluation, or a failed one: `evaluate` itself does not raise, but its way to a worker and back may."""
        from distributed import KilledWorker

        try:
            result: Evaluation = future.result()
        except KilledWorker:
            self._await_workers()
            reason = "the worker process died, most likely killed for want of memory."
            return Evaluation(task.architecture, State.LOST, reason=reason, seed=task.seed)
        except CancelledError as error:
            raise _gone(error) from error
        except Exception as error:  # of the task on the worker, or of its result here
            if future.status != "error" and isinstance(error, OSError):  # of Dask's connection
                raise _gone(error) from error
            state, reason = failure(error)
            reason = f"the task or its result could not be passed between processes: {reason}"
            return Evaluation(task.architecture, state, reason=reason, seed=task.seed)
        return result

    def _await_workers(self) -> None:
        """Until the successor of a dead worker is up: a second task on one worker could be blamed for the first."""
        try:
            self._connect().wait_for_workers(self.n_workers, timeout=_RESTART_SECONDS)
        except TimeoutError as error:
            raise RunError(f"a worker process died, and did not come back in {_RESTART_SECONDS} s.") from error
        except OSError as error:
            raise _gone(error) from error


def _gone(error: BaseException) -> RunError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return RunError(f"the connection to the workers was lost ({reason}); go on with `qnas resume`.")


@contextmanager
def _serial(settings: ExecutorSettings) -> Iterator[Executor]:
    yield SerialExecutor()


@contextmanager
def _local(settings: ExecutorSettings) -> Iterator[Executor]:
    """Worker processes on this machine, which start with the first task."""
    n_workers = settings.workers or n_cores()
    with ExitStack() as stack:
        yield DaskExecutor(cache(lambda: stack.enter_context(_local_cluster(n_workers))), n_workers)


@contextmanager
def _local_cluster(n_workers: int) -> Iterator[Any]:
    """A client of workers that are spawned (Aer hangs in forked ones), have one thread each, and die with us."""
    import dask
    from distributed import Client, LocalCluster

    options = {
        "distributed.worker.daemon": True,
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.worker.preload": ["qnas.experiment.worker"],
        "distributed.scheduler.allowed-failures": 0,
        "distributed.admin.tick.limit": "1 minute",
    }
    with dask.config.set(options):
        try:
            cluster = LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",  # any free port: the scheduler has a web server whether asked or not
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
        except RuntimeError as error:
            advice = "A script must call qnas.search under `if __name__ == '__main__':`, or use executor=serial."
            raise RunError(f"the worker processes did not start: {error} {advice}") from error
        with cluster, Client(cluster) as client:
            yield client


def n_cores() -> int:
    """How many processor cores this process may use; a container or a batch system may leave it only some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


EXECUTORS: dict[str, Callable[[ExecutorSettings], object]] = {"local": _local, "serial": _serial}


@contextmanager
def make_executor(settings: ExecutorSettings) -> Iterator[Executor]:
    """The executor that the settings name, for the length of a run.

    Raises:
        ConfigurationError: there is no such executor, fewer than one worker is asked for, or any of "serial".
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
    if settings.workers is not None and settings.name == "serial":
        raise ConfigurationError(
            f"executor.workers is {settings.workers}, but executor=serial evaluates in this process alone; "
            "leave executor.workers out, or use executor=local."
        )
