"""Sampled simulation on Aer: expectation values from measured shots, ideal or with the noise of a backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from jaxtyping import Bool, Float
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qnas.circuit.backends import BackendChoice
from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError, ConfigurationError, unknown
from qnas.references import cites
from qnas.simulation.backends import Device, device
from qnas.simulation.contract import EVERYTHING, Binding, Gradients, Needs, Spent
from qnas.simulation.gradients import Points, Spsa, Wanted, parameter_shift
from qnas.simulation.measured import MeasuredCircuits, Shots
from qnas.simulation.measurement import measurement
from qnas.simulation.memory import check_memory
from qnas.simulation.preparation import preparation_angles

GRADIENTS = ("parameter_shift", "spsa")
_LARGEST_SEED = 2**62


@cites(by_option={"gradient": {"parameter_shift": "mitarai2018", "spsa": "spall1992"}})
@dataclass(frozen=True)
class SampledSimulator:
    """Expectation values as means over shots; what a real backend would measure.

    Attributes:
        n_shots: per measured circuit.
        gradient: "parameter_shift" (exact but for shot noise; two circuits per slot and sample) or "spsa" (two
            circuits per sample and direction).
        spsa_step: how far SPSA moves each slot, in radians.
        n_spsa_averages: over how many directions SPSA averages.
        backend: whose gates and noise; None for ideal ones.
        noise: errors of your own instead, on gates among which the circuit is transpiled, the model's basis gates.
        seed: of all shots and of SPSA's directions; layers and copies with one seed draw the same shots.
        memory_bytes: the budget of one circuit; by default what is available when it is prepared.

    Raises:
        ConfigurationError: a value is out of its range.
    """

    n_shots: int = 1024
    gradient: str = "parameter_shift"
    spsa_step: float = 0.2
    n_spsa_averages: int = 1
    backend: BackendChoice | None = None
    noise: NoiseModel | None = field(default=None, hash=False)
    seed: int = 0
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.n_shots < 1:
            raise ConfigurationError(f"n_shots is {self.n_shots}; a circuit needs at least 1 shot.")
        if self.gradient not in GRADIENTS:
            raise ConfigurationError(unknown("gradient", self.gradient, GRADIENTS, "Set simulation.gradient."))
        if not 0 < self.spsa_step < np.inf:
            raise ConfigurationError(f"spsa_step is {self.spsa_step}; it is an angle in radians above 0.")
        if self.n_spsa_averages < 1:
            raise ConfigurationError(f"n_spsa_averages is {self.n_spsa_averages}; SPSA needs at least 1 direction.")
        if self.backend is not None and not isinstance(self.backend, BackendChoice):
            raise ConfigurationError(
                f"backend is {self.backend!r}; give BackendChoice('generic'), or None for no noise."
            )
        if self.noise is not None and not isinstance(self.noise, NoiseModel):
            raise ConfigurationError(f"noise is {self.noise!r}; give a NoiseModel of qiskit_aer.noise, or None.")
        if self.noise is not None and self.backend is not None:
            raise ConfigurationError(f"noise and the backend {self.backend.name!r} are both given; choose one of them.")
        if self.seed < 0:
            raise ConfigurationError(f"the simulator's seed is {self.seed}; it must not be negative.")

    def prepare(
        self, program: CircuitProgram, observables: Sequence[SparsePauliOp], varying: Bool[np.ndarray, " slots"]
    ) -> SampledExecutable:
        """See `qnas.simulation.contract.Simulator`."""
        check_memory(program, self.memory_bytes)
        return SampledExecutable(self, program, observables, varying)


class SampledExecutable:
    """One circuit program with its measurements, transpiled once; each forward and each backward is one job."""

    one_job = True

    def __init__(
        self,
        simulator: SampledSimulator,
        program: CircuitProgram,
        observables: Sequence[SparsePauliOp],
        varying: Bool[np.ndarray, " slots"],
    ) -> None:
        self._simulator = simulator
        self.varying = varying
        self._measurement = measurement(observables, program.n_qubits)
        self._circuits = MeasuredCircuits(program, self._measurement.groups, _device(simulator, program.n_qubits))
        if simulator.noise is not None:
            _check_noise(simulator.noise, self._circuits.circuits)
        of_shots, of_directions = np.random.SeedSequence(simulator.seed).spawn(2)
        self._seeds = np.random.default_rng(of_shots)
        self._directions = np.random.default_rng(of_directions)
        self.shifts = simulator.gradient == "parameter_shift"
        self.spent = Spent()
        self._lock = Lock()

    def forward(self, binding: Binding) -> tuple[Float[np.ndarray, "batch observables"], object]:
        """Expectation values; nothing is kept for `backward`."""
        return self._estimate(self._points(binding)), None

    def backward(
        self,
        binding: Binding,
        residual: object,
        cotangent: Float[np.ndarray, "batch observables"],
        needs: Needs = EVERYTHING,
    ) -> Gradients:
        """Estimates of the derivatives, by shots of their own."""
        varying = self._varying_in(binding)
        points, wanted = self._points(binding), Wanted.of(needs, varying)
        if self._simulator.gradient == "spsa":
            method = Spsa(self._simulator.spsa_step, self._simulator.n_spsa_averages)
            slopes = method(self._estimate, points, cotangent, wanted=wanted, rng=self._directions)
        else:
            slopes = parameter_shift(self._estimate, points, cotangent, wanted)
        return slopes.gradients(varying, has_amplitudes=binding.amplitudes is not None)

    def _varying_in(self, binding: Binding) -> Bool[np.ndarray, " slots"]:
        """Those that were prepared to, or all of them."""
        return np.ones_like(self.varying) if binding.varying.shape[1] == len(self.varying) else self.varying

    def _points(self, binding: Binding) -> Points:
        varying = self._varying_in(binding)
        angles = np.empty((binding.batch, len(varying)))
        angles[:, ~varying] = binding.shared
        angles[:, varying] = binding.varying
        none = np.empty((binding.batch, 0))
        return Points(angles, none if binding.amplitudes is None else binding.amplitudes)

    def _estimate(self, points: Points) -> Float[np.ndarray, "points observables"]:
        """Expectation values in |a|^2 times the normalised state, from one job."""
        angles, amplitudes = points.angles, points.amplitudes
        scale = np.ones(len(angles))
        if amplitudes.shape[1]:
            scale = (amplitudes**2).sum(axis=1)
            angles = np.concatenate([angles, preparation_angles(amplitudes)], axis=1)
        shots = Shots(self._simulator.n_shots, int(self._seeds.integers(_LARGEST_SEED)))
        counts = self._circuits.run(angles, shots)
        values = np.tile(self._measurement.constant, (len(angles), 1))
        for group, measured in zip(self._measurement.groups, counts, strict=True):
            if measured:
                values += group.estimates(measured)
        n_circuits = len(counts) * len(angles)
        with self._lock:
            before = self.spent
            self.spent = Spent(before.n_circuits + n_circuits, before.n_shots + n_circuits * self._simulator.n_shots)
        return scale[:, None] * values


def _device(simulator: SampledSimulator, n_qubits: int) -> Device | None:
    if simulator.noise is not None:
        return Device(AerSimulator(noise_model=simulator.noise), simulator.noise)
    return None if simulator.backend is None else device(simulator.backend, n_qubits)


def _check_noise(noise: NoiseModel, circuits: Sequence[QuantumCircuit]) -> None:
    """A model of other gates than the circuit's would be ignored without a word."""
    noisy, found = set(noise.noise_instructions), {name for circuit in circuits for name in circuit.count_ops()}
    if noisy and not noisy & found:
        raise CircuitError(
            f"the noise model has errors on {', '.join(sorted(noisy))}, but the circuit, written in the model's basis "
            f"gates, has only {', '.join(sorted(found - {'barrier'}))}; add errors on these, or change basis_gates."
        )
