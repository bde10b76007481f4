"""What may be wrong with a space, one rule each: from the designs of it to sentences."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from qnas.experiment.candidates import exclusions
from qnas.experiment.probes import Built, Probe, Value
from qnas.experiment.samples import N_DRAWS, Samples
from qnas.space import Gene
from qnas.space.genes import Scalar
from qnas.space.holding import family

_N_VALUES = 12
"""Of a gene with more values, only so many are built one by one."""
_N_PAIRS = 24
"""Pairs of designs that differ in one gene alone and are the same, before the gene counts as one without effect."""
_N_CONFIRMING = 20
"""Designs that must all ignore something, before a value that they share is blamed."""
_N_REASONS = 5
"""So many of the most frequent reasons why designs cannot be built are told."""


def unreachable(samples: Samples) -> Iterator[str]:
    """Values that no valid design has, because of constraints."""
    if not samples.space.tree.constraints:
        return
    unseen = [one for one in _every_value(samples) if not any(probe.holds(one) for probe in samples.drawn)]
    unseen = [one for one in unseen if samples.with_value(one) is None]
    is_sure = bool(unseen) and samples.space.is_enumerable
    for one in _absent(samples, unseen) if is_sure else unseen:
        found = "is in no valid design" if is_sure else f"was not seen in {N_DRAWS} designs drawn with it"
        yield f"{_said(one)} {found}; remove it, or relax the constraint {_standing_against(samples, one)}."


def over_budget(samples: Samples) -> Iterator[str]:
    """Budgets, or data, that leave nothing."""
    if len(samples.excluded) == len(samples.drawn):
        yield (
            f"none of {len(samples.drawn):,} designs drawn can be searched: {exclusions(samples.excluded)}; raise the "
            "budget, or change the space or the data."
        )


def without_effect(samples: Samples) -> Iterator[str]:
    """Genes that never change the network."""
    for name in samples.families:
        if samples.gene(name).cardinality > 1 and (n_pairs := _n_same_pairs(samples, name)):
            yield (
                f"the gene {name} never changes the network: in {n_pairs} pairs of designs that differ in it alone, "
                "both are the same; remove it, or correct what should read it."
            )


def broken(samples: Samples) -> Iterator[str]:
    """Designs that cannot be built, by reason; numbers aside."""
    groups: dict[str, list[Probe]] = defaultdict(list)
    for probe in samples.judged:
        if probe.built.problem:
            groups[re.sub(r"\d+", "#", probe.built.problem)].append(probe)
    for probes in sorted(groups.values(), key=len, reverse=True)[:_N_REASONS]:
        at_random = [probe for probe in samples.drawn if probe.built.excluded is None]
        n = sum(any(probe is one for one in probes) for probe in at_random)
        share = f"{n} of {len(at_random)} designs" if n else "some designs"
        where = _whenever(samples.judged, probes)
        yield f"{share} cannot be built{where}: {probes[0].built.problem}; correct them, or exclude them with where()."


_IGNORED: tuple[tuple[str, Callable[[Built], bool]], ...] = (
    ("some of its inputs", lambda built: built.n_dead_inputs > 0),
    ("all of its weights", lambda built: 0 < built.n_weights == built.n_dead_weights),
)


def ignoring(samples: Samples) -> Iterator[str]:
    """Inputs, or all weights, that circuits ignore whenever a gene has a value, or always."""
    for what, ignores in _IGNORED:
        works = [probe for probe in samples.judged if probe.built.works]
        if works and all(ignores(probe.built) for probe in works):
            yield f"every circuit ignores {what}, {_example(works[0])}; change the encoding, the layers or the readout."
            continue
        for one in _guilty(samples, works, ignores):
            probe = next(probe for probe in works if probe.holds(one))
            yield f"with {_said(one)}, every circuit ignores {what}, {_example(probe)}; remove the value."


RULES: tuple[Callable[[Samples], Iterator[str]], ...] = (unreachable, over_budget, without_effect, broken, ignoring)
"""In this order, since the later ones look at the designs that the earlier ones have built."""


def notes(samples: Samples) -> Iterator[str]:
    """What else was seen among the designs that were drawn at random."""
    works = [probe.built for probe in samples.drawn if probe.built.works]
    if works and samples.excluded:
        yield f"of {len(samples.drawn)} designs drawn, {exclusions(samples.excluded)}; a search passes over them."
    for kind in ("inputs", "weights"):
        shares = [share for built in works if (share := _dead_share(built, kind))]
        if shares:
            mean = f"{np.mean(shares):.0%} of them on average"
            yield f"in {len(shares)} of {len(works)} designs the circuit ignores some of its {kind}, {mean}."


def _said(one: Value) -> str:
    return f"{one[0]} = {one[1]}"


def _example(probe: Probe) -> str:
    built = probe.built
    dead = f"{built.n_dead_inputs} of {built.n_inputs} inputs and {built.n_dead_weights} of {built.n_weights} weights"
    return f"e.g. {dead}"


def _dead_share(built: Built, kind: str) -> float:
    n = getattr(built, f"n_{kind}")
    return getattr(built, f"n_dead_{kind}") / n if n else 0.0


def _every_value(samples: Samples) -> Iterator[Value]:
    for name in samples.families:
        yield from ((name, value) for value in samples.gene(name).values)


def _absent(samples: Samples, unseen: list[Value]) -> list[Value]:
    """Those that no design of a small space has."""
    for architecture in samples.space.architectures():
        present = {(family(name), value) for name, value in samples.space.gene_values(architecture).items()}
        unseen = [one for one in unseen if one not in present]
        if not unseen:
            break
    return unseen


def _standing_against(samples: Samples, one: Value) -> str:
    """The constraints that exclude designs with a value, the most frequent first."""
    excluded: Counter[str] = Counter()
    for genotype in samples.codes_with(one):
        excluded.update({rule.because for rule in samples.space.tree.broken(samples.space.decode(genotype))})
    return ", ".join(repr(because) for because, _ in excluded.most_common(2))


def _n_same_pairs(samples: Samples, name: str) -> int:
    """How many pairs that differ in one gene are the same networks; 0 as soon as one is not.

    Every value is built at least once, so that what cannot be built is met.
    """
    values = _some_values(samples.gene(name))
    found = [samples.are_same((name, value)) for value in values]
    n_tries = 0
    while False not in found and 0 < found.count(True) < _N_PAIRS and n_tries < 2 * _N_PAIRS:
        found.append(samples.are_same((name, values[n_tries % len(values)])))
        n_tries += 1
    return 0 if False in found else found.count(True)


def _some_values(gene: Gene) -> list[Scalar]:
    codes = np.linspace(0, gene.cardinality - 1, min(gene.cardinality, _N_VALUES)).round()
    return [gene.values[int(code)] for code in codes]


def _whenever(judged: Sequence[Probe], bad: Sequence[Probe]) -> str:
    """The value that all of the bad designs have and none of the others, if there is one."""
    shared = set.intersection(*(set(probe.each()) for probe in bad))
    others = [probe for probe in judged if not any(probe is one for one in bad)]
    found = sorted((one for one in shared if not any(probe.holds(one) for probe in others)), key=str)
    return f", all with {_said(found[0])}" if found and others else ""


def _guilty(samples: Samples, works: Sequence[Probe], ignores: Callable[[Built], bool]) -> Iterator[Value]:
    """Values all of whose designs ignore something, also if more of them are drawn; those with most designs first."""
    bad = [probe for probe in works if ignores(probe.built)]
    counts = Counter(one for probe in bad for one in probe.each())
    for one, n in counts.most_common():
        left = [probe for probe in bad if probe.holds(one)]
        if not left or n < sum(probe.holds(one) for probe in works):
            continue
        if _is_confirmed(samples, one, ignores):
            bad = [probe for probe in bad if not probe.holds(one)]
            yield one


def _is_confirmed(samples: Samples, one: Value, ignores: Callable[[Built], bool]) -> bool:
    """Whether all of many more designs with a value ignore the same; a few must be such that a search may ask them."""
    n_confirming = 0
    for _ in range(_N_CONFIRMING):
        probe = samples.with_value(one)
        if probe is not None and probe.built.works:
            if not ignores(probe.built):
                return False
            n_confirming += 1
    return n_confirming >= _N_CONFIRMING // 4
