"""The 19 templates of Sim, Johnson and Aspuru-Guzik 2019 (arXiv 1905.10876) measured, as their figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from qnas.circuit.ansatze.sim2019 import SIM2019, sim2019
from qnas.errors import ConfigurationError
from qnas.experiment.evaluation import single_thread
from qnas.front.plots import is_within_floor, save_figure
from qnas.front.scatter import plot_scatter
from qnas.front.tables import write_csv
from qnas.objectives import entangling_capability, expressibility
from qnas.objectives.entangling import haar_entanglement


def about_templates(n_qubits: int, n_layers: int) -> str:
    """What is measured."""
    return f"Templates of Sim et al. 2019 on {n_qubits} qubits, {n_layers} layer{'s' * (n_layers > 1)}"


def write_templates(
    directory: Path, n_qubits: int = 4, n_layers: int = 1, seed: int = 0, watch: Callable[[str], None] = lambda _: None
) -> pd.DataFrame:
    """Measure all templates, and write `templates.csv` and the scatter `templates.png`.

    Args:
        directory: where; it is made.
        n_qubits, n_layers: of each circuit.
        seed: of all weights.
        watch: is told which template is measured.

    Returns:
        One row per template: expressibility (nats) and entangling capability (Q) with standard errors, Haar floor and
        whether it is reached, weights and two-qubit gates.

    Raises:
        ConfigurationError: there are fewer than 2 qubits, or no layers.
    """
    if n_qubits < 2 or n_layers < 1:
        raise ConfigurationError(
            f"the templates entangle qubits in layers, but there are {n_qubits} qubits and {n_layers} layers; give at "
            "least 2 qubits and 1 layer."
        )
    rows = []
    for template in SIM2019:
        watch(f"template {template}")
        circuit = sim2019(n_qubits, template, n_layers)
        with single_thread():
            found, entangled = expressibility(circuit, seed=seed), entangling_capability(circuit, seed=seed)
        rows.append(
            {
                "template": template,
                "expressibility": found.value,
                "expressibility_se": found.standard_error,
                "haar_floor": found.haar_floor,
                "entangling_capability": entangled.value,
                "entangling_capability_se": entangled.standard_error,
                "n_parameters": circuit.num_parameters,
                "n_two_qubit_gates": circuit.num_nonlocal_gates(),
            }
        )
    table = pd.DataFrame(rows)
    reached = is_within_floor(
        *(table[name].to_numpy() for name in ("expressibility", "expressibility_se", "haar_floor"))
    )
    table.insert(4, "within_floor", reached)
    directory.mkdir(parents=True, exist_ok=True)
    write_csv(directory / "templates.csv", table)
    figure = plot_scatter(table, haar_entanglement(n_qubits), about_templates(n_qubits, n_layers))
    save_figure(figure, directory / "templates.png")
    return table
