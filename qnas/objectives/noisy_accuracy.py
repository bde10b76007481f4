"""Accuracy under the noise of a named backend."""

from __future__ import annotations

from dataclasses import asdict

from qnas.circuit.backends import BackendChoice
from qnas.model.training import predict
from qnas.objectives.accuracy import validation_score
from qnas.objectives.design import Design
from qnas.objectives.hardware import ANY, LEAST, chosen_backend
from qnas.objectives.objective import Estimate, objective
from qnas.references import cites
from qnas.simulation import SampledSimulator


@objective(
    "maximize",
    "fraction",
    cost="trained",
    reference="Aer's noise model of the backend (Javadi-Abhari et al. 2024, arXiv 2405.08810)",
    least=LEAST | {"n_shots": 1},
    built={"backend": chosen_backend},
)
@cites("qiskit2024")
def noisy_accuracy(design: Design, *, n_shots: int = 1024, backend: BackendChoice = ANY) -> Estimate:
    """The accuracy of the trained model on the validation split where its circuit runs on a backend, noise and all.

    The circuit is transpiled to the backend, and its expectation values are means over shots of Aer with the backend's
    noise model. The weights are those that training left, whatever simulator trained. The standard error, as for
    `accuracy`, holds both the choice of samples and the shots, because every sample has shots of its own; it does not
    hold the random numbers of training. Few shots lower the accuracy itself, too.

    Every sample is a circuit of its own, whose density matrix Aer follows through each gate and its noise; beyond 9
    qubits it follows one state vector per shot. One sample takes one thread of AMD EPYC 3 ms on 4 qubits, 7 ms on 6,
    50 ms on 8, and 2 s on 10, with three layers of RY, RZ and a ring of CX and 1,024 shots (Aer 0.18), and as many
    times as long as there are measured settings.

    Raises:
        CircuitError: the backend has fewer qubits than the circuit.
    """
    simulator = SampledSimulator(n_shots=n_shots, backend=backend, seed=design.integer_seed("noisy_accuracy"))
    builder = design.builder.on(simulator)
    model = builder.build(design.integer_seed("weights"))
    model.load_state_dict(design.trained.model.state_dict())
    value, error = validation_score(predict(model, design.splits.validation), design, "noisy_accuracy_bootstrap")
    return Estimate(value, error, asdict(builder.function.spent))
