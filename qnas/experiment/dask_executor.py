"""Evaluations on the workers of a Dask cluster, each of which supervises a process of its own."""

from __future__ import annotations

import logging
import pickle
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

from qnas.errors import RunError
from qnas.experiment.evaluation import Evaluation, State, Task, failure
from qnas.experiment.supervision import Ending, Limits, stop, supervise
from qnas.experiment.versions import QNAS, versions_with_python

_LOG = logging.getLogger("qnas")
_LOOK_SECONDS = 1.0
"""How often is looked which workers there are, by a client that waits."""
_FETCH_SECONDS = 10.0
"""For so long a result that is there is waited for; that of a worker which has died since never comes."""


@dataclass(frozen=True)
class _Job:
    """A task on its way.

    Attributes:
        key: of the task.
        task: to be evaluated.
        worker: on which it runs; empty while it waits.
        died: how its first worker died, or why that could not evaluate it; empty before.
    """

    key: int
    task: Task
    worker: str = ""
    died: str = ""


class DaskExecutor:
    """Gives each worker of a cluster one task at a time; workers may come and go.

    A worker that dies so takes one task with it, which is tried on another one, once.

    Args:
        connect: gives Dask's client, always the same; called once there is something to evaluate.
        n_workers: how many there are to be.
        limits: of each evaluation.
        patience: for so many seconds a run goes on without any worker; None for ever.
        renew: called with the number of workers while there are too few, to have them started.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        n_workers: int,
        limits: Limits,
        *,
        patience: float | None = None,
        renew: Callable[[int], None] = lambda n_workers: None,
    ) -> None:
        self.n_workers = n_workers
        self._connect, self._limits, self._patience, self._renew = connect, limits, patience, renew
        self._run = uuid.uuid4().hex
        self._waiting: deque[_Job] = deque()
        self._running: dict[Any, _Job] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._workers: set[str] = set()
        self._refused: set[str] = set()
        self._looked = self._seen = -float("inf")

    def submit(self, key: int, task: Task) -> None:
        """Start it on a free worker, or put it at the end of the queue."""
        self._waiting.append(_Job(key, task))
        self._fill()

    def take(self) -> tuple[int, Evaluation]:
        """The next result, in order of completion."""
        while True:
            self._fill()
            try:
                future = self._done.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            job = self._running.pop(future, None)  # None if its worker was given up before
            evaluation = self._evaluation(future, job) if job else None
            if job and evaluation:
                self._fill()
                return job.key, evaluation

    def close(self) -> None:
        """Leave nothing behind on the workers."""
        if self._looked < 0:  # not connected
            return
        client = self._connect()
        if client.status == "running":
            with suppress(OSError):
                client.cancel(list(self._running), force=True)
                client.run(stop, self._run, on_error="ignore")

    def _fill(self) -> None:
        """Give every free worker a task."""
        if not self._waiting and not self._running:
            return
        self._look()
        busy = {job.worker for job in self._running.values()}
        free = [worker for worker in sorted(self._workers) if worker not in busy]
        for worker in free[: len(self._waiting)]:
            job = replace(self._waiting.popleft(), worker=worker)
            request = pickle.dumps(job.task)
            future = self._connect().submit(supervise, request, self._limits, self._run, workers=[worker], pure=False)
            self._running[future] = job
            future.add_done_callback(self._done.put)

    def _look(self) -> None:
        """See which workers have come and gone, unless that was done just now. What ran on those gone is done."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        client = self._connect()
        try:
            present = set(client.nthreads())
            refused = refusals(client, present - self._workers - self._refused)
        except OSError as error:
            raise _gone(error) from error
        for sentence in refused.values():
            _LOG.warning(sentence)
        self._refused |= set(refused)
        self._workers = present - self._refused
        for future, job in self._running.items():
            if job.worker not in self._workers and future.status == "pending":
                self._done.put(future)
        self._looked = time.monotonic()
        self._keep_up()

    def _keep_up(self) -> None:
        """Have missing workers started; without any for long, the run ends."""
        if len(self._workers) < self.n_workers:
            self._renew(len(self._workers))
        if self._workers or self._seen < 0:
            self._seen = self._looked
        if self._patience is not None and self._looked - self._seen > self._patience:
            raise RunError(
                f"there has been no worker for {self._patience:g} s; start some, and go on with `qnas resume`."
            )

    def _evaluation(self, future: Any, job: _Job) -> Evaluation | None:
        """What came of a job; None if it is tried once more."""
        from distributed import KilledWorker

        if future.status == "pending":
            future.cancel()
            return self._died(job)
        try:
            ending = future.result(timeout=_FETCH_SECONDS)
            evaluation = _evaluation(job.task, ending)
        except KilledWorker:
            return self._died(job)
        except RunError:
            raise
        except CancelledError as error:
            raise _gone(error) from error
        except Exception as error:  # of the task on the worker, or of its result here
            if future.status != "error" and isinstance(error, TimeoutError):
                future.cancel()
                return self._again(job, f"the Dask worker {job.worker} did not hand over its result")
            if future.status != "error" and isinstance(error, OSError):  # of Dask's connection
                raise _gone(error) from error
            return _not_passed(job.task, error)
        return self._unfit(job, evaluation.reason) if evaluation.state is State.LOST and ending.answer else evaluation

    def _unfit(self, job: _Job, reason: str) -> Evaluation | None:
        """What came of a job on a worker that cannot evaluate anything, which is left out unless it is the only one."""
        how = f"the Dask worker {job.worker} cannot evaluate: {reason.partition(chr(10))[0].rstrip('.')}"
        if len(self._workers) > 1:
            self._refused.add(job.worker)
            _LOG.warning("%s; it is given nothing more", how)
        return self._again(job, how)

    def _died(self, job: _Job) -> Evaluation | None:
        return self._again(job, f"the Dask worker {job.worker} died")

    def _again(self, job: _Job, how: str) -> Evaluation | None:
        """Have a job tried on another worker, once."""
        self._workers.discard(job.worker)
        if not job.died:
            _LOG.warning("%s; design %d is tried again", how, job.key)
            self._waiting.appendleft(replace(job, worker="", died=how))
            return None
        reason = f"no answer in two attempts: first {job.died}, then {how}."
        return Evaluation(job.task.architecture, State.LOST, reason=reason, seed=job.task.seed)


def refusals(client: Any, workers: Iterable[str]) -> dict[str, str]:
    """Why workers cannot evaluate for this process, by their addresses; those that can are not among them."""
    addresses = sorted(workers)
    found = client.run(versions_with_python, workers=addresses, on_error="return") if addresses else {}
    ours = versions_with_python()
    sentences = {address: _refusal(address, theirs, ours) for address, theirs in found.items()}
    return {address: sentence for address, sentence in sentences.items() if sentence}


def _refusal(address: str, theirs: Any, ours: dict[str, str]) -> str:
    if isinstance(theirs, OSError):  # it is gone again
        return ""
    if isinstance(theirs, BaseException):
        reason = str(theirs).partition("\n")[0].rstrip(".") or type(theirs).__name__
        return f"the worker {address} cannot evaluate: {reason}; install {QNAS} {ours[QNAS]} in its environment."
    differing = [
        f"{name} {theirs.get(name)} in place of {ours[name]}" for name in ours if theirs.get(name) != ours[name]
    ]
    if not differing:
        return ""
    return f"the worker {address} has {', '.join(differing)}, and one front must not mix both; install the same there."


def _evaluation(task: Task, ending: Ending) -> Evaluation:
    """What came of a task. Raises RunError if the same would come of any other."""
    if ending.in_vain:
        raise RunError(f"no design can be evaluated: {ending.reason}")
    if ending.answer is None:
        state = State[ending.state]
        return Evaluation(task.architecture, state, reason=ending.reason, seconds=ending.seconds, seed=task.seed)
    answer = pickle.loads(ending.answer)
    if not isinstance(answer, Evaluation):
        return _not_passed(task, answer)
    return replace(answer, architecture=task.architecture)  # not its copy: a run keeps all of them


def _not_passed(task: Task, error: Exception) -> Evaluation:
    state, reason = failure(error)
    reason = f"the task or its result could not be passed between processes: {reason}"
    return Evaluation(task.architecture, state, reason=reason, seed=task.seed)


def _gone(error: BaseException) -> RunError:
    reason = f" ({str(error).partition(chr(10))[0].rstrip('.')})" if isinstance(error, OSError) and str(error) else ""
    return RunError(f"the connection to the workers was lost{reason}; go on with `qnas resume`.")
