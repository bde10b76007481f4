"""Which parameters of a circuit are inputs and which are weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qnas.errors import CircuitError


def parameter_list(name: str, parameters: object) -> tuple[Parameter, ...]:
    """The caller's parameters as a tuple; `name` is what the caller knows them by.

    Raises:
        CircuitError: it is no list, or holds something else than parameters.
    """
    if isinstance(parameters, str | Parameter) or not isinstance(parameters, Iterable):
        raise CircuitError(f"{name} is {parameters!r}; give a list of Parameters, [] if there are none.")
    found = tuple(parameters)
    for parameter in found:
        if not isinstance(parameter, Parameter):
            raise CircuitError(
                f"{name} hold {parameter!r}, which is a {type(parameter).__name__}; give the Parameter objects of the "
                "circuit (circuit.parameters lists them)."
            )
    return found


def check_parameters(circuit: QuantumCircuit, inputs: Sequence[Parameter], weights: Sequence[Parameter]) -> None:
    """Raise CircuitError unless every parameter of the circuit is one input or one weight."""
    given = [*inputs, *weights]
    twice = sorted({parameter.name for parameter in given if given.count(parameter) > 1})
    if twice:
        raise CircuitError(
            f"each parameter is one input or one weight, but these are named twice: {', '.join(twice)}; name each once."
        )
    missing = sorted(parameter.name for parameter in set(circuit.parameters) - set(given))
    namesakes = sorted(set(missing) & {parameter.name for parameter in given})
    if namesakes:
        raise CircuitError(
            f"the circuit's parameters {', '.join(namesakes)} are not those that are given under these names, because "
            "two Parameters that are made apart differ; give the circuit's own (circuit.parameters lists them)."
        )
    if missing:
        raise CircuitError(
            f"the circuit has parameters that are neither inputs nor weights: {', '.join(missing)}; "
            "add them to input_params or weight_params, or bind them with circuit.assign_parameters."
        )


def check_used(circuit: QuantumCircuit, name: str, parameters: Sequence[Parameter]) -> None:
    """Raise CircuitError if the circuit lacks some of the parameters; `name` is what the caller knows them by."""
    own = set(circuit.parameters)
    lacking = [parameter.name for parameter in parameters if parameter not in own]
    if lacking:
        raise CircuitError(
            f"{name} hold {', '.join(lacking)}, which the circuit lacks; take them out, or use them in a gate. It has: "
            f"{', '.join(parameter.name for parameter in circuit.parameters) or 'none'}."
        )
