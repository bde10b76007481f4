"""The engine in rough hands: thousands of layers, interrupts, threads, exits, and memory. Each in a process of its own.

Not here: a fork after Aer was used, which is not supported (see `qnas.simulation.aer`).
"""

import subprocess
import sys
from textwrap import dedent

import pytest

pytestmark = pytest.mark.slow

COMMON = """
import atexit, gc, os, pickle, signal, sys, threading, time
import numpy as np
import psutil
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qnas import QuantumLayer
from qnas.simulation.aer import Register, register

def layer(n_qubits, seed=0):
    circuit, x, w = QuantumCircuit(n_qubits), Parameter("x"), ParameterVector("w", n_qubits)
    for k in range(n_qubits):
        circuit.ry(x if k == 0 else w[k], k)
        circuit.rzx(w[k], k, (k + 1) % n_qubits) if n_qubits > 1 else circuit.rx(w[k], k)
    circuit.ry(x, n_qubits - 1)
    observables = [SparsePauliOp("Z" * n_qubits), SparsePauliOp("X" * n_qubits)]
    return QuantumLayer(circuit, [x], list(w), observables, generator=torch.Generator().manual_seed(seed))

def train(model, steps=20, batches=(3, 5, 8, 1, 13, 2)):
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for step in range(steps):
        optimiser.zero_grad()
        inputs = torch.linspace(-1, 1, batches[step % len(batches)], dtype=torch.float64)[:, None]
        model(inputs).square().sum().backward()
        optimiser.step()
    return model.weight.detach().tolist()

def resident():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20
"""


def run(code, *, timeout=120):
    return subprocess.run(
        [sys.executable, "-c", COMMON + dedent(code)], capture_output=True, text=True, timeout=timeout
    )


def ends_well(code, *, printed="done", timeout=120):
    finished = run(code, timeout=timeout)
    assert (finished.returncode, finished.stdout.strip(), finished.stderr) == (0, printed, "")


# --- interrupts -------------------------------------------------------------------------------------------------------


def test_an_error_at_any_gate_of_a_sweep_spoils_nothing():
    ends_well(
        """
        model, inputs = layer(3), torch.ones(3, 1, dtype=torch.float64)
        def gradient():
            return torch.autograd.grad(model(inputs).sum(), model.weight)[0]
        def failing(whole, fails_at, error):
            calls = iter(range(10**6))
            def gate(self, *arguments):
                if next(calls) == fails_at:
                    raise error("amid a sweep")
                return whole(self, *arguments)
            return gate
        expected = gradient()
        for method in ("unitary", "multiplexer", "flush"):
            for error in (ValueError, KeyboardInterrupt, MemoryError):
                whole, n_raised = getattr(Register, method), 0
                for fails_at in range(20):
                    setattr(Register, method, failing(whole, fails_at, error))
                    try:
                        gradient()
                    except error:
                        n_raised += 1
                    setattr(Register, method, whole)
                    assert torch.equal(gradient(), expected)
                assert n_raised >= 2, (method, error, n_raised)
        print("done")
        """
    )


def test_interrupts_at_any_time_spoil_nothing():
    """A timer raises KeyboardInterrupt wherever the training happens to be, three hundred times.

    Two of torch and Python are put right: one amid the end of an optimiser's step leaves gradients off in the thread,
    and one in a destructor is swallowed, so that the wait for it must end.
    """
    finished = run(
        """
        def interrupt(number, frame):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, interrupt)
        expected, n_interrupts = train(layer(4)), 0
        rng = np.random.default_rng(0)
        while n_interrupts < 300:
            try:
                ends = time.monotonic() + 1
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 2e-2))
                while time.monotonic() < ends:
                    train(layer(4), steps=3)
            except KeyboardInterrupt:
                n_interrupts += 1
                torch.set_grad_enabled(True)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert train(layer(4)) == expected
        print("done")
        """
    )
    assert (finished.returncode, finished.stdout) == (0, "done\n"), finished.stderr


# --- threads and processes --------------------------------------------------------------------------------------------


def test_threads_that_train_at_once_find_the_numbers_of_one():
    ends_well(
        """
        sys.setswitchinterval(1e-5)
        expected = [train(layer(2 + k, k)) for k in range(4)]
        found = [None] * 4
        def work(k):
            found[k] = train(layer(2 + k, k))
        for _ in range(5):
            threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            assert found == expected
        print("done")
        """
    )


def test_a_layer_may_be_dropped_in_another_thread_than_made_it():
    ends_well(
        """
        made = []
        def make():
            for k in range(50):
                model = layer(1 + k % 5)
                made.append((model, model(torch.ones(3, 1)), Register(3)))
        def drop():
            while made:
                model, value, _ = made.pop()
                value.sum().backward()
        for work in (make, drop, make):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        drop()
        gc.collect()
        print("done")
        """
    )


WORKERS = """
import multiprocessing

def work(model):
    return train(model)

if __name__ == "__main__":
    models = [layer(2), layer(3)]
    models[0](torch.ones(2, 1)).sum().backward()
    expected = [train(pickle.loads(pickle.dumps(model))) for model in models]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(work, models)
        pool.close()
        pool.join()
    assert found == expected
    print("done")
"""


def test_layers_travel_to_spawned_processes(tmp_path, pytestconfig):
    script = tmp_path / "workers.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(pytestconfig.rootpath)!r})\n" + COMMON + WORKERS)
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=240)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "done\n", "")


# --- the end of the interpreter ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "left",
    [
        "model = layer(3); value = model(torch.ones(2, 1))",
        "waiting = Register(3); waiting.unitary([0], np.eye(2, dtype=complex))",
        "model = layer(3); model.own = [model]; model(torch.ones(2, 1)); del model",
        "inside = register(3); inside.__enter__().unitary([0], np.eye(2, dtype=complex))",
        "model = layer(3); atexit.register(lambda: train(model))",
        "threading.Thread(target=train, args=(layer(3),)).start()",
    ],
    ids=["a global", "queued gates", "a cycle", "amid a sweep", "training at exit", "a thread that outlives main"],
)
def test_what_is_alive_at_the_end_of_the_interpreter_does_no_harm(left):
    ends_well(f"{left}\nprint('done')")


@pytest.mark.parametrize("slow_exit", [False, True], ids=["quick exit", "slow exit"])
def test_daemon_threads_amid_a_sweep_do_no_harm(slow_exit):
    """They go on while exit functions run, on registers that must stay open, and are frozen wherever they are.

    The simulator alone: torch aborts when the interpreter exits while a daemon thread is in any of its calls.
    """
    ends_well(
        f"""
        from qnas.simulation.contract import Binding
        if {slow_exit}:
            atexit.register(time.sleep, 0.5)
        started = threading.Barrier(4)
        def work(n_qubits):
            function = layer(n_qubits).function
            executable, n_varying = function._executable, 2
            binding = Binding(np.ones(function.program.n_slots - n_varying), np.ones((5, n_varying)))
            started.wait()
            while True:
                values, residual = executable.forward(binding)
                executable.backward(binding, residual, values)
        for n_qubits in (2, 3, 9):
            threading.Thread(target=work, args=(n_qubits,), daemon=True).start()
        started.wait()
        time.sleep(0.2)
        print("done")
        """
    )


# --- memory -----------------------------------------------------------------------------------------------------------


def test_memory_is_flat_over_ten_thousand_steps():
    """Batches of forty sizes, so that layouts come and go."""
    finished = run(
        """
        model = layer(4)
        sizes = tuple(range(1, 41))
        train(model, 1000, sizes)
        before = resident()
        train(model, 9000, sizes)
        print(resident() - before)
        """,
        timeout=300,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert float(finished.stdout) < 4, "MiB"


def test_memory_is_flat_over_two_thousand_layers_of_different_widths():
    finished = run(
        """
        def use(times):
            for k in range(times):
                layer(1 + k % 10)(torch.ones(1 + k % 7, 1)).sum().backward()
        use(500)
        before = resident()
        use(2000)
        print(resident() - before)
        """,
        timeout=300,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert float(finished.stdout) < 6, "MiB"


def test_memory_is_flat_over_threads_that_come_and_go():
    """A thread takes its registers with it."""
    finished = run(
        """
        def use(times):
            for _ in range(times):
                thread = threading.Thread(target=lambda: model(torch.ones(64, 1)).sum().backward())
                thread.start()
                thread.join()
        model = layer(8)
        use(50)
        before = resident()
        use(500)
        print(resident() - before)
        """,
        timeout=300,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert float(finished.stdout) < 6, "MiB"
