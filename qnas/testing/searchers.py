"""The suite of a searcher."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice

import numpy as np

from qnas.errors import RunError, SpaceError
from qnas.search import Novelty, Searcher, SearchSettings, searchers
from qnas.search.novelty import Identify
from qnas.search.registry import check_taken
from qnas.space import Genotype, Space, boolean, choice, integer, repeat
from qnas.testing.conformance import Conformance, Options, explained
from qnas.testing.models import nothing_global_changes

SPACE = Space(
    size=integer(0, 3),
    part=choice(plain={}, shaped=dict(shape=choice("p", "q"))),
    layers=repeat(0, 2, gate=choice("a", "b")),
)
"""84 designs with conditional genes."""
SMALL = Space(a=choice("x", "y", "z"), b=boolean())
RULED = Space(a=integer(0, 4), b=integer(0, 4)).where(lambda x: x.a + x.b == 4, because="they add up to 4")
EMPTY = SMALL.where(lambda x: False, because="nothing is allowed")

Judge = Callable[[Genotype], tuple[Sequence[float], float]]
"""The two losses and the violation of a design."""

NAN = (np.nan, np.nan)


def good(genotype: Genotype) -> tuple[Sequence[float], float]:
    """Two losses in conflict."""
    return (float(genotype.sum()), float(-genotype[0])), 0.0


def plain(n_losses: int, genotype: Genotype) -> tuple[Sequence[float], float]:
    """Any number of losses."""
    return [float(genotype[k % len(genotype)]) for k in range(n_losses)], 0.0


JUDGES: dict[str, Judge] = {
    "fails": lambda genotype: (NAN, np.inf),
    "fails at odd sizes": lambda genotype: (NAN, np.inf) if genotype[0] % 2 else good(genotype),
    "breaks a constraint": lambda genotype: (good(genotype)[0], 1.0 + float(genotype[0])),
    "is excluded at odd sizes": lambda genotype: (NAN, float(genotype[0])) if genotype[0] % 2 else good(genotype),
    "is excluded": lambda genotype: (NAN, 1.0 + float(genotype[0])),
    "has equal losses": lambda genotype: ((0.0, 0.0), 0.0),
}
"""What may happen to the designs of a search, beside that all goes well."""


class SearcherConformance(Conformance):
    """What qnas relies on in a searcher.

        class TestAnnealing(SearcherConformance):
            name = "annealing"
            options = ({}, {"evaluations": 20})

    Attributes:
        name: see `Conformance`.
        options: further settings of the search, see `qnas.search.SearchSettings`.
        population, generations: these settings, too.
        draws: whether the seed has a say.
    """

    kind = "searcher"
    population: int = 5
    generations: int = 3
    draws: bool = True

    def make(
        self,
        options: Options,
        space: Space = SPACE,
        *,
        seed: int = 0,
        identify: Identify | None = None,
        n_losses: int = 2,
    ) -> Searcher:
        """The searcher, newly made."""
        with explained(self.about(options), "See qnas.searcher."):
            given = {"population": self.population, "generations": self.generations, **options}
            settings = SearchSettings(self.name, **given)
            check_taken(settings)
            made = searchers[self.name].build(settings, Novelty(space, identify), n_losses, seed)
        assert isinstance(made, Searcher), (
            f"{self.about(options)} lacks one of ask, tell, n_evaluations and max_pending."
        )
        return made

    def test_it_spends_its_budget(self, options: Options) -> None:
        """It asks for as many designs as it says, with no more batches pending than it says, and then for no more."""
        searcher, about = self.make(options), self.about(options)
        assert searcher.max_pending >= 1, f"{about} has max_pending {searcher.max_pending}; one batch must be allowed."
        asked = list(asks(searcher, good))
        assert len(asked) == searcher.n_evaluations, (
            f"{about} asks for {len(asked)} designs of a space that has more, but says n_evaluations "
            f"{searcher.n_evaluations}."
        )
        assert searcher.ask() == [], f"{about} goes on asking after its last design; return [] then."

    def test_designs_are_valid_and_new(self, options: Options) -> None:
        """Also canonical: one design, one genotype."""
        asked = list(asks(self.make(options), good))
        self.check_designs(options, SPACE, asked)

    def test_a_small_space_is_asked_completely(self, options: Options) -> None:
        """Each design once, whatever the population; rules of the space hold."""
        for space, population in ((SMALL, 4), (SMALL, 20), (RULED, 4)):
            given = {"evaluations": 90} if "evaluations" in options else {"generations": 30}
            asked = list(asks(self.make({**options, "population": population, **given}, space), good))
            self.check_designs(options, space, asked)
            assert len(asked) == space.size, (
                f"{self.about(options)} asks for {len(asked)} of a space of {space.size} designs though it may ask for "
                "more; draw new ones from the Novelty until it has none."
            )

    def test_one_design_at_a_time(self, options: Options) -> None:
        """A population of one."""
        searcher = self.make({**options, "population": 1})
        asked = list(asks(searcher, good))
        assert len(asked) == searcher.n_evaluations, (
            f"{self.about(options)} with a population of 1 asks for {len(asked)} of {searcher.n_evaluations} designs."
        )

    def test_the_seed_decides(self, options: Options) -> None:
        """Nothing else does, and no generator of the whole process is used."""
        about = self.about(options)
        with nothing_global_changes(about):
            one, same, other = (np.array(list(asks(self.make(options, seed=seed), good))) for seed in (1, 1, 2))
        assert np.array_equal(one, same), (
            f"{about} asks for other designs when it is made again; draw from a generator of the seed, and let nothing "
            "depend on time or on the order of a set."
        )
        assert not self.draws or not np.array_equal(one, other), (
            f"{about} asks for the same designs whatever the seed; use it, or set draws = False of the suite."
        )

    def test_results_come_late_and_in_order(self, options: Options) -> None:
        """No more than `max_pending` batches are pending, and only the results of the oldest are taken."""
        searcher, about = self.make(options), self.about(options)
        batches = list(islice(iter(searcher.ask, []), searcher.max_pending))
        with refused(f"{about} asks with {len(batches)} batches pending; its max_pending is {searcher.max_pending}"):
            searcher.ask()
        wrong = batches[1] if len(batches) > 1 else [*batches[0], batches[0][0]]
        with refused(f"{about} takes results of other designs than the oldest that are pending"):
            tell(searcher, wrong, good)
        with refused(f"{about} takes nan as the loss of a design that meets the constraints"):
            tell(searcher, batches[0], lambda genotype: (NAN, 0.0))
        for batch in batches:
            tell(searcher, batch, good)

    def test_designs_that_fail_do_not_stop_it(self, options: Options) -> None:
        """Nor those that constraints exclude before or after their losses are known, nor designs that are equal."""
        for what, judge in JUDGES.items():
            searcher = self.make(options)
            asked = list(asks(searcher, judge))
            self.check_designs(options, SPACE, asked)
            assert len(asked) == searcher.n_evaluations, (
                f"{self.about(options)} asks for {len(asked)} of {searcher.n_evaluations} designs if a design {what}."
            )

    def test_any_number_of_losses(self, options: Options) -> None:
        """One, and five."""
        for n_losses in (1, 5):
            searcher = self.make(options, n_losses=n_losses)
            asked = list(asks(searcher, partial(plain, n_losses)))
            assert len(asked) == searcher.n_evaluations, (
                f"{self.about(options)} with {n_losses} losses asks for {len(asked)} of "
                f"{searcher.n_evaluations} designs."
            )

    def test_designs_that_mean_one_network_are_asked_once(self, options: Options) -> None:
        """And those that mean none, never."""
        more = {"evaluations": 90} if "evaluations" in options else {"generations": 30}
        searcher = self.make(
            {**options, **more}, SMALL, identify=lambda genotype: "xy"[genotype[0]] if genotype[0] < 2 else None
        )
        found = sorted(int(genotype[0]) for genotype in asks(searcher, good))
        assert found == [0, 1], (
            f"{self.about(options)} asks for the networks {found} of a space that has 0 and 1; let the Novelty "
            "say what is new."
        )

    def test_an_impossible_space_is_refused(self, options: Options) -> None:
        """At the first ask, by the sentence of the space."""
        try:
            asked = self.make(options, EMPTY).ask()
        except SpaceError:
            return
        raise AssertionError(
            f"{self.about(options)} asks for {asked} of a space without valid designs; raise what Space.sample does."
        )

    def check_designs(self, options: Options, space: Space, asked: Sequence[Genotype]) -> None:
        """Valid, canonical, and each asked once."""
        about = self.about(options)
        invalid = [one for one in asked if not space.is_valid(one) or not np.array_equal(space.canonical(one), one)]
        assert not invalid, f"{about} asks for {invalid[0]}, which is not valid or not canonical; see Space.canonical."
        assert len({space.fingerprint(one) for one in asked}) == len(asked), (
            f"{about} asks for a design twice; let the Novelty say what is new, and record what is asked."
        )


def asks(searcher: Searcher, judge: Judge) -> Iterator[Genotype]:
    """What a searcher asks for, as the loop of a run drives it; at most twice its budget."""
    pending: deque[list[Genotype]] = deque()
    n_left = 2 * searcher.n_evaluations
    while n_left > 0:
        while n_left > 0 and len(pending) < searcher.max_pending and (batch := searcher.ask()):
            pending.append(batch)
            n_left -= len(batch)
            yield from batch
        if not pending:
            return
        tell(searcher, pending.popleft(), judge)


def tell(searcher: Searcher, genotypes: Sequence[Genotype], judge: Judge) -> None:
    """Hand in the results of a batch."""
    losses, violations = zip(*map(judge, genotypes), strict=True)
    searcher.tell(genotypes, np.array(losses, dtype=float), np.array(violations, dtype=float))


@contextmanager
def refused(about: str) -> Iterator[None]:
    """A block that must raise RunError."""
    try:
        yield
    except RunError:
        return
    raise AssertionError(f"{about}; check both by qnas.search.Pending.")
