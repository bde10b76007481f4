"""OpenQASM 3 text that any reader takes: legal names, standard gates, and no instruction without a gate sequence.

Amplitude encoding becomes a binary tree of uniformly controlled RY rotations (Möttönen, Vartiainen, Bergholm,
Salomaa 2004, arXiv quant-ph/0407010), whose angles are inputs of the exported circuit.
"""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit, qasm3
from qiskit.circuit import ParameterExpression, ParameterVector
from qiskit.circuit.library import get_standard_gate_name_mapping

from qnas.circuit.lower import AMPLITUDE_ENCODING
from qnas.errors import CircuitError

_KNOWN = {*get_standard_gate_name_mapping(), "barrier", AMPLITUDE_ENCODING}
_FUNCTION_OR_POWER = re.compile(r"[A-Za-z]\w*\(|\*\*")

_AMPLITUDE_NOTE = """\
The circuit starts by preparing v / |v|, amplitudes in the order of the basis states (q[0] is the lowest bit), for
  v = [{amplitudes}]
with rotations about y. Compute their angles, the inputs a_0 to a_{last}, from v (Python, numpy as np):
  a = []
  while len(v) > 1:
      even, odd = np.array(v[0::2]), np.array(v[1::2])
      a = [*(2 * np.arctan2(odd, even)), *a]
      v = np.hypot(even, odd)"""


def to_openqasm(circuit: QuantumCircuit) -> str:
    """The circuit as OpenQASM 3, which `qiskit.qasm3.loads` reads back as an equal circuit, up to a global phase.

    Parameters become inputs, `x[0]` is `x_0`. What such readers cannot express is an input of its own, and a comment
    at the head of the file says how to compute it: functions and powers of parameters (`f_0 = atan(x_0)`), and the
    angles `a_0, a_1, ...` that prepare the state of an amplitude encoding, see `amplitude_angles`.

    Raises:
        CircuitError: if an instruction has no gate sequence, if the amplitude encoding is not the first instruction,
            or if two parameters would get one name.
    """
    prepared, amplitude_note = _without_amplitudes(_in_standard_gates(circuit))
    plain, function_note = _without_functions(prepared)
    plain.global_phase = 0
    _check_names(plain)
    head = "".join(f"// {line}".rstrip() + "\n" for line in (*amplitude_note, *function_note))
    # Constants as numbers, because Qiskit's spelling as fractions of pi rounds to 1e-9.
    text = re.sub(r"\b3\.141592653589793\b", "pi", qasm3.dumps(plain, disable_constants=True))
    return head + re.sub(r"\b_(\w+?)_(\d+)_\b", r"\1_\2", text)


def amplitude_angles(amplitudes: Float[np.ndarray, "... N"]) -> Float[np.ndarray, "... N_minus_1"]:
    """The angles of the binary tree of RY rotations that prepares real amplitudes, up to their norm.

    Args:
        amplitudes: N = 2^n real numbers of any norm, in the order of the basis states.

    Returns:
        radians, level by level from the root, which rotates the highest qubit; signs are settled at the leaves.
    """
    levels: list[np.ndarray] = []
    while amplitudes.shape[-1] > 1:
        even, odd = amplitudes[..., 0::2], amplitudes[..., 1::2]
        levels.insert(0, 2 * np.arctan2(odd, even))
        amplitudes = np.hypot(even, odd)
    return np.concatenate(levels, axis=-1)


def _in_standard_gates(circuit: QuantumCircuit) -> QuantumCircuit:
    flat = circuit.copy_empty_like()
    for step in circuit.data:
        if step.operation.name in _KNOWN:
            flat.append(step)
        elif step.operation.definition is None:
            raise CircuitError(f"OpenQASM 3 cannot express {step.operation.name!r}: it has no gate sequence.")
        else:
            flat.compose(_in_standard_gates(step.operation.definition), step.qubits, step.clbits, inplace=True)
    return flat


def _without_amplitudes(circuit: QuantumCircuit) -> tuple[QuantumCircuit, list[str]]:
    """Replace the amplitude encoding by rotations; return the comment that defines their angles."""
    places = [k for k, step in enumerate(circuit.data) if step.operation.name == AMPLITUDE_ENCODING]
    if not places:
        return circuit, []
    if places != [0]:
        raise CircuitError(f"amplitude encoding must be the first instruction; it stands at the places {places}.")
    amplitudes = circuit.data[0].operation.params
    prepared = circuit.copy_empty_like()
    angles = ParameterVector("a", len(amplitudes) - 1)
    prepared.compose(_amplitude_tree(angles), circuit.data[0].qubits, inplace=True)
    for step in circuit.data[1:]:
        prepared.append(step)
    listed = ", ".join(_legal(str(amplitude)) for amplitude in amplitudes)
    return prepared, _AMPLITUDE_NOTE.format(amplitudes=listed, last=len(angles) - 1).splitlines()


def _amplitude_tree(angles: ParameterVector) -> QuantumCircuit:
    n_qubits = len(angles).bit_length()
    tree = QuantumCircuit(n_qubits)
    for n_controls in range(n_qubits):
        level = angles[2**n_controls - 1 : 2 ** (n_controls + 1) - 1]
        _uniformly_controlled_ry(tree, level, target=n_qubits - 1 - n_controls)
    return tree


def _uniformly_controlled_ry(circuit: QuantumCircuit, angles: list[ParameterExpression], target: int) -> None:
    """RY(angles[j]) on the target where the qubits above it hold the number j: CX and RY in Gray-code order."""
    for k in range(len(angles)):
        gray = k ^ (k >> 1)
        signed = [-angle if (j & gray).bit_count() % 2 else angle for j, angle in enumerate(angles)]
        circuit.ry(sum(signed[1:], signed[0]) / len(angles), target)
        if len(angles) > 1:
            flipped = gray ^ ((k + 1) ^ ((k + 1) >> 1)) if k + 1 < len(angles) else len(angles) // 2
            circuit.cx(target + flipped.bit_length(), target)


def _without_functions(circuit: QuantumCircuit) -> tuple[QuantumCircuit, list[str]]:
    """Replace each function or power of parameters by an input; return the comment that defines these inputs."""
    found = [str(angle) for step in circuit.data for angle in step.operation.params]
    names = dict.fromkeys(text for text in found if _FUNCTION_OR_POWER.search(text))
    if not names:
        return circuit, []
    inputs = dict(zip(names, ParameterVector("f", len(names)), strict=True))
    plain = circuit.copy_empty_like()
    for step in circuit.data:
        operation = step.operation.to_mutable()
        operation.params = [inputs.get(str(angle), angle) for angle in operation.params]
        plain.append(operation, step.qubits, step.clbits)
    defined = [f"  {_legal(value.name)} = {_legal(text)}" for text, value in inputs.items()]
    return plain, [
        "Compute these inputs from others (functions as in Python's math, and sign(x) is -1, 0 or 1):",
        *defined,
    ]


def _legal(text: str) -> str:
    """`x[0]` as OpenQASM 3 has it, `x_0`."""
    return re.sub(r"(\w+)\[(\d+)\]", r"\1_\2", text)


def _check_names(circuit: QuantumCircuit) -> None:
    names = [_legal(parameter.name) for parameter in circuit.parameters]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CircuitError(f"two parameters of the circuit would both be called {twice[0]!r} in OpenQASM 3.")
