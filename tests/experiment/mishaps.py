"""An objective that goes wrong, in a way of choice, for some designs; for `objectives.add`."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch

import qnas
from qnas import Estimate
from qnas.errors import CircuitError, DesignError, UsageError


def _raise(error):
    raise error


class Panic(BaseException):
    """What a panic in Rust, e.g. within Qiskit, arrives as."""


MISHAPS = {
    "error": lambda: _raise(ValueError("the mishap struck\nhere")),
    "usage": lambda: _raise(UsageError("give it more.")),
    "design": lambda: _raise(DesignError("no such part.")),
    "circuit": lambda: _raise(CircuitError("no such gate.")),
    "interrupt": lambda: _raise(KeyboardInterrupt),
    "not_a_number": lambda: float("nan"),
    "infinity": lambda: float("-inf"),
    "memory": lambda: _raise(MemoryError),
    "torch_memory": lambda: float(torch.empty(2**50).sum()),
    "nothing": lambda: None,
    "exit": lambda: sys.exit("no more"),
    "panic": lambda: _raise(Panic("the core gave up")),
    "death": lambda: os._exit(9),
    "hang": lambda: time.sleep(600),
    "hog": lambda: time.sleep(600 * len(b"x" * 2**31)),
    "details": lambda: Estimate(1.0, details={"open": sys.stdout}),
    "threads": lambda: torch.get_num_threads(),
    "numpy": lambda: Estimate(np.float64(0.5), np.float64(0.25), {"array": np.arange(2), "pair": (np.int64(1), None)}),
}


@qnas.objective("minimize", "mishaps")
def mishap(design, *, kind="error", only=(), everywhere=False, each=(), marks=""):
    """1; but a mishap for some fingerprints only, for all designs, or for those with a single layer.

    `each` lists designs with a mishap of their own as "fingerprint:kind". The one named "death_once" leaves a mark in
    the folder `marks`, and does not happen where there is one.
    """
    fingerprint = design.architecture.fingerprint
    if each:
        mark = Path(marks) / fingerprint
        kind = dict(one.split(":") for one in each).get(fingerprint, "")
        if kind == "death_once" and not mark.exists():
            mark.touch()
            os._exit(9)
        return MISHAPS[kind]() if kind in MISHAPS else 1.0
    struck = fingerprint in only if only else len(design.architecture.layers) == 1
    return MISHAPS[kind]() if struck or everywhere else 1.0
