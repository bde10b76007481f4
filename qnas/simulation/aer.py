"""Aer's state-vector engine on memory that numpy shares. No other file touches it.

`AerState` is Aer's in-process state: gates are queued and run at `flush`. It must be closed before it is dropped, or
the process dies of a double free, so a finalizer owns each one; those still open when the interpreter exits are left to
the operating system, because a daemon thread may be amid a sweep. Registers are kept per thread and size, because
opening one costs more than a layer of gates on it.

A process that has used Aer must not be forked: Aer's threads do not survive it, and the child may hang. Start workers
by spawn.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from jaxtyping import Complex
from qiskit_aer.quantum_info.states.aer_state import AerState

_KEPT_QUBITS = 18
"""Registers up to this size stay open between sweeps (4 MiB each)."""
_CONFUSED = (1j, -1j)


def _close(state: AerState) -> None:
    state.close()
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(state._native_state))


def _keep(state: AerState) -> None:
    """Let nothing but `_close` drop the state: neither the end of the interpreter nor an interrupt while it is made."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(state._native_state))


class Register:
    """2^n amplitudes that both numpy (`amplitudes`) and Aer's gates work on; call `flush` before reading."""

    def __init__(self, n_qubits: int) -> None:
        self.n_qubits = n_qubits
        self.amplitudes: Complex[np.ndarray, " dim"] = np.zeros(2**n_qubits, dtype=np.complex128)
        state = AerState(method="statevector", max_parallel_threads=1)
        _keep(state)
        state.initialize(self.amplitudes, copy=False)
        self._native = state._native_state
        self._close = weakref.finalize(self, _close, state)
        self._close.atexit = False

    def close(self) -> None:
        """Give the memory back; the register cannot be used afterwards."""
        self._close()

    def unitary(self, qubits: Sequence[int], matrix: Complex[np.ndarray, "k k"]) -> None:
        """Apply one matrix, little-endian in `qubits`.

        Aer 0.18 takes diag(i, 1) for diag(1, i), and diag(-i, 1) for diag(1, -i), so these go in with another phase.
        """
        if len(matrix) == 2 and matrix[1, 1] == 1.0 and matrix[0, 0] in _CONFUSED and matrix[0, 1] == 0:
            self._native.apply_unitary(qubits, -matrix)
            self._native.apply_global_phase(np.pi)
        else:
            self._native.apply_unitary(qubits, matrix)

    def multiplexer(self, controls: Sequence[int], qubit: int, matrices: Complex[np.ndarray, "m 2 2"]) -> None:
        """Apply to `qubit` the matrix that the basis state of the controls selects."""
        self._native.apply_multiplexer(controls, [qubit], matrices)

    def flush(self) -> None:
        """Run the queued gates."""
        self._native.flush()


class _Registers(threading.local):
    def __init__(self) -> None:
        self.idle: dict[int, Register] = {}


_registers = _Registers()


@contextmanager
def register(n_qubits: int) -> Iterator[Register]:
    """A register of this size for the length of a sweep; its contents are arbitrary.

    One that an exception leaves behind may hold queued gates, so it is closed instead of being used again.
    """
    taken = _registers.idle.pop(n_qubits, None) or Register(n_qubits)
    try:
        yield taken
    except BaseException:
        taken.close()
        raise
    if n_qubits <= _KEPT_QUBITS and n_qubits not in _registers.idle:
        _registers.idle[n_qubits] = taken
    else:
        taken.close()
