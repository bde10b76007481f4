"""The typed schema of the top-level configuration; the files in `conf/` fill it in."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from omegaconf import DictConfig, OmegaConf

from qnas.data import DataSettings
from qnas.model.training import TrainingSettings
from qnas.search import SearchSettings
from qnas.simulation import SimulationSettings


@dataclass(frozen=True)
class ObjectiveSettings:
    """Which objectives span the front.

    Attributes:
        names: bundled or installed objectives; the first colours the plots.
        add: Python files whose objectives are added.
        options: keyword options by objective, e.g. `{expressibility: {n_pairs: 2000}}`.
        constraints: bounds such as "accuracy >= 0.9"; designs that meet all go before those that do not.
        n_standard_errors: by less than so many standard errors no design beats another one on the front.
    """

    names: list[str] = field(default_factory=lambda: ["accuracy", "expressibility", "trainability", "flops"])
    add: list[str] = field(default_factory=list)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    constraints: list[str] = field(default_factory=list)
    n_standard_errors: float = 0.0


@dataclass(frozen=True)
class ExecutorSettings:
    """Where evaluations run, and what one of them may take.

    Attributes:
        name: "local" for worker processes of this machine, "serial" for this process, "dask" for a cluster that is
            there, "slurm" for one that is started by jobs.
        workers: of "local", None means one per processor core that this process may use; of "slurm", so many jobs.
        address: of the scheduler of "dask", e.g. "tcp://10.0.0.1:8786".
        seconds: wall-clock limit of one evaluation; None for no limit.
        memory_gib: memory limit of one evaluation, in GiB of its process; None for no limit.
        options: of "slurm", keywords of dask_jobqueue.SLURMCluster, e.g. `{queue: long, walltime: "8:00"}`.
    """

    name: str = "local"
    workers: int | None = None
    address: str | None = None
    seconds: float | None = None
    memory_gib: float | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerSettings:
    """Where evaluations are kept, and whose are used again.

    Attributes:
        url: of a database (SQLAlchemy), which several machines may use; None for `ledger.jsonl` in the run folder.
        reuse: folders of earlier runs; what they evaluated under the same conditions is not evaluated again.
    """

    url: str | None = None
    reuse: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EarlyStoppingSettings:
    """Which designs of a generation are trained to the end.

    Attributes:
        name: "off" for all; "halving" for those that rank best after some epochs, by non-dominated sorting; or
            "extrapolation", the same with the accuracy that the learning curve promises.
        first: after how many epochs designs are ranked for the first time.
        factor: one in so many designs goes on, and trains for so many times as many epochs before the next ranking.
    """

    name: str = "off"
    first: int = 3
    factor: int = 3


@dataclass(frozen=True)
class StopSettings:
    """When a search ends before its budget is spent; None for a rule that is off.

    Attributes:
        seconds: after so much wall-clock time of this process, with the next evaluation that completes; what else is
            being evaluated is left, and taken up again when the run goes on.
        hypervolume: once the front has this hypervolume, in the unit of the box that the first generation spans.
        patience: after so many evaluations without progress in hypervolume.
    """

    seconds: float | None = None
    hypervolume: float | None = None
    patience: int | None = None


@dataclass(frozen=True)
class Config:
    """Everything a run depends on.

    `run_dir`, `executor` and `ledger.url` say where it runs, `stop` when it pauses; they never change what it finds.
    """

    run_dir: str = "runs/latest"
    seed: int = 0
    space: str = "hybrid"
    data: DataSettings = field(default_factory=DataSettings)
    objectives: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    early_stopping: EarlyStoppingSettings = field(default_factory=EarlyStoppingSettings)
    stop: StopSettings = field(default_factory=StopSettings)


def schema() -> DictConfig:
    """The schema for Hydra. OmegaConf locks frozen dataclasses, so it is unlocked for overrides."""
    node = OmegaConf.structured(Config)
    OmegaConf.set_readonly(node, None)
    for item in fields(Config):
        child = node._get_node(item.name)
        if isinstance(child, DictConfig):
            OmegaConf.set_readonly(child, None)
    for options in (node.objectives.options, node.executor.options):  # whose owners know which ones they take
        OmegaConf.set_struct(options, False)
    return node


def to_config(container: Any) -> Config:
    """The typed configuration of a resolved container; raises OmegaConf's errors for what does not fit the schema."""
    config = OmegaConf.to_object(OmegaConf.merge(schema(), container))
    assert isinstance(config, Config)
    return config
