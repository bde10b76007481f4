"""The process in which evaluations run, one after the other, so that one that goes wrong takes nothing else with it."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

_IDLE_SECONDS = 600
"""For so long a process without work stays, in case its supervisor is alive and has forgotten it."""
_PR_SET_PDEATHSIG = 1


def serve(descriptor: int, parent: int, target: str) -> None:
    """Answer requests until there are no more.

    Args:
        descriptor: of the socket on which pickled arguments come and pickled results go; stdout stays free.
        parent: the supervisor's process.
        target: what is called with each argument, as "module:attribute". It is imported before the first request.
    """
    _die_with(parent)
    with Connection(descriptor) as connection:
        module, _, attribute = target.partition(":")
        call = getattr(import_module(module), attribute)
        connection.send_bytes(b"ready")
        while connection.poll(_IDLE_SECONDS):
            try:
                request = connection.recv_bytes()
            except EOFError:
                return
            connection.send_bytes(_answer(call, request))


def _die_with(parent: int) -> None:
    """Have Linux kill this process once the thread that started it is gone; elsewhere it ends after its last answer."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before
            sys.exit(1)


def _answer(call: Callable[[Any], Any], request: bytes) -> bytes:
    try:
        return pickle.dumps(call(pickle.loads(request)))
    except Exception as error:  # noqa: BLE001 - `evaluate` does not raise, so this is of the way here or back
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
