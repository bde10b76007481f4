"""One design as a folder that other tools can open: architecture, circuit (OpenQASM 3, QPY, drawing) and weights."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Instruction

from qnas.architecture import Architecture
from qnas.circuit.lower import AMPLITUDE_ENCODING
from qnas.front.openqasm import to_openqasm

_INCHES_PER_COLUMN = 0.42
_COLUMNS_PER_LINE = 25
_ROTATIONS = ("rx", "ry", "rz", "p", "u", "crx", "cry", "crz", "cu", "rxx", "ryy", "rzx")
_STYLE = {
    "name": "bw",
    "margin": [1.5, 0.1, 0.2, 0.2],
    "displaycolor": dict.fromkeys((*_ROTATIONS, "amplitudes"), ("#DCE9F5", "#000000")),
}


def write_design(
    directory: Path, architecture: Architecture, circuit: QuantumCircuit, weights: bytes | None, drawing: bytes
) -> None:
    """Write one design; the folder appears complete or not at all, and replaces an earlier one.

    Args:
        directory: the folder of the design; missing parents are made.
        architecture: becomes `architecture.json`.
        circuit: becomes `circuit.qasm` (see `to_openqasm`) and `circuit.qpy` (as it is; an amplitude encoding is an
            opaque instruction of the same name and parameters).
        weights: the content of `weights.safetensors`; None if the design was not trained, then there is no such file.
        drawing: the content of `circuit.png`; see `png`.

    Raises:
        CircuitError: if OpenQASM 3 cannot express the circuit; nothing is written then.
    """
    qasm = to_openqasm(circuit)
    unfinished = directory.with_name(f".{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        (unfinished / "architecture.json").write_text(architecture.to_json() + "\n", encoding="utf-8")
        (unfinished / "circuit.qasm").write_text(qasm, encoding="utf-8")
        with (unfinished / "circuit.qpy").open("wb") as file:
            qpy.dump(_with_amplitudes_opaque(circuit), file)
        (unfinished / "circuit.png").write_bytes(drawing)
        if weights is not None:
            (unfinished / "weights.safetensors").write_bytes(weights)
        _put_in_place(unfinished, directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def png(circuit: QuantumCircuit) -> bytes:
    """The circuit as a picture; see `draw_circuit`."""
    file = BytesIO()
    draw_circuit(circuit).savefig(file, format="png", dpi=150, pil_kwargs={"compress_level": 1})
    return file.getvalue()


def draw_circuit(circuit: QuantumCircuit) -> Figure:
    """The circuit as a figure on white ground, folded to the width of a page."""
    drawn = _with_amplitudes_opaque(circuit, name="amplitudes", with_params=False)
    drawn.global_phase = 0  # Qiskit would write it into pyplot's current figure
    figure = Figure(facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    # Qiskit fits its fonts to the figure; the figure must fit the circuit, whose extent is known only when drawn.
    axes.callbacks.connect("ylim_changed", lambda axes: figure.set_size_inches(_size_in_inches(axes)))
    drawn.draw("mpl", ax=axes, fold=_COLUMNS_PER_LINE, style=_STYLE, idle_wires=True)
    return figure


def _size_in_inches(axes: Axes) -> tuple[float, float]:
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return (right - left) * _INCHES_PER_COLUMN, (top - bottom) * _INCHES_PER_COLUMN


def _with_amplitudes_opaque(
    circuit: QuantumCircuit, *, name: str = AMPLITUDE_ENCODING, with_params: bool = True
) -> QuantumCircuit:
    """Qiskit asks every instruction for its gates, and amplitude encoding has none before its inputs are known."""
    opaque = circuit.copy_empty_like()
    for step in circuit.data:
        operation = step.operation
        if operation.name == AMPLITUDE_ENCODING:
            operation = Instruction(name, operation.num_qubits, 0, operation.params if with_params else [])
        opaque.append(operation, step.qubits, step.clbits)
    return opaque


def _put_in_place(unfinished: Path, directory: Path) -> None:
    replaced = directory.with_name(f".{directory.name}.replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    if directory.exists():
        directory.rename(replaced)
    unfinished.rename(directory)
    shutil.rmtree(replaced, ignore_errors=True)
