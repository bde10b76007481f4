"""What a configuration names, and all that a user may have got wrong in it, seen before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qnas.config import Config
from qnas.errors import ConfigurationError, DesignError, UsageError
from qnas.experiment.budgets import budgeted
from qnas.experiment.candidates import EXCLUSIONS, Candidates, check_candidate, exclusions
from qnas.experiment.citations import cited_by_space
from qnas.experiment.evaluation import failure, splits_of
from qnas.experiment.executor import check_executor
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import check_ledger
from qnas.experiment.results import OWN_COLUMNS
from qnas.experiment.reuse import check_reuse
from qnas.experiment.rungs import check_early_stopping
from qnas.experiment.stopping import check_stopping
from qnas.model.training import effective
from qnas.objectives import Design, Objective, choose_objectives
from qnas.objectives.constraint import constraints_of
from qnas.search import Searcher, make_searcher
from qnas.simulation import make_simulator
from qnas.space import Space, load_space

_N_PROBES, _N_BUILT = 500, 100
"""How many designs are drawn, and how many could not be built, before a space counts as having none to evaluate."""


@dataclass(frozen=True)
class Plan:
    """What a configuration names, checked."""

    space: Space
    objectives: tuple[Objective, ...]
    candidates: Candidates
    searcher: Searcher


def check_run(config: Config, space: Space | None = None) -> Plan:
    """Everything that the user may have got wrong, checked without writing anything.

    Args:
        config: of the run.
        space: what `config.space` names, if it is at hand.

    Raises:
        UsageError: of the configuration, the space, the data, the objectives or the run folder.
    """
    RunFolder(Path(config.run_dir)).check(config, space)
    if config.seed < 0:
        raise ConfigurationError(f"seed is {config.seed}; allowed are whole numbers of at least 0.")
    space = space or load_space(config.space)
    objectives = choose_objectives(config.objectives.names, config.objectives.add, config.objectives.options)
    _check_columns(space, objectives)
    constraints_of(config.objectives.constraints, objectives)
    if not config.objectives.n_standard_errors >= 0:
        raise ConfigurationError(
            f"objectives.n_standard_errors is {config.objectives.n_standard_errors}; allowed are numbers of at least 0."
        )
    for name in space.budgets:
        budgeted(name)
    cited_by_space(config)
    config.training.check()
    check_executor(config.executor)
    check_ledger(config.ledger)
    check_reuse(config)
    check_stopping(config.stop)
    candidates = Candidates(space, splits_of(config.data), config.training)
    searcher = make_searcher(config.search, space, len(objectives), config.seed, candidates.network_of)
    check_early_stopping(config, objectives, searcher)
    check_space(space, config)
    return Plan(space, objectives, candidates, searcher)


def _check_columns(space: Space, objectives: Sequence[Objective]) -> None:
    """Raise ConfigurationError if two columns of front.csv, or of the table of all evaluations, have one name."""
    columns = [(name, "a column of every run") for name in OWN_COLUMNS]
    columns += [(gene.name, "a gene of the space") for gene in space.genes]
    columns += [(objective.name, "an objective") for objective in objectives]
    columns += [(f"{one.name}_se", f"the standard error of the objective {one.name!r}") for one in objectives]
    taken: dict[str, str] = {}
    for name, what in columns:
        if name in taken:
            raise ConfigurationError(
                f"front.csv would have two columns {name!r}, {taken[name]} and {what}; rename the gene, or the "
                "objective with @qnas.objective(..., name='another_name')."
            )
        taken[name] = what


def check_space(space: Space, config: Config) -> None:
    """Raise what is wrong if none of some sampled designs can be built on these data, this machine and its budgets."""
    splits, simulator = splits_of(config.data), make_simulator(config.simulation)
    excluded: list[DesignError] = []
    problems: list[BaseException] = []
    rng = np.random.default_rng(0)
    for _ in range(_N_PROBES):
        architecture = effective(space.decode(space.random_genotype(rng)), config.training.configuration)
        try:
            check_candidate(space.budgets, architecture, splits, config.training)
            design = Design(architecture, splits, config.training, seed=config.seed, simulator=lambda _: simulator)
            design.initial_model()
        except EXCLUSIONS as error:
            excluded.append(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a part of the user's may raise anything, also a panic in Rust
            problems.append(error)
            if len(problems) >= _N_BUILT:
                break
        else:
            return
    drawn = f"none of {len(excluded) + len(problems)} sampled designs of the space {config.space!r}"
    reasons = [failure(problems[0])[1].splitlines()[0].rstrip(".")] if problems else []
    reasons += [exclusions(excluded)] if excluded else []
    raise UsageError(f"{drawn} can be {'built' if problems else 'evaluated'}: {'; '.join(reasons)}.")
