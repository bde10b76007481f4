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
    """Where evaluations run: "local" in worker processes of this machine, "serial" in this process.

    `workers`, of "local" only: None means one per processor core that this process may use.
    """

    name: str = "local"
    workers: int | None = None


@dataclass(frozen=True)
class Config:
    """Everything a run depends on. `run_dir` and `executor` say where it runs and never change its front."""

    run_dir: str = "runs/latest"
    seed: int = 0
    space: str = "hybrid"
    data: DataSettings = field(default_factory=DataSettings)
    objectives: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)


def schema() -> DictConfig:
    """The schema for Hydra. OmegaConf locks frozen dataclasses, so it is unlocked for overrides."""
    node = OmegaConf.structured(Config)
    OmegaConf.set_readonly(node, None)
    for item in fields(Config):
        child = node._get_node(item.name)
        if isinstance(child, DictConfig):
            OmegaConf.set_readonly(child, None)
    OmegaConf.set_struct(node.objectives.options, False)  # the objectives themselves know which options they take
    return node


def to_config(container: Any) -> Config:
    """The typed configuration of a resolved container; raises OmegaConf's errors for what does not fit the schema."""
    config = OmegaConf.to_object(OmegaConf.merge(schema(), container))
    assert isinstance(config, Config)
    return config
