"""Calls in processes of their own, with limits: whatever happens in there is an ending with a reason.

A Dask worker, here or on another machine, calls `supervise`. It imports neither torch nor Qiskit; its child does.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import psutil

_LOG = logging.getLogger("qnas")
EVALUATE = "qnas.experiment.worker:evaluate"
_GIB = 2**30
_MEMORY_PERIOD = 0.05
_WANTED_PERIOD = 1.0
_START_SECONDS = 300.0
_END_SECONDS = 5.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Limits:
    """What one call may take.

    Attributes:
        seconds: wall-clock, without the start of the process; None for no limit.
        memory_gib: of its process, in GiB; None for no limit.
    """

    seconds: float | None = None
    memory_gib: float | None = None


@dataclass(frozen=True)
class Ending:
    """How a call ended.

    Attributes:
        answer: what came back, pickled; None if nothing did.
        state: the name of the `State` of an evaluation that did not come back.
        reason: why it did not, in one sentence.
        seconds: wall-clock.
        again: whether another try in a new process may end otherwise.
        in_vain: whether any other call would end so, too.
    """

    answer: bytes | None = None
    state: str = "COMPLETE"
    reason: str = ""
    seconds: float = 0.0
    again: bool = False
    in_vain: bool = False


class Child:
    """A process that answers requests, one at a time.

    On Linux it dies with the thread that makes it.

    Args:
        target: what it calls, as "module:attribute".

    Attributes:
        n_requests: how many it has been asked so far.
    """

    def __init__(self, target: str = EVALUATE) -> None:
        self.target = target
        self.n_requests = 0
        ours, theirs = socket.socketpair()
        with theirs, ours:
            call = f"serve({theirs.fileno()}, {os.getpid()}, {target!r})"
            code = f"import sys; sys.path[:] = {sys.path!r}; from qnas.experiment.child import serve; {call}"
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_ONE_THREAD},
                start_new_session=True,  # Ctrl-C in a terminal is for the main process alone
            )
            self._connection = Connection(ours.detach())

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def request(self, argument: bytes, limits: Limits, is_wanted: Callable[[], bool] = lambda: True) -> Ending:
        """Have the target called with a pickled argument; unless an answer comes back, the process is gone after.

        Args:
            argument: of the call, pickled.
            limits: of the call.
            is_wanted: whether anybody still waits for the answer.
        """
        began = time.monotonic()
        try:
            ending = self._start(limits) if not self.n_requests else None
            if ending is None:
                began = time.monotonic()
                self._connection.send_bytes(argument)
                ending = self._await(limits, is_wanted)
        except (EOFError, OSError):
            ending = self._died()
        self.n_requests += 1
        if ending.answer is None:
            self.close()
        return replace(ending, seconds=time.monotonic() - began)

    def kill(self) -> None:
        """End the process and what it started; whoever waits for an answer is told so."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and forget it."""
        self.kill()
        self._process.wait()
        self._connection.close()

    def _start(self, limits: Limits) -> Ending | None:
        """Wait until it is ready; an ending if it cannot be used."""
        if not self._connection.poll(_START_SECONDS):
            reason = f"the process that was to evaluate it did not start in {_START_SECONDS:g} s."
            return Ending(state="LOST", reason=reason, again=True)
        self._connection.recv_bytes()
        if limits.memory_gib is not None and (used := self._memory_gib()) > limits.memory_gib:
            reason = (
                f"executor.memory_gib is {limits.memory_gib:g}, but a process takes {used:.2f} GiB before it evaluates "
                "anything; raise executor.memory_gib."
            )
            return Ending(state="OUT_OF_MEMORY", reason=reason, in_vain=True)
        return None

    def _await(self, limits: Limits, is_wanted: Callable[[], bool]) -> Ending:
        """The answer, or an ending at a limit, or once nobody waits for it."""
        until = None if limits.seconds is None else time.monotonic() + limits.seconds
        while True:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            if self._connection.poll(_nearest(left, limits)):
                return Ending(self._connection.recv_bytes())
            if until is not None and time.monotonic() >= until:
                reason = (
                    f"it took longer than the {limits.seconds:g} s of executor.seconds; raise executor.seconds to give "
                    "a design more."
                )
                return Ending(state="OUT_OF_TIME", reason=reason)
            if limits.memory_gib is not None and (used := self._memory_gib()) > limits.memory_gib:
                return self._too_large(used, limits.memory_gib)
            if not is_wanted():
                return Ending(state="LOST", reason="the run that wanted it is gone.")

    def _too_large(self, used: float, allowed: float) -> Ending:
        """What earlier calls left in a process counts, too, so that only a new process says how much one call takes."""
        reason = (
            f"its process took {used:.2f} GiB, over the {allowed:g} GiB of executor.memory_gib; raise "
            "executor.memory_gib to give a design more."
        )
        return Ending(state="OUT_OF_MEMORY", reason=reason, again=self.n_requests > 0)

    def _memory_gib(self) -> float:
        """The resident set; 0 if the process is gone, which the connection will tell."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss / _GIB)
        except psutil.NoSuchProcess:
            return 0.0

    def _died(self) -> Ending:
        with suppress(subprocess.TimeoutExpired):  # it has closed the connection, and lives
            self._process.wait(_END_SECONDS)
        self.kill()
        return Ending(state="LOST", reason=f"its process {_described(self._process.wait())}.", again=True)


def _nearest(left: float | None, limits: Limits) -> float:
    """Seconds until something must be looked at."""
    period = _WANTED_PERIOD if limits.memory_gib is None else _MEMORY_PERIOD
    return period if left is None else min(left, period)


def _described(code: int) -> str:
    """How a process of this exit code ended."""
    if code >= 0:
        return f"exited with code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"was killed by {name}" + ", as the system does when memory runs out" * (-code == signal.SIGKILL)


class StoppedError(Exception):
    """The run that wants an answer has ended."""


_lock = threading.Lock()
_idle: list[Child] = []
_busy: dict[Child, str] = {}
_stopped: set[str] = set()


def supervise(argument: bytes, limits: Limits, run: str, target: str = EVALUATE) -> Ending:
    """Call a target in a child of this process, which is kept for further calls.

    What dies without an answer is tried once more, in a new child.

    Args:
        argument: of the call, pickled.
        limits: of the call.
        run: a name for all calls that `stop` ends together.
        target: what to call, as "module:attribute".

    Raises:
        StoppedError: `stop` has been called for this run.
    """
    first = _attempt(argument, limits, run, target, new=False)
    if not first.again:
        return first
    if run not in _stopped:
        _LOG.warning("an evaluation is tried again: %s", first.reason)
    second = _attempt(argument, limits, run, target, new=True)
    if second.state != "LOST":
        return second
    return replace(second, reason=f"no answer in two attempts: first {first.reason[:-1]}, then {second.reason}")


def _attempt(argument: bytes, limits: Limits, run: str, target: str, *, new: bool) -> Ending:
    try:
        with _taken(run, target, new=new) as child:
            return child.request(argument, limits, _is_wanted())
    except OSError as error:  # of a machine that has no memory or no process numbers to spare
        return Ending(state="LOST", reason=f"no process could be started for it ({error}).", again=True)


def _is_wanted() -> Callable[[], bool]:
    """Tells whether the task of Dask that this thread works on is still wanted, which ends with the client that asked.

    A client that was killed cannot call `stop`, and what it asked for would hold the worker for as long as it takes.
    """
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # it is no worker that calls
        return lambda: True
    tasks, key = worker.state.tasks, worker.get_current_task()
    return lambda: (task := tasks.get(key)) is not None and task.state != "cancelled"


def stop(run: str) -> None:
    """End what is called for a run, and all children without work. A run that goes on starts new ones."""
    with _lock:
        _stopped.add(run)
        for child, of in _busy.items():
            if of == run:
                child.kill()
        while _idle:
            _idle.pop().close()


@contextmanager
def _taken(run: str, target: str, *, new: bool) -> Iterator[Child]:
    """A child for one call, kept after it if it lives."""
    with _lock:
        if run in _stopped:
            raise StoppedError(run)
        child = (None if new else _from_idle(target)) or Child(target)
        _busy[child] = run
    try:
        yield child
    finally:
        with _lock:
            del _busy[child]
            if child.alive and run not in _stopped:
                _idle.append(child)
            else:
                child.close()


def _from_idle(target: str) -> Child | None:
    while _idle:
        child = _idle.pop()
        if child.alive and child.target == target:
            return child
        child.close()
    return None
