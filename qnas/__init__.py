"""Multi-objective architecture search for hybrid quantum-classical neural networks."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_HOMES = {
    "Architecture": "qnas.architecture",
    "Callbacks": "qnas.experiment.callbacks",
    "Estimate": "qnas.objectives",
    "QuantumLayer": "qnas.model.quantum_layer",
    "Result": "qnas.experiment.results",
    "ansatz": "qnas.circuit.ansatze",
    "build_circuit": "qnas.circuit.build",
    "build_model": "qnas.model.hybrid",
    "cites": "qnas.references",
    "coupling": "qnas.model.couplings",
    "dataset": "qnas.data",
    "encoding": "qnas.circuit.encodings",
    "entangling_capability": "qnas.objectives",
    "expressibility": "qnas.objectives",
    "flops": "qnas.objectives",
    "gradient_cost": "qnas.objectives",
    "gradient_efficiency": "qnas.objectives",
    "gradient_scaling": "qnas.objectives",
    "gradient_variance": "qnas.objectives",
    "lie_algebra_dim": "qnas.objectives",
    "load_space": "qnas.space",
    "objective": "qnas.objectives",
    "readout": "qnas.circuit.readouts",
    "search": "qnas.launch",
    "searcher": "qnas.search",
    "topology": "qnas.circuit.topologies",
}

__all__ = list(_HOMES)


class _Package(ModuleType):
    """Public names are imported when they are first used, so that `import qnas` is quick.

    `qnas.search` is the function, though there is a room of that name too: importing a room sets it as an attribute of
    the package, which is ignored for public names. `from qnas.search import ...` finds the room all the same.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'qnas' has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES[name]), name)

    def __dir__(self) -> list[str]:
        return sorted(__all__)


sys.modules[__name__].__class__ = _Package
