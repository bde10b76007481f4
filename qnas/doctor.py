"""Checks that an installation works: versions, bundled files, threads, memory, and a gradient against differences."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qnas.experiment.folder import environment
from qnas.launch import compose
from qnas.model.quantum_layer import QuantumLayer
from qnas.space import load_space, space_names

Finding = tuple[str, bool, str]


def examine() -> list[Finding]:
    """Every check with its name, whether it passed, and what was found."""
    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "versions": _versions,
        "machine": _machine,
        "configuration": _configuration,
        "search spaces": _spaces,
        "gradient on Aer": _gradient,
    }
    found: list[Finding] = []
    for name, check in checks.items():
        try:
            found.append((name, *check()))
        except Exception as error:  # noqa: BLE001 - a check that raises is a finding
            found.append((name, False, f"{type(error).__name__}: {error}"))
    return found


def _versions() -> tuple[bool, str]:
    return True, ", ".join(f"{name} {version}" for name, version in environment()["versions"].items())


def _machine() -> tuple[bool, str]:
    memory = psutil.virtual_memory()
    here = environment()
    return True, f"{here['processor']}, {here['n_cores']} cores, {memory.available / 2**30:.1f} GiB free"


def _configuration() -> tuple[bool, str]:
    config = compose()
    return True, f"space {config.space}, data {config.data.name}, objectives {', '.join(config.objectives.names)}"


def _spaces() -> tuple[bool, str]:
    names = list(space_names())
    for name in names:
        load_space(name)
    return bool(names), ", ".join(names)


def _gradient() -> tuple[bool, str]:
    """d<Z>/dtheta of RX(theta) is -sin(theta)."""
    theta = Parameter("theta")
    circuit = QuantumCircuit(1)
    circuit.rx(theta, 0)
    layer = QuantumLayer(circuit, [theta], [], [SparsePauliOp("Z")])
    angle = torch.tensor([[0.7]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(angle).sum(), angle)
    error = abs(slope.item() + torch.sin(angle).item())
    return error < 1e-12, f"the derivative of cos(theta) is off by {error:.1e}"
