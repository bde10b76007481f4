"""Designs and circuits as text that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Instruction

from qnas.architecture import Architecture

MAX_LINES = 48
"""A drawing is cut where it would have more lines, between two rows of it."""
_MAX_PARAMS = 4
"""A gate with more parameters does not show them all."""


def circuit_text(circuit: QuantumCircuit, width: int) -> str:
    """Qiskit's drawing of a circuit, folded to a width; of a long one the beginning, and a sentence.

    Args:
        circuit: any.
        width: in columns.
    """
    n_qubits = max(circuit.num_qubits, 1)
    lines = str(_narrow(circuit).draw("text", fold=max(width, 20), cregbundle=False)).splitlines()
    n_row = 2 * n_qubits + 1
    n_shown = max(1, MAX_LINES // n_row) * n_row
    if len(lines) <= n_shown:
        return "\n".join(lines)
    n_rows, n_left = -(-len(lines) // n_row), n_shown // n_row
    cut = f"... cut after {n_left} of {n_rows} rows; qnas.build_circuit(architecture, n_features).draw() shows all."
    return "\n".join([*lines[:n_shown], cut])


def _narrow(circuit: QuantumCircuit) -> QuantumCircuit:
    """For drawing: gates of many parameters, such as amplitudes, name the first and the last."""
    drawn = circuit.copy_empty_like()
    for step in circuit.data:
        gate, params = step.operation, list(step.operation.params)
        if len(params) > _MAX_PARAMS:
            gate = Instruction(f"{gate.name}({params[0]}, ..., {params[-1]})", gate.num_qubits, gate.num_clbits, [])
        drawn.append(gate, step.qubits, step.clbits)
    return drawn


def design_text(architecture: Architecture, order: Iterable[str] = ()) -> str:
    """The values of an architecture on one line: "n_qubits=3 encoding=angle(axis=y) layers=[2 x (ry cx ring)]".

    Args:
        architecture: any.
        order: values that come first, in this order; all others follow by name.
    """
    first = [key for key in order if key in architecture]
    keys = [*first, *(key for key in architecture if key not in first)]
    return " ".join(f"{key}={_text(architecture[key])}" for key in keys)


def _text(value: Any) -> str:
    if isinstance(value, Architecture) and "name" in value:
        options = ", ".join(f"{key}={_text(value[key])}" for key in value if key != "name")
        return f"{value['name']}({options})" if options else str(value["name"])
    if isinstance(value, Architecture):  # a layer, whose texts speak for themselves
        return f"({' '.join(one if isinstance(one, str) else f'{key}={_text(one)}' for key, one in value.items())})"
    if isinstance(value, tuple):
        runs = [(_text(item), len(list(run))) for item, run in groupby(value)]
        return f"[{', '.join(_run(text, n) for text, n in runs)}]"
    return str(value)


def _run(text: str, n: int) -> str:
    """Equal layers are written once."""
    return f"{n} x {text}" if n > 1 and "(" in text else ", ".join([text] * n)
