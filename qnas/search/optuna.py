"""The samplers of Optuna (Akiba et al. 2019, arXiv 1907.10902), each gene one parameter."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import optuna
from jaxtyping import Float
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.trial import Trial, TrialState

from qnas.errors import ConfigurationError, unknown
from qnas.references import cites
from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import Pending, SearchSettings
from qnas.space import Gene, Genotype

SAMPLERS: dict[str, Callable[[int, int], BaseSampler]] = {
    "tpe": lambda population, seed: TPESampler(seed=seed),
    "gp": lambda population, seed: GPSampler(seed=seed, warn_independent_sampling=False),
    "nsga2": lambda population, seed: NSGAIISampler(population_size=max(population, 2), seed=seed),
}
"""A sampler of a population and a seed, by `search.sampler`; Optuna's defaults, ten random designs to begin with."""

TRIES = 5
"""How many suggestions are asked for one that is new, valid and not excluded, before a random new design is taken."""


@searcher("optuna", takes=("evaluations", "window", "sampler"))
@cites("akiba2019", by_option={"sampler": {None: "ozaki2022", "tpe": "ozaki2022", "nsga2": "deb2002"}})
class OptunaSearch:
    """Asks a sampler of Optuna for one design after the other, with up to `window` of them pending.

    TPE models each gene by its densities among good and other designs (Ozaki et al. 2022), and is the default; a
    Gaussian process models only the genes that all designs have, and takes seconds for a design from the start.
    Suggestions that are not new are withdrawn, as failed ones are, and the sampler is asked again.

    Args:
        settings: `sampler` is tpe, gp or nsga2, tpe if None; `evaluations` is the budget, population * generations if
            None; `window`.
        novelty: of the space that is searched.
        n_objectives: how many losses a design has.
        seed: of everything random in the search.

    Raises:
        ConfigurationError: there is no such sampler.
    """

    def __init__(self, settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> None:
        self._sampler = settings.sampler or "tpe"
        if self._sampler not in SAMPLERS:
            raise ConfigurationError(unknown("sampler", self._sampler, SAMPLERS, "Set search.sampler."))
        self.n_evaluations = settings.budget
        self.max_pending = settings.window or settings.population
        self._novelty = novelty
        self._n_left = settings.budget
        self._rng = np.random.default_rng(seed)
        self._pending = Pending(self.max_pending)
        self._trials: deque[Trial] = deque()
        self._worst = np.full(n_objectives, -np.inf)
        with _quiet():
            sampler = SAMPLERS[self._sampler](settings.population, seed)
            self._study = optuna.create_study(directions=["minimize"] * n_objectives, sampler=sampler)

    def ask(self) -> list[Genotype]:
        """One design; none when the budget is spent, or the space exhausted."""
        self._pending.check_told()
        with _quiet():
            genotypes = self._new() if self._n_left else []
        self._n_left = self._n_left - 1 if genotypes else 0
        self._novelty.record(genotypes)
        return self._pending.open(genotypes)

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Hand the result to the sampler."""
        self._pending.close(genotypes, losses, violations)
        with _quiet():
            self._finish(self._trials.popleft(), losses[0], float(violations[0]))

    def _finish(self, trial: Trial, losses: Float[np.ndarray, " m"], violation: float) -> None:
        known = np.isfinite(losses).all()
        if not np.isfinite(violation) or (not known and self._sampler == "gp"):
            self._study.tell(trial, state=TrialState.FAIL)
            return
        if known:
            self._worst = np.maximum(self._worst, losses)
        # TPE and NSGA-II compare designs that break constraints by their violations alone, but want finite losses
        trial.set_constraint("violation", violation)
        self._study.tell(trial, (losses if known else np.nan_to_num(self._worst, neginf=0.0)).tolist())

    def _new(self) -> list[Genotype]:
        for _ in range(TRIES):
            trial = self._study.ask()
            genotype = self._suggested(trial)
            if self._novelty.first_new([genotype]):
                self._trials.append(trial)
                return [genotype]
            self._study.tell(trial, state=TrialState.FAIL)
        drawn = self._novelty.draw(1, self._rng)
        for genotype in drawn:
            self._study.enqueue_trial(self._parameters(genotype))
            self._trials.append(self._study.ask())
            self._suggested(self._trials[-1])
        return drawn

    def _suggested(self, trial: Trial) -> Genotype:
        """Gene by gene: those that come before decide whether a gene exists."""
        space = self._novelty.space
        genotype = np.zeros(len(space.genes), dtype=np.int64)
        for k, gene in enumerate(space.genes):
            if not gene.condition or space.active(genotype)[k]:
                genotype[k] = _suggest(trial, gene)
        return genotype

    def _parameters(self, genotype: Genotype) -> dict[str, int]:
        active = self._novelty.space.active(genotype)
        genes = zip(self._novelty.space.genes, genotype.tolist(), active, strict=True)
        return {gene.name: code for gene, code, exists in genes if exists}


def _suggest(trial: Trial, gene: Gene) -> int:
    if gene.ordered:
        return trial.suggest_int(gene.name, 0, gene.cardinality - 1)
    return trial.suggest_categorical(gene.name, range(gene.cardinality))


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna reports studies and trials that are of no interest to others."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
