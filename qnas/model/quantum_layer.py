"""Any plain Qiskit circuit as a torch module."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Real
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import BaseEstimatorV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import EstimatorQNN
from torch import Tensor, nn

from qnas.circuit.lower import lower
from qnas.circuit.parameters import check_used, parameter_list
from qnas.errors import CircuitError
from qnas.model import bridge
from qnas.model.quantum_function import QuantumFunction
from qnas.simulation.contract import Simulator, Spent


class QuantumLayer(nn.Module):
    """A torch module from any Qiskit circuit that lowers: (batch, n_inputs) -> (batch, n_observables), float64.

    Args:
        circuit: plain Qiskit; see `qnas.circuit.lower.lower` for what lowers.
        input_params: its parameters that are inputs, in the order of the columns of the input.
        weight_params: its trainable parameters, in the order of `weight`.
        observables: one expectation value each; qubit 0 is rightmost in a label.
        simulator: exact simulation on Aer by default.
        generator: draws the initial weights, uniform on [0, 2 pi); by default one with a fresh seed.

    Raises:
        CircuitError: the circuit does not lower or lacks a parameter, an observable has another width, or memory does
            not suffice.
    """

    def __init__(
        self,
        circuit: QuantumCircuit,
        input_params: Sequence[Parameter],
        weight_params: Sequence[Parameter],
        observables: Sequence[SparsePauliOp],
        simulator: Simulator | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.circuit = circuit
        self.input_params = parameter_list("input_params", input_params)
        self.weight_params = parameter_list("weight_params", weight_params)
        program = lower(circuit, self.input_params, self.weight_params)
        check_used(circuit, "input_params", self.input_params)
        check_used(circuit, "weight_params", self.weight_params)
        self.function = QuantumFunction(program, observables, simulator)
        self.observables = tuple(observables)
        self._draw(generator)

    @classmethod
    def from_function(
        cls,
        function: QuantumFunction,
        circuit: QuantumCircuit,
        parts: tuple[Sequence[Parameter], Sequence[Parameter], Sequence[SparsePauliOp]],
        *,
        generator: torch.Generator,
    ) -> QuantumLayer:
        """A layer of a function that is already prepared; `parts` are its inputs, weights and observables."""
        layer = cls.__new__(cls)
        nn.Module.__init__(layer)
        layer.circuit = circuit
        layer.input_params, layer.weight_params, layer.observables = (tuple(part) for part in parts)
        layer.function = function
        layer._draw(generator)
        return layer

    @classmethod
    def from_estimator_qnn(
        cls,
        qnn: EstimatorQNN,
        weights: Tensor | np.ndarray | Sequence[float] | None = None,
        simulator: Simulator | None = None,
    ) -> QuantumLayer:
        """The layer of an `EstimatorQNN` of Qiskit Machine Learning: its circuit, parameters and observables.

        The network's estimator, precision and gradient stay behind: values are the simulator's, exact by default, and
        gradients in inputs and weights come from the adjoint sweep. A circuit that has been laid out on a device is
        taken as it is, with the observables that the network holds, but without the qubits that it leaves idle.

        Args:
            qnn: the network; without inputs, the layer takes a batch of shape (batch, 0).
            weights: in the order of `qnn.weight_params`; drawn at random by default. A `TorchConnector` has them in
                `.weight`.
            simulator: exact simulation on Aer by default.

        Raises:
            CircuitError: as for the layer itself, or there are more or fewer weights than the network has.
        """
        parts = bridge.from_estimator_qnn(qnn)
        layer = cls(parts.circuit, parts.input_params, parts.weight_params, parts.observables, simulator)
        if weights is not None:
            layer._set(torch.as_tensor(weights, dtype=torch.float64).detach())
        return layer

    def _set(self, weights: Tensor) -> None:
        if weights.shape != self.weight.shape:
            raise CircuitError(f"weights have shape {tuple(weights.shape)}; expected {tuple(self.weight.shape)}.")
        self.weight.data = weights.clone()

    def to_estimator_qnn(
        self, estimator: BaseEstimatorV2 | None = None, pass_manager: PassManager | None = None
    ) -> EstimatorQNN:
        """An `EstimatorQNN` of Qiskit Machine Learning with the same values, to take the layer to any primitive.

        Such a network holds no weights; hand over those of the layer in each call, or once to a `TorchConnector`:

        >>> import numpy as np
        >>> import torch
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> from qiskit.quantum_info import SparsePauliOp
        >>> from qiskit_machine_learning.connectors import TorchConnector
        >>> from qnas import QuantumLayer
        >>> x, w = Parameter("x"), Parameter("w")
        >>> circuit = QuantumCircuit(2)
        >>> _ = circuit.ry(x, 0), circuit.crx(w, 0, 1)
        >>> layer = QuantumLayer(circuit, [x], [w], [SparsePauliOp("ZI"), SparsePauliOp("IZ")])
        >>> weights = layer.weight.detach().numpy()
        >>> qnn = layer.to_estimator_qnn()
        >>> inputs = torch.tensor([[0.3], [1.2]], dtype=torch.float64)
        >>> np.allclose(qnn.forward(inputs.numpy(), weights), layer(inputs).detach(), rtol=0, atol=1e-9)
        True
        >>> by_input, by_weight = qnn.backward(inputs.numpy(), weights)  # by parameter shift
        >>> model = TorchConnector(qnn, initial_weights=weights)  # a torch module, in torch's default precision
        >>> layer = QuantumLayer.from_estimator_qnn(qnn, weights)  # and back

        Where there are no inputs or no weights, the network wants None in their place. Its circuit is this one with
        controlled rotations and composite gates opened, because Aer's `EstimatorV2` (0.18) gives wrong values for
        controlled rotations with free parameters.

        Args:
            estimator: any primitive; forward and backward run at its own default precision. By default Qiskit's
                `StatevectorEstimator`, which is exact.
            pass_manager: lays the circuit out on a device, if the estimator needs it; the observables follow.

        Raises:
            CircuitError: the circuit begins with amplitude encoding, which such a network cannot differentiate, or the
                pass manager removed a parameter.
        """
        bridge.check_differentiable(self.function.program)
        parts = bridge.Parts(self.circuit, self.input_params, self.weight_params, self.observables)
        return bridge.to_estimator_qnn(parts, estimator, pass_manager)

    def _draw(self, generator: torch.Generator | None) -> None:
        if generator is None:
            generator = torch.Generator()
            generator.seed()
        start = torch.rand(len(self.weight_params), dtype=torch.float64, generator=generator)
        self.weight = nn.Parameter(2 * math.pi * start)

    def forward(self, inputs: Real[Tensor, "batch inputs"]) -> Float[Tensor, "batch observables"]:
        """Expectation values of the observables for each row of inputs; both are computed in double precision."""
        _check_tensor("inputs", inputs)
        _check_tensor("weights", self.weight)
        return self.function(inputs.to(torch.float64), self.weight.to(torch.float64))

    @property
    def spent(self) -> Spent:
        """Circuits run and shots taken so far; none in exact simulation."""
        return self.function.spent

    def extra_repr(self) -> str:
        """Sizes, for torch's print of a model."""
        program = self.function.program
        return (
            f"n_qubits={program.n_qubits}, n_inputs={program.n_inputs}, n_weights={program.n_weights}, "
            f"n_observables={len(self.observables)}"
        )


def _check_tensor(name: str, values: object) -> None:
    if not isinstance(values, Tensor):
        raise CircuitError(f"{name} are a {type(values).__name__}; give a torch tensor (torch.as_tensor makes one).")
    if values.is_complex():
        raise CircuitError(f"{name} have dtype {values.dtype}; give real numbers.")
    if values.device.type != "cpu" or values.layout != torch.strided:
        raise CircuitError(
            f"{name} are a tensor of layout {values.layout} on device {str(values.device)!r}; qnas computes on dense "
            "tensors on the CPU, so use .cpu() and .to_dense()."
        )
