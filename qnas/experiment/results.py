"""What a run has found: its evaluations, the front among them, tables, figures and designs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from qnas.architecture import Architecture
from qnas.circuit.build import build_circuit
from qnas.config import Config
from qnas.errors import DesignError, RunFolderError, unknown
from qnas.experiment.citations import cited_by
from qnas.experiment.evaluation import Evaluation, splits_of
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import gene_values, open_ledger
from qnas.experiment.losses import Box, Volumes, are_log, box_of, first_generation, losses_of, on_scales, violation_of
from qnas.experiment.parallel import parallel_map
from qnas.experiment.store import writing
from qnas.front.export import png, write_design
from qnas.front.files import write_at_once
from qnas.front.pareto import hypervolume, non_dominated
from qnas.front.plots import Axis, is_within_floor, plot_front, plot_hypervolume, save_figure
from qnas.front.tables import write_front
from qnas.model.hybrid import HybridModel, ModelBuilder
from qnas.model.weights import load_weights
from qnas.objectives import Objective, choose_objectives
from qnas.objectives.constraint import Constraint, constraints_of
from qnas.references import bibtex
from qnas.simulation import Simulator
from qnas.space import Space, load_space

OWN_COLUMNS = (
    "id", "fingerprint", "n_parameters", "violation", "stopped_at", "seconds", "seed", "reused", "on_front",
)  # fmt: skip
"""Columns of every table of a run, whatever its objectives and genes."""
_DRAWINGS_PER_PROCESS = 10  # Qiskit takes a third of a second for one


@dataclass(frozen=True)
class Findings:
    """All evaluations of a run by design id, in the order in which they were asked for.

    `remark` says why a search that has just ended is shorter than was asked for, if it is.
    """

    config: Config
    space: Space
    objectives: tuple[Objective, ...]
    evaluations: Mapping[int, Evaluation]
    remark: str = ""

    @property
    def losses(self) -> Float[np.ndarray, "k m"]:
        """One row per evaluation, smaller is better; NaN if it failed."""
        rows = [losses_of(evaluation, self.objectives) for evaluation in self.evaluations.values()]
        return np.array(rows).reshape(-1, len(self.objectives))

    @property
    def violations(self) -> Float[np.ndarray, " k"]:
        """How far each evaluation is from meeting the constraints; infinite if it failed."""
        return np.array([violation_of(evaluation, self.constraints) for evaluation in self.evaluations.values()])

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """On the values of the objectives."""
        return constraints_of(self.config.objectives.constraints, self.objectives)

    @property
    def on_front(self) -> Bool[np.ndarray, " k"]:
        """Which complete evaluations no other one beats, among those that meet the constraints, or come nearest."""
        complete = np.array([evaluation.complete for evaluation in self.evaluations.values()], dtype=bool)
        violations = np.where(complete, self.violations, np.inf)
        nearest = np.isfinite(violations) & (violations <= violations.min(initial=np.inf))
        losses = np.where(nearest[:, None], self.losses, np.nan)
        return non_dominated(losses, self.config.objectives.n_standard_errors * self._errors)

    @property
    def _errors(self) -> Float[np.ndarray, "k m"]:
        names = [objective.name for objective in self.objectives]
        rows = [[evaluation.errors.get(name, 0.0) for name in names] for evaluation in self.evaluations.values()]
        return np.array(rows).reshape(-1, len(names))

    @property
    def table(self) -> pd.DataFrame:
        """One row per complete evaluation, columns as in front.csv, and `on_front`."""
        on_front = self.on_front
        complete = np.array([evaluation.complete for evaluation in self.evaluations.values()], dtype=bool)
        table = self._table(complete).copy()  # in one piece, since a space may have hundreds of genes
        table["on_front"] = on_front[complete]
        return table

    @property
    def front(self) -> pd.DataFrame:
        """The rows on the front, best first by the first objective."""
        members = self._table(self.on_front)
        first = self.objectives[0]
        order = [first.name, "id"]
        return members.sort_values(order, ascending=[first.direction == "minimize", True]).reset_index(drop=True)

    @property
    def n_reused(self) -> int:
        """How many designs were taken from earlier runs."""
        return sum(bool(evaluation.reused) for evaluation in self.evaluations.values())

    @property
    def unmet(self) -> str:
        """A sentence if there are constraints and no design meets them all; empty if there are none."""
        if not self.constraints or (self.violations == 0).any():
            return ""
        instead = "those that come nearest stand here" if self.on_front.any() else "none was trained"
        return f"No design meets {' and '.join(map(str, self.constraints))}; {instead}."

    def hypervolume(self, box: Box | None = None) -> float:
        """Of all evaluations, in the unit of a box, by default of that which the first generation spans."""
        return hypervolume(self._scaled_losses(box or self.box()), np.ones(len(self.objectives)))

    def hypervolume_history(self) -> Float[np.ndarray, " k"]:
        """`hypervolume` after each evaluation."""
        volumes = Volumes(self.objectives, self.constraints, self.config.search.population)
        return np.array(volumes.after(self.evaluations), dtype=float)

    def box(self) -> Box:
        """The worst and the best of each loss, on its scale, in the first generation that has losses."""
        losses = self._losses_to_scale
        return box_of(losses[first_generation(losses, self.config.search.population)])

    @property
    def _losses_to_scale(self) -> Float[np.ndarray, "k m"]:
        losses = self.losses
        return on_scales(losses, self.objectives, are_log(losses, self.objectives))

    def _scaled_losses(self, box: Box) -> Float[np.ndarray, "k m"]:
        """Losses in a box; NaN for designs that do not meet the constraints."""
        worst, best = box
        scaled = (self._losses_to_scale - best) / (worst - best)
        return np.where((self.violations == 0)[:, None], scaled, np.nan)

    def _table(self, chosen: Bool[np.ndarray, " k"]) -> pd.DataFrame:
        pairs = zip(self.evaluations.items(), chosen, strict=True)
        rows = [self._row(design_id, evaluation) for (design_id, evaluation), wanted in pairs if wanted]
        table = pd.DataFrame(rows, columns=self._columns(), dtype=object)
        # columns with gaps stay objects, so that an integer gene that some designs lack stays an integer
        whole = [name for name in table if not table[name].isna().any()]
        return table.astype({name: table[name].infer_objects().dtype for name in whole})

    def _columns(self) -> list[str]:
        estimated = {name for evaluation in self.evaluations.values() for name in evaluation.errors}
        names = [objective.name for objective in self.objectives]
        errors = [f"{name}_se" for name in names if name in estimated]
        genes = [gene.name for gene in self.space.genes]
        optional = ["violation"] * bool(self.constraints)
        optional += ["stopped_at"] * (self.config.early_stopping.name != "off")
        reused = ["reused"] * bool(self.config.ledger.reuse)
        return ["id", "fingerprint", *names, *errors, *genes, "n_parameters", *optional, "seconds", "seed", *reused]

    def _row(self, design_id: int, evaluation: Evaluation) -> dict[str, Any]:
        return {
            "id": design_id,
            "fingerprint": evaluation.architecture.fingerprint,
            **evaluation.values,
            **{f"{name}_se": error for name, error in evaluation.errors.items()},
            **gene_values(self.space, evaluation.architecture),
            "n_parameters": evaluation.n_parameters,
            "violation": violation_of(evaluation, self.constraints),
            "stopped_at": evaluation.stopped_at,
            "seconds": round(evaluation.seconds, 3),
            "seed": evaluation.seed,
            "reused": evaluation.reused,
        }


def read_findings(run_dir: str | Path) -> Findings:
    """What the ledger of a run holds. Raises RunFolderError if there is no run."""
    folder = RunFolder(Path(run_dir))
    config = folder.read_config()
    space = load_space(config.space)
    objectives = choose_objectives(config.objectives.names, config.objectives.add, config.objectives.options)
    ledger = open_ledger(folder, config.ledger, objectives, space)
    return Findings(config, space, objectives, dict(sorted(ledger.evaluations())))


def write_results(folder: RunFolder, findings: Findings) -> None:
    """Write front.csv, front.json, references.bib, the figures and the design folders.

    Designs that left the front go at the very end, so that whatever table a kill leaves, its designs are there.

    Raises:
        RunError: something cannot be written; says how to go on.
    """
    with writing(folder.path):
        _write_results(folder, findings)


def _write_results(folder: RunFolder, findings: Findings) -> None:
    front = findings.front
    members = [(int(design_id), findings.evaluations[int(design_id)]) for design_id in front["id"]]
    architectures = {design_id: evaluation.architecture for design_id, evaluation in members}
    _write_designs(folder, splits_of(findings.config.data).n_features, architectures)
    _write_figures(folder, findings)
    details = [_record(design_id, evaluation) for design_id, evaluation in members]
    write_front(folder.path, front, details)
    _write_references(folder, findings)
    _remove_designs(folder, kept={str(design_id) for design_id, _ in members})


def _record(design_id: int, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": design_id,
        "fingerprint": evaluation.architecture.fingerprint,
        "values": dict(evaluation.values),
        "standard_errors": dict(evaluation.errors),
        "details": {name: dict(details) for name, details in evaluation.details.items()},
        "architecture": evaluation.architecture.to_dict(),
        "n_parameters": evaluation.n_parameters,
        "n_live_weights": evaluation.n_live_weights,
        "remark": evaluation.remark,
        "stopped_at": evaluation.stopped_at,
        "seconds": round(evaluation.seconds, 3),
        "seed": evaluation.seed,
        **({"reused": evaluation.reused} if evaluation.reused else {}),
    }


def _write_designs(folder: RunFolder, n_features: int, members: Mapping[int, Architecture]) -> None:
    weights = {k: _content(folder.weights_file(one.fingerprint)) for k, one in members.items()}
    new = {k: one for k, one in members.items() if not _holds(folder.designs / str(k), one, weights[k])}
    circuits = [build_circuit(architecture, n_features) for architecture in new.values()]
    drawings = parallel_map(png, circuits, _DRAWINGS_PER_PROCESS)
    for (design_id, architecture), circuit, drawing in zip(new.items(), circuits, drawings, strict=True):
        write_design(folder.designs / str(design_id), architecture, circuit, weights[design_id], drawing)


def _remove_designs(folder: RunFolder, kept: Set[str]) -> None:
    for directory in folder.designs.iterdir() if folder.designs.is_dir() else ():
        if directory.name not in kept:
            shutil.rmtree(directory)


def _holds(directory: Path, architecture: Architecture, weights: bytes | None) -> bool:
    """Whether the folder of a design is of this one, as it is trained now.

    A resumed run may take another course and give ids again, and it trains on what early stopping had not decided on.
    """
    try:
        held = Architecture.from_json((directory / "architecture.json").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, DesignError):
        return False
    same_weights = weights is None or weights == _content(directory / "weights.safetensors")
    return held.fingerprint == architecture.fingerprint and same_weights


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _write_references(folder: RunFolder, findings: Findings) -> None:
    complete = [evaluation.architecture for evaluation in findings.evaluations.values() if evaluation.complete]
    write_at_once(folder.references_file, bibtex(cited_by(findings.config, findings.objectives, complete)))


def _write_figures(folder: RunFolder, findings: Findings) -> None:
    folder.figures.mkdir(exist_ok=True)
    table = findings.table
    axes = [Axis(o.name, o.direction, o.unit, o.scale) for o in findings.objectives]  # type: ignore[arg-type]
    if len(table):
        figure = plot_front(table, table["on_front"].to_numpy(dtype=bool), axes, _within_floor(findings))
        save_figure(figure, folder.figures / "front.png")
        save_figure(plot_hypervolume(findings.hypervolume_history()), folder.figures / "hypervolume.png")


def _within_floor(findings: Findings) -> dict[str, Bool[np.ndarray, " k"]]:
    """By objective, which complete evaluations score no better than Haar-random states would."""
    complete = [evaluation for evaluation in findings.evaluations.values() if evaluation.complete]
    found = {}
    for name in (objective.name for objective in findings.objectives):
        values = np.array([evaluation.values[name] for evaluation in complete], dtype=float)
        errors = np.array([evaluation.errors.get(name, 0.0) for evaluation in complete], dtype=float)
        floors = [evaluation.details.get(name, {}).get("haar_floor", np.nan) for evaluation in complete]
        found[name] = is_within_floor(values, errors, np.array(floors, dtype=float))
    return found


class Result:
    """A finished run: its front as a table, and its members as trained models.

    Args:
        run_dir: the folder of the run.
    """

    def __init__(self, run_dir: str | Path) -> None:
        self.path = Path(run_dir)
        self._findings = read_findings(run_dir)

    @property
    def front(self) -> pd.DataFrame:
        """One row per member of the front; the columns are those of front.csv."""
        return self._findings.front

    @property
    def evaluations(self) -> pd.DataFrame:
        """One row per complete evaluation, with a column `on_front`."""
        return self._findings.table

    def load(self, design_id: int, simulator: Simulator | None = None) -> HybridModel:
        """The trained model of a member of the front, in evaluation mode.

        Args:
            design_id: as in front.csv.
            simulator: exact simulation on Aer by default, whatever the run trained with. The accuracy of a run with
                shots or noise comes from shots of its own, so that no simulator repeats it exactly.

        Raises:
            RunFolderError: no member of the front has this id, or no objective had it trained.
        """
        directory = RunFolder(self.path).designs / str(design_id)
        if not directory.is_dir():
            raise RunFolderError(unknown("design on the front,", design_id, self.front["id"]))
        weights = directory / "weights.safetensors"
        if not weights.is_file():
            raise RunFolderError(f"design {design_id} was not trained, because no objective of the run asks for that.")
        splits = splits_of(self._findings.config.data)
        architecture = Architecture.from_json((directory / "architecture.json").read_text())
        model = ModelBuilder(architecture, splits.n_features, splits.n_outputs, simulator).build(seed=0)
        load_weights(model, weights.read_bytes())
        return model.eval()

    def __repr__(self) -> str:
        return (
            f"Result({str(self.path)!r}: {len(self.front)} of {len(self._findings.evaluations)} designs on the front)"
        )
