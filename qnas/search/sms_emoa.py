"""SMS-EMOA (Beume, Naujoks and Emmerich 2007, doi 10.1016/j.ejor.2006.08.008): survival by hypervolume."""

from __future__ import annotations

from pymoo.algorithms.moo.sms import SMSEMOA, cv_and_dom_tournament
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

from qnas.references import cites
from qnas.search.evolution import Evolution, Kind
from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import SearchSettings


@searcher("sms_emoa")
@cites("beume2007", "blank2020")
def sms_emoa(settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> Evolution:
    """Of the last front that survives, the design goes that adds least to the hypervolume, one after the other.

    Offspring come in generations, so that they can be evaluated at once; in the paper they come one by one.
    """
    # scaled by the designs that meet the constraints; otherwise pymoo looks at the losses of all, also of failed ones
    options: dict[str, object] = {"normalize": False}
    if n_objectives == 1:  # then a front is of equal designs, and none adds anything
        options["survival"] = RankAndCrowding()
    return Evolution(Kind(SMSEMOA, cv_and_dom_tournament, options), settings, novelty, n_objectives, seed=seed)
