"""What a search shows of itself, and how much of its time that takes; how it looks is tested with the command line."""

import io
from dataclasses import dataclass

import pytest
from rich.console import Console

from qnas import progress
from qnas.experiment.results import Findings
from qnas.launch import compose
from qnas.progress import Progress
from tests.experiment.test_results import evaluation, objectives, space


@dataclass
class Clock:
    """A quarter of a second goes by with each drawing, and so much between two designs."""

    between: float
    now: float = 0.0
    n_drawn: int = 0

    def monotonic(self):
        return self.now

    def table(self, *_):
        self.n_drawn += 1
        self.now += 0.25
        return ""


@pytest.mark.parametrize(("between", "n_drawn"), [(10.0, 100), (0.1, 5)])
def test_drawing_takes_a_small_part_of_the_time(monkeypatch, between, n_drawn):
    """All of 100 slow designs are shown at once; of quick ones three in half a second, and then one in five seconds."""
    clock = Clock(between)
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(progress, "front_table", clock.table)
    config = compose(["search.population=50", "search.generations=2"])
    found = Findings(config, space, objectives, {0: evaluation(0, 0.5)})
    shown = Progress(Console(file=io.StringIO(), force_terminal=True))
    shown.on_start(config, n_evaluations=100, n_workers=1)
    for k in range(100):
        clock.now += between
        shown.on_evaluation(found, k, known=False)
    shown.stop()
    assert clock.n_drawn == n_drawn


def test_a_further_result_of_a_design_is_no_design_more(monkeypatch):
    """After early stopping: a line for every second of 24 designs, and the time left is that of the other 12."""
    clock, text = Clock(0.0), io.StringIO()
    monkeypatch.setattr(progress, "time", clock)
    config = compose(["search.population=50"])
    found = Findings(config, space, objectives, {})
    shown = Progress(Console(file=text, width=200))
    shown.on_start(config, n_evaluations=24, n_workers=1)
    for k in (*range(12), *range(12)):
        clock.now += 10.0
        found = Findings(config, space, objectives, {**found.evaluations, k: evaluation(k, 0.5)})
        shown.on_evaluation(found, k, known=False)
    assert text.getvalue().count(" done ") == 6
    assert shown._time_left(12) == "about 4 min left"
