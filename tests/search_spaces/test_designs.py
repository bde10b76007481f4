"""Designs of every bundled space: they become models that learn, and circuits that other software reads."""

import numpy as np
import pytest
import torch
from qiskit import qasm3
from qiskit.quantum_info import Operator, Statevector

from qnas.circuit.build import build_circuit
from qnas.circuit.lower import AMPLITUDE_ENCODING
from qnas.data import DataSettings, load_splits
from qnas.front.openqasm import amplitude_angles, to_openqasm
from qnas.model.hybrid import ModelBuilder
from qnas.model.training import effective, loss_function, tensors
from qnas.space import load_space, space_names
from tests.circuit.reference import state, unitary

WINE = load_splits(DataSettings("wine"))


def designs(name, n_designs):
    space = load_space(name)
    return [space.sample(seed) for seed in range(n_designs)]


def read_back(circuit, values):
    """The circuit after a journey through OpenQASM 3, at the same inputs and weights, which are given by name."""
    again = qasm3.loads(to_openqasm(circuit))
    legal = {name.replace("[", "_").replace("]", ""): value for name, value in values.items()}
    if has_amplitudes(circuit):
        amplitudes = np.array([legal[f"x_{k}"] for k in range(2**circuit.num_qubits)])
        legal |= {f"a_{k}": angle for k, angle in enumerate(amplitude_angles(amplitudes))}
    return again.assign_parameters(legal, strict=False)


def has_amplitudes(circuit):
    return any(step.operation.name == AMPLITUDE_ENCODING for step in circuit.data)


def are_the_same(again, circuit):
    """The states from |0...0>, where amplitudes are encoded, or else the unitaries, up to a global phase."""
    if has_amplitudes(circuit):
        return Statevector(again).equiv(Statevector(state(circuit.decompose(AMPLITUDE_ENCODING))), atol=1e-9)
    return Operator(again).equiv(Operator(unitary(circuit)), atol=1e-9)


def check_learns(architecture, seed):
    """A short step against the gradient makes the loss on 32 wines smaller."""
    features, targets = (values[:32] for values in tensors(WINE.train))
    builder = ModelBuilder(effective(architecture, "end_to_end"), WINE.n_features, WINE.n_outputs)
    builder.fit(tensors(WINE.train)[0])
    model, criterion = builder.build(seed), loss_function(WINE.task)
    before = criterion(model(features), targets)
    before.backward()
    for weight in model.parameters():
        assert bool(torch.isfinite(weight.grad).all())
        weight.data -= 1e-3 * weight.grad
    assert criterion(model(features), targets) < before


def check_exports(architecture, seed):
    circuit = build_circuit(architecture, WINE.n_features)
    rng = np.random.default_rng(seed)
    values = {parameter.name: rng.uniform(0.1, 3.0) for parameter in circuit.parameters}
    assert are_the_same(read_back(circuit, values), circuit.assign_parameters(values))


@pytest.mark.parametrize("name", space_names())
def test_some_designs_learn_and_are_read_back(name):
    for seed, architecture in enumerate(designs(name, 2)):
        check_learns(architecture, seed)
        check_exports(architecture, seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", space_names())
def test_200_designs_learn_and_are_read_back(name):
    for seed, architecture in enumerate(designs(name, 200)):
        check_learns(architecture, seed)
        check_exports(architecture, seed)
