"""Where evaluations run: in this process, in processes of this machine, on a cluster; and what one of them may take."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields
from typing import Protocol, runtime_checkable

from qnas.config import ExecutorSettings
from qnas.errors import ConfigurationError, unknown
from qnas.experiment import clusters
from qnas.experiment.evaluation import Evaluation, Task, evaluate


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


def n_cores() -> int:
    """How many processor cores this process may use; a container or a batch system may leave it only some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _serial(settings: ExecutorSettings) -> Iterator[Executor]:
    yield SerialExecutor()


def _check_dask(settings: ExecutorSettings) -> None:
    with clusters.connected(settings):
        pass


@dataclass(frozen=True)
class _Kind:
    """A kind of executor.

    Attributes:
        make: the executor, for the length of a run.
        uses: the settings that it reads, beside its name.
        needs: those among them that must be given, each with what to give.
        check: raises ConfigurationError for what can only be seen outside of the settings.
    """

    make: Callable[[ExecutorSettings], AbstractContextManager[Executor]]
    uses: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[ExecutorSettings], object] = lambda settings: None


_LIMITS = ("seconds", "memory_gib")
EXECUTORS: dict[str, _Kind] = {
    "local": _Kind(lambda settings: clusters.local(settings, settings.workers or n_cores()), ("workers", *_LIMITS)),
    "serial": _Kind(_serial),
    "dask": _Kind(
        clusters.dask,
        ("address", *_LIMITS),
        {"address": "the address of a Dask scheduler, such as tcp://10.0.0.1:8786"},
        _check_dask,
    ),
    "slurm": _Kind(
        lambda settings: clusters.slurm(settings, settings.workers or 1),
        ("workers", "options", *_LIMITS),
        {"workers": "the number of jobs"},
        clusters.job_script,
    ),
}


@contextmanager
def make_executor(settings: ExecutorSettings) -> Iterator[Executor]:
    """The executor that the settings name, for the length of a run.

    Raises:
        ConfigurationError: as `check_executor` does.
        RunError: Slurm takes no jobs.
    """
    _check_settings(settings)
    with EXECUTORS[settings.name].make(settings) as executor:
        yield executor


def check_executor(settings: ExecutorSettings) -> None:
    """See whether evaluations can run there.

    Raises:
        ConfigurationError: there is no such executor; a setting has a value that it cannot have, is missing, or is
            not used by this executor; or what it stands on is not there, such as a scheduler.
    """
    _check_settings(settings)
    EXECUTORS[settings.name].check(settings)


def _check_settings(settings: ExecutorSettings) -> None:
    if settings.name not in EXECUTORS:
        raise ConfigurationError(unknown("executor", settings.name, EXECUTORS, "Set executor.name."))
    if settings.workers is not None and settings.workers < 1:
        raise ConfigurationError(f"executor.workers is {settings.workers}; allowed are whole numbers of at least 1.")
    for name in _LIMITS:
        limit = getattr(settings, name)
        if limit is not None and not 0 < limit < float("inf"):
            raise ConfigurationError(f"executor.{name} is {limit:g}; allowed are numbers over 0, or null for no limit.")
    _check_uses(settings)


def _check_uses(settings: ExecutorSettings) -> None:
    """A setting that an executor does not read would be ignored in silence."""
    kind = EXECUTORS[settings.name]
    for item in fields(ExecutorSettings):
        key, value = f"executor.{item.name}", getattr(settings, item.name)
        given = value not in (None, {})
        if given and item.name not in ("name", *kind.uses):
            users = ", ".join(f"executor={name}" for name, other in EXECUTORS.items() if item.name in other.uses)
            raise ConfigurationError(
                f"{key} is {value}, but executor={settings.name} does not use it; leave {key} out, or use {users}."
            )
        if not given and item.name in kind.needs:
            raise ConfigurationError(f"executor={settings.name} needs {key}: {kind.needs[item.name]}.")
