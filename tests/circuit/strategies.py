"""Random circuits for property tests.

A strategy yields plain data: the number of qubits and, per gate, a name and a seed for its qubits and angles. `build`
makes the circuit outside the strategy, so that a failing example reads like a list of gates, and shrinks like one.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit import library as gates
from qiskit.quantum_info import SparsePauliOp

quick = settings(deadline=None, max_examples=40)
few = settings(deadline=None, max_examples=12)
seeds = st.integers(0, 2**32 - 1)

FIXED = {
    "x": gates.XGate, "y": gates.YGate, "z": gates.ZGate, "h": gates.HGate, "s": gates.SGate, "sdg": gates.SdgGate,
    "t": gates.TGate, "sx": gates.SXGate, "cx": gates.CXGate, "cy": gates.CYGate, "cz": gates.CZGate,
    "ch": gates.CHGate, "swap": gates.SwapGate, "iswap": gates.iSwapGate, "ecr": gates.ECRGate, "ccx": gates.CCXGate,
    "cswap": gates.CSwapGate, "mcx": lambda: gates.MCXGate(3),
}  # fmt: skip

PARAMETRISED = {
    "rx": gates.RXGate, "ry": gates.RYGate, "rz": gates.RZGate, "p": gates.PhaseGate, "u": gates.UGate,
    "crx": gates.CRXGate, "cry": gates.CRYGate, "crz": gates.CRZGate, "cp": gates.CPhaseGate, "cu": gates.CUGate,
    "rxx": gates.RXXGate, "ryy": gates.RYYGate, "rzz": gates.RZZGate, "rzx": gates.RZXGate,
    "open_crx": lambda angle: gates.CRXGate(angle, ctrl_state=0),
}  # fmt: skip

ARITY = {"u": 3, "cu": 4}
WIDTH = {name: make().num_qubits for name, make in FIXED.items()}
WIDTH |= {name: make(*[0.1] * ARITY.get(name, 1)).num_qubits for name, make in PARAMETRISED.items()}
WIDTH |= {"composite": 2, "evolution_1": 1, "evolution_2": 2, "evolution_3": 3}
RUNS = ("cx", "cz", "swap", "x", "z", "s", "h", "iswap", "ccx")
"""Gates of which runs merge."""


@dataclass(frozen=True)
class Circuit:
    """A random circuit; `skeleton` is the same with one parameter `angles[k]` per gate angle `expressions[k]`."""

    circuit: QuantumCircuit
    inputs: list[Parameter]
    weights: list[Parameter]
    skeleton: QuantumCircuit
    angles: list[Parameter]
    expressions: list[object]

    @property
    def n_qubits(self):
        return self.circuit.num_qubits

    @property
    def parameters(self):
        return [*self.inputs, *self.weights]

    def bound(self, values):
        """The circuit at these values of inputs and weights; those that no gate uses are left out."""
        named = dict(zip(self.parameters, map(float, values), strict=True))
        return self.circuit.assign_parameters({p: v for p, v in named.items() if p in set(self.circuit.parameters)})


def recipes(max_qubits=4, max_gates=14, names=tuple(WIDTH)):
    def on(n_qubits):
        fitting = st.sampled_from([name for name in names if WIDTH[name] <= n_qubits])
        return st.tuples(st.just(n_qubits), st.lists(st.tuples(fitting, seeds), min_size=1, max_size=max_gates))

    return st.integers(1, max_qubits).flatmap(on)


def expression(inputs, weights, rng):
    """An angle: a parameter as it is, an affine map, a product, a function, or a constant."""
    a, b = rng.choice(inputs), rng.choice(weights)
    c, d = rng.choice([*inputs, *weights], 2)
    return rng.choice(
        np.array(
            [a, b, 0.5 * a, -b, 1.5 - c, c + 0.3 * d, a * b, c * d, 0.7 * c * d + a - 1.0, a * a - b, a * b * c,
             a.sin(), b.arctan() * a, (0.3 * c).exp(), (c * d).cos() + b, c / (d * d + 2.0), 0.7, -2.3],
            dtype=object,
        )
    )  # fmt: skip


def build(recipe, n_inputs=2, n_weights=3):
    """The circuit of a recipe."""
    n_qubits, chosen = recipe
    inputs, weights = list(ParameterVector("x", n_inputs)), list(ParameterVector("w", n_weights))
    skeleton, angles, expressions = QuantumCircuit(n_qubits), [], []

    def angle(rng):
        angles.append(Parameter(f"angle_{len(angles)}"))
        expressions.append(expression(inputs, weights, rng))
        return angles[-1]

    for name, seed in chosen:
        rng = np.random.default_rng(seed)
        qubits = rng.permutation(n_qubits)[: WIDTH[name]].tolist()
        skeleton.append(gate(name, angle, rng), qubits)
    circuit = skeleton.assign_parameters(dict(zip(angles, expressions, strict=True)))
    return Circuit(circuit, inputs, weights, skeleton, angles, expressions)


def gate(name, angle, rng):
    """One gate; `angle(rng)` yields its parameters."""
    if name in FIXED:
        return FIXED[name]()
    if name in PARAMETRISED:
        return PARAMETRISED[name](*[angle(rng) for _ in range(ARITY.get(name, 1))])
    if name == "composite":
        inner = QuantumCircuit(2, name="composite")
        inner.ry(angle(rng), 0)
        inner.cx(0, 1)
        inner.append(gates.RZXGate(angle(rng)), [1, 0])
        return inner.to_instruction() if rng.integers(2) else inner.to_gate()
    label = "".join(rng.choice(list("XYZ"), WIDTH[name]))  # 0.5: the angle of the rotation is the time itself
    return gates.PauliEvolutionGate(SparsePauliOp(label, 0.5), angle(rng))


def observables(n_qubits, seed, n=3):
    """Random Hermitian operators: a diagonal one, one Pauli string, a sum of any strings."""
    rng = np.random.default_rng(seed)

    def labels(symbols, count):
        return ["".join(rng.choice(list(symbols), n_qubits)) for _ in range(count)]

    made = [
        SparsePauliOp(labels("IZ", 2), rng.normal(size=2)),
        SparsePauliOp(labels("XYZ", 1)),
        SparsePauliOp(labels("IXYZ", 3), rng.normal(size=3)),
    ]
    return made[:n]
