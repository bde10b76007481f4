"""The benchmark runs, with those peers that are installed, and what it writes is of one run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qnas
from benchmarks import (
    early_stopping,
    landscape,
    limits,
    objectives,
    overhead,
    searchers,
    simulation,
    utilisation,
    workers,
)
from benchmarks.searchers import Judge
from qnas.experiment.results import read_findings

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments, module="simulation"):
    environment, command = {**os.environ, "PYTHONPATH": str(ROOT)}, [sys.executable, "-m", f"benchmarks.{module}"]
    return subprocess.run(
        [*command, "--quick", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmarks")
    done = run("--output", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


@pytest.mark.slow
def test_the_page_has_every_table(output):
    page = (output / "simulation.md").read_text()
    for heading in ("Sizes", "Targets", "Growth with layers", "Growth with batch", "Growth with qubits", "Memory"):
        assert len(rows(page.split(f"## {heading}")[1].split("## ")[0])) >= 4, heading
    assert len(rows(page.split("## Expressibility")[1])) == 4
    assert all(word in page for word in ("qiskit-aer", "Python", "one thread"))


def test_torch_and_aer_are_parts_of_a_step(monkeypatch):
    monkeypatch.setattr(limits, "N_STEPS", 3)
    parts = limits.parts_of(limits.CASES[0])
    assert parts.torch > 0 and parts.aer > 0
    assert parts.n_gates > parts.n_flushes > 0


@pytest.mark.slow
def test_all_gradients_agree(output):
    table = rows((output / "simulation.md").read_text().split("## Sizes")[1].split("## ")[0])
    differences = {row[0]: float(row[-1]) for row in table[2:]}
    assert {"qnas", "EstimatorQNN"} <= set(differences)
    assert max(differences.values()) <= 1e-6


@pytest.mark.slow
def test_the_verdict_in_the_readme_gives_the_ratios_of_the_page(output):
    before, after = (folder / "README.md" for folder in (ROOT / "benchmarks", output))
    kept = [re.split(r"<!-- .* -->", file.read_text()) for file in (before, after)]
    assert (kept[0][0], kept[0][2]) == (kept[1][0], kept[1][2])
    sizes = {row[0]: row for row in rows((output / "simulation.md").read_text().split("## Sizes")[1].split("## ")[0])}
    ratios = {row[0]: row for row in rows(kept[1][1])}
    medians = [float(sizes[name][1].split()[0].replace(",", "")) for name in ("EstimatorQNN", "qnas")]
    found = float(ratios["EstimatorQNN"][1].split("x")[0].replace(",", ""))
    assert found == pytest.approx(medians[0] / medians[1], rel=0.01)


@pytest.mark.slow
def test_the_figure_is_written(output):
    assert (output / "simulation.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_objectives_agree_with_loops_and_are_all_on_the_page(tmp_path):
    """The run itself compares the values of both."""
    done = run("--output", str(tmp_path), module="objectives")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "objectives.md").read_text()
    table = {row[0].strip("`"): row[1:] for row in rows(page)[2:]}
    assert {"expressibility", "trainability", "flops", "lie_algebra_dim", "gradient_efficiency"} <= set(table)
    for own, loop, _, ratio in table.values():
        assert float(ratio.rstrip("x").replace(",", "")) == pytest.approx(
            float(loop.replace(",", "")) / float(own), rel=0.02
        )
    assert "take 0." in page and "the target is 2.5 s" in page


@pytest.mark.slow
def test_what_early_stopping_saves_is_told_of_the_same_designs_and_of_searches(tmp_path):
    """The run itself compares the replay with a search."""
    done = run("--output", str(tmp_path), module="early_stopping")
    assert done.returncode == 0, done.stdout + done.stderr
    same, searches = (rows(part)[2:] for part in (tmp_path / "early_stopping.md").read_text().split("\n## ")[1:])
    assert all(0 < float(row[2].split()[0]) <= 1 and 0 < float(row[3].split()[0]) <= 1 for row in same)
    assert [row[2].split()[0] for row in searches[:2]] == ["1.000", "0.500"]


@pytest.mark.slow
def test_workers_find_one_front_and_their_throughput_is_that_of_their_seconds(tmp_path):
    """The run itself compares the fronts."""
    done = run("--output", str(tmp_path), module="workers")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "workers.md").read_text()
    one, two, apart = rows(page)[2:]
    assert (one[0], two[0], one[-1]) == ("one worker", "two workers", "1.00x")
    for row, n_designs in ((one, 4), (two, 4), (apart, 8)):
        assert float(row[2]) == pytest.approx(60 * n_designs / float(row[1]), rel=0.02)
    ratio = f"{float(two[-1].rstrip('x')):.2f}x"
    assert f": {ratio} (round by round {ratio}). The fronts are the same." in page


def test_the_landscape_has_every_design_once_and_their_front_has_the_whole_hypervolume():
    table, space = landscape.load(), landscape.space
    known = [line.split(",")[0].split() for line in landscape.FILE.read_text().splitlines()[1:]]
    assert len(known) == len(set(map(tuple, known))) == space.size
    for genotype in np.array(known[::100], dtype=int):
        assert space.is_valid(genotype) and np.array_equal(space.canonical(genotype), genotype)
    judge = Judge(table)
    for box in judge.boxes:
        assert judge.shares(judge.front, box)[-1] == pytest.approx(1)
        assert judge.shares(table.losses[:100], box)[-1] < 1


@pytest.mark.slow
def test_overhead_is_measured_with_every_executor_and_searcher(tmp_path):
    done = run("--output", str(tmp_path), module="overhead")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "overhead.md").read_text()
    found = rows(page)[2:]
    assert [row[0].count("executor=") for row in found] == [1, 1, 1]
    for *numbers, _, reload in (row[1:] for row in found):
        assert all(float(number) > 0 for number in (*numbers, reload))
    assert f"(at most {max(float(row[1]) for row in found):.2f} ms); memory flat, within 10% from 20 to 200: " in page


@pytest.mark.slow
def test_the_landscape_is_what_a_run_measures(tmp_path):
    """Accuracy up to one of the 30 designs of the validation split, since another processor rounds otherwise."""
    lines = [line.split(",") for line in landscape.FILE.read_text().splitlines()[1:]]
    known = {genotype: [float(value) for value in values] for genotype, *values in lines}
    settings = [one for one in landscape.SETTINGS if not one.startswith("search")]
    search = ["search=random", "search.evaluations=2", "executor=serial", f"run_dir={tmp_path / 'run'}"]
    qnas.search([f"space={landscape.__file__}", *settings, *search])
    for one in read_findings(tmp_path / "run").evaluations.values():
        accuracy, *others = known[" ".join(map(str, landscape.space.encode(one.architecture)))]
        assert abs(one.values["accuracy"] - accuracy) <= 1 / 30 + 1e-6
        assert [one.values["expressibility"], one.values["flops"]] == pytest.approx(others, rel=1e-5)


@pytest.mark.slow
def test_the_page_of_the_searchers_says_what_each_needs(tmp_path):
    done = run("--output", str(tmp_path), module="searchers")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "searchers.md").read_text()
    table = {row[0]: row[1:] for row in rows(page)[2:]}
    assert set(table) == {"nsga2", "steady_state", "random"}
    assert all(0 < float(row[2]) <= 1 for row in table.values())
    assert "NSGA-II and random search have too few evaluations to be compared." in page
    assert (tmp_path / "searchers.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "size", "busy"), [("nsga2", 1, 1), ("nsga2", 0.5, 0.5), ("steady_state", 0.25, 0.25)])
def test_workers_whose_evaluations_take_equally_long_are_as_busy_as_there_are_designs(monkeypatch, name, size, busy):
    monkeypatch.setattr(utilisation, "SIGMA", 0.0)
    found = utilisation.timeline(utilisation.Case(name, size), utilisation.Plan(8, 3))
    assert found.busy == pytest.approx(busy)
    assert found.n_busy(np.array([0.0, 90.0])).tolist() == [8 * busy, 8 * busy]
    assert found.until == pytest.approx(utilisation.MEAN * (3 / size - 1))


@pytest.mark.slow
def test_a_limit_and_a_long_window_keep_workers_busy(tmp_path):
    done = run("--output", str(tmp_path), module="utilisation")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "utilisation.md").read_text()
    busy = {row[0]: float(row[1].rstrip("%")) for row in rows(page)[2:]}
    assert busy["steady_state, window 100, limit 300 s"] >= 95 > 50 > busy["nsga2, population 20"]
    assert "met by " in page and (tmp_path / "utilisation.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "module",
    [simulation, objectives, early_stopping, workers, overhead, searchers, utilisation],
    ids=lambda one: one.__name__,
)
def test_a_quick_run_does_not_overwrite_the_verdict(module, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [module.__name__, "--quick"])
    with pytest.raises(SystemExit, match="2"):
        module.main()
    assert "--quick needs another --output" in capsys.readouterr().err
