"""Aer's engine on memory that numpy shares: each method used, and the life of its registers."""

import subprocess
import sys
import threading
from itertools import product

import numpy as np
import pytest
from qiskit.circuit.library import CXGate, HGate, RYGate, SwapGate
from qiskit.quantum_info import Statevector, random_statevector, random_unitary

from qnas.simulation.aer import Register, register


@pytest.fixture
def three_qubits():
    made = Register(3)
    made.amplitudes[:] = random_statevector(8, seed=1).data
    yield made
    made.close()


@pytest.mark.parametrize("qubits", [[0], [2], [1, 0], [0, 2], [2, 0, 1]])
def test_unitary_is_little_endian_in_its_qubits(three_qubits, qubits):
    before = Statevector(three_qubits.amplitudes.copy())
    gate = random_unitary(2 ** len(qubits), seed=2)
    three_qubits.unitary(qubits, gate.data)
    three_qubits.flush()
    np.testing.assert_allclose(three_qubits.amplitudes, before.evolve(gate, qubits).data, rtol=0, atol=1e-14)


UNITS = (1, -1, 1j, -1j)


@pytest.mark.parametrize("turned", [False, True], ids=["diagonal", "antidiagonal"])
@pytest.mark.parametrize("entries", list(product(UNITS, UNITS)))
def test_special_matrices_are_applied_as_they_are(three_qubits, entries, turned):
    """Aer has shortcuts for these, and takes diag(i, 1) for diag(1, i)."""
    before = three_qubits.amplitudes.copy().reshape(2, 2, 2)
    matrix = np.diag(entries).astype(complex)[:, ::-1] if turned else np.diag(entries).astype(complex)
    three_qubits.unitary([1], matrix)
    three_qubits.flush()
    expected = np.einsum("ij,ajb->aib", matrix, before).ravel()
    np.testing.assert_allclose(three_qubits.amplitudes, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("entries", list(product(UNITS, UNITS)))
def test_multiplexed_special_matrices_are_applied_as_they_are(three_qubits, entries):
    before = three_qubits.amplitudes.copy().reshape(4, 2)
    matrices = np.stack([np.diag(entries), np.eye(2), np.diag(entries[::-1]), np.eye(2)[::-1]]).astype(complex)
    three_qubits.multiplexer([1, 2], 0, matrices)
    three_qubits.flush()
    expected = np.einsum("bij,bj->bi", matrices, before).ravel()
    np.testing.assert_allclose(three_qubits.amplitudes, expected, rtol=0, atol=1e-14)


def test_multiplexer_applies_the_matrix_that_the_controls_select(three_qubits):
    before = three_qubits.amplitudes.copy()
    matrices = np.stack([RYGate(angle).to_matrix() for angle in (0.1, 0.2, 0.3, 0.4)])
    three_qubits.multiplexer([1, 2], 0, matrices)
    three_qubits.flush()
    expected = np.einsum("bij,bj->bi", matrices, before.reshape(4, 2)).ravel()
    np.testing.assert_allclose(three_qubits.amplitudes, expected, rtol=0, atol=1e-14)


def test_a_range_of_controls_and_a_broadcast_matrix_are_taken(three_qubits):
    before = Statevector(three_qubits.amplitudes.copy())
    matrices = np.concatenate([np.broadcast_to(HGate().to_matrix(), (4, 2, 2))])
    three_qubits.multiplexer(range(1, 3), 0, matrices)
    three_qubits.flush()
    np.testing.assert_allclose(three_qubits.amplitudes, before.evolve(HGate(), [0]).data, rtol=0, atol=1e-14)


def test_flush_runs_the_queue_in_order(three_qubits):
    before = Statevector(three_qubits.amplitudes.copy())
    three_qubits.unitary([0], HGate().to_matrix())
    three_qubits.unitary([0, 1], CXGate().to_matrix())
    three_qubits.unitary([1, 2], SwapGate().to_matrix())
    three_qubits.flush()
    expected = before.evolve(HGate(), [0]).evolve(CXGate(), [0, 1]).evolve(SwapGate(), [1, 2])
    np.testing.assert_allclose(three_qubits.amplitudes, expected.data, rtol=0, atol=1e-14)


def test_what_numpy_writes_between_flushes_is_what_aer_sees(three_qubits):
    three_qubits.unitary([0], HGate().to_matrix())
    three_qubits.flush()
    three_qubits.amplitudes[:] = np.eye(8)[3]
    three_qubits.unitary([2], HGate().to_matrix())
    three_qubits.flush()
    expected = np.sqrt(0.5) * (np.eye(8)[3] + np.eye(8)[7])
    np.testing.assert_allclose(three_qubits.amplitudes, expected, rtol=0, atol=1e-15)


def test_close_may_be_called_twice():
    made = Register(2)
    made.close()
    made.close()


def test_a_register_is_kept_for_the_next_sweep():
    with register(5) as first:
        pass
    with register(5) as second:
        assert second is first


def test_sweeps_inside_each_other_have_registers_of_their_own():
    with register(5) as outer, register(5) as inner:
        assert inner is not outer
        inner.amplitudes[:] = 0
        outer.amplitudes[:] = 1
        assert not inner.amplitudes.any()


def test_a_register_that_an_exception_leaves_is_not_used_again():
    with pytest.raises(ZeroDivisionError), register(6) as broken:
        broken.amplitudes[:] = 1
        broken.unitary([0], np.zeros((2, 2), dtype=complex))
        raise ZeroDivisionError
    with register(6) as fresh:
        assert fresh is not broken
        fresh.amplitudes[:] = 1
        fresh.flush()
        assert np.array_equal(fresh.amplitudes, np.ones(64))


def test_large_registers_are_not_kept():
    with register(19) as first:
        pass
    with register(19) as second:
        assert second is not first


def test_threads_have_registers_of_their_own():
    found = []

    def use():
        with register(4) as own:
            found.append(own)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    with register(4) as mine:
        assert mine is not found[0]


LIFE = """
import threading
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qnas import QuantumLayer
from qnas.simulation.aer import Register, register

def layer(n_qubits):
    circuit, x, w = QuantumCircuit(n_qubits), Parameter("x"), Parameter("w")
    circuit.ry(x, 0)
    circuit.rx(w, n_qubits - 1)
    return QuantumLayer(circuit, [x], [w], [SparsePauliOp("Z" * n_qubits)])

def use(times):
    for k in range(times):
        layer(1 + k % 3)(torch.ones(1 + k % 2, 1)).sum().backward()

use(1000)
threads = [threading.Thread(target=use, args=(250,)) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]

for _ in range(50):
    Register(3)
    try:
        with register(3) as left:
            left.unitary([0], torch.eye(2, dtype=torch.complex128).numpy())
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass

alive = layer(2)
alive(torch.ones(2, 1))
waiting = Register(4)
waiting.unitary([0], torch.eye(2, dtype=torch.complex128).numpy())
print("done")
"""


def run(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, **options)


@pytest.mark.slow
def test_thousands_of_layers_some_in_threads_come_and_go():
    """Two thousand layers, exceptions amid a sweep, and an exit with open registers and gates in the queue."""
    finished = run(LIFE)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "done\n", "")


def test_an_exception_that_ends_the_process_amid_a_sweep_is_all_that_is_seen():
    finished = run(
        "from qnas.simulation.aer import register\nwith register(3) as r:\n    r.flush()\n    raise SystemExit(7)"
    )
    assert (finished.returncode, finished.stderr) == (7, "")


SPAWN = """
import multiprocessing, sys
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qnas import QuantumLayer

def value(angle):
    circuit, x = QuantumCircuit(1), Parameter("x")
    circuit.ry(x, 0)
    layer = QuantumLayer(circuit, [x], [], [SparsePauliOp("Z")])
    return layer(torch.tensor([[angle]])).item()

if __name__ == "__main__":
    here = [value(angle) for angle in (0.3, 1.2)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.map(value, [0.3, 1.2])
        pool.close()
        pool.join()
    assert here == there, (here, there)
    print("done")
"""


@pytest.mark.slow
def test_a_spawned_worker_uses_a_layer(tmp_path):
    script = tmp_path / "workers.py"
    script.write_text(SPAWN)
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "done\n", "")
