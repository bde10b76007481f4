"""Versions of what the values of an evaluation depend on."""

from __future__ import annotations

import sys
from importlib.metadata import version

QNAS = "qnas-hqnn"
_PACKAGES = (
    QNAS, "qiskit", "qiskit-aer", "qiskit-machine-learning", "torch", "pymoo", "numpy", "optuna", "hydra-core",
    "scikit-learn", "distributed",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Of qnas and of the packages that it computes with."""
    return {name: version(name) for name in _PACKAGES}


def versions_with_python() -> dict[str, str]:
    """The same, and of Python without its patch level. A worker calls this, so nothing slow is imported here."""
    return {"Python": f"{sys.version_info.major}.{sys.version_info.minor}", **versions()}
