"""A function of many arguments in processes of this machine."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from queue import SimpleQueue
from typing import TypeVar

from qnas.experiment.executor import n_cores
from qnas.experiment.supervision import Child, Limits

A = TypeVar("A")
B = TypeVar("B")


def parallel_map(function: Callable[[A], B], arguments: Sequence[A], per_process: int) -> Iterator[B]:
    """As `map`, by a process for each core if every one of them has enough to do.

    Args:
        function: of a module, which the processes import.
        arguments: of it; what cannot go to another process, or does not come back, is computed in this one.
        per_process: so many calls are worth the start of a process.
    """
    n_processes = min(n_cores(), len(arguments) // per_process)
    if n_processes < 2:
        yield from map(function, arguments)
        return
    with ExitStack() as stack:
        children: SimpleQueue[Child] = SimpleQueue()
        for _ in range(n_processes):
            children.put(stack.enter_context(closing(Child(f"{function.__module__}:{function.__qualname__}"))))
        pool = stack.enter_context(ThreadPoolExecutor(n_processes))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        answers = pool.map(lambda argument: _answer(children, argument), arguments)
        for argument, answer in zip(arguments, answers, strict=True):
            yield function(argument) if isinstance(answer, Exception) else answer


def _answer(children: SimpleQueue[Child], argument: A) -> B | Exception:
    """An exception if there is no answer, as for an object of a class that the other process does not know."""
    child = children.get()
    try:
        ending = child.request(pickle.dumps(argument), Limits())
        found: B | Exception = RuntimeError(ending.reason) if ending.answer is None else pickle.loads(ending.answer)
    except Exception as error:  # noqa: BLE001 - whatever an object raises that is pickled
        return error
    else:
        return found
    finally:
        children.put(child)
