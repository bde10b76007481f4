"""Runs whose designs are evaluated in processes: one front, limits, interruptions, and kills at random moments."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Lock, Timer

import psutil
import pytest

import qnas
from qnas.errors import RunError
from qnas.experiment.evaluation import State
from qnas.experiment.results import read_findings
from qnas.experiment.supervision import Child
from tests.experiment.runs import (
    JOB,
    QUICKEST,
    SMALL,
    SPACE,
    front_without_seconds,
    n_evaluated,
    records_without_seconds,
    with_mishaps,
    within,
)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The front of the job, evaluated one by one in this process."""
    run_dir = tmp_path_factory.mktemp("runs") / "serial"
    return qnas.search([*JOB, "executor=serial", f"run_dir={run_dir}"])


@pytest.mark.slow
def test_the_front_does_not_depend_on_the_workers(reference, tmp_path):
    """Of one worker, the run that is killed shows it."""
    result = qnas.search([*JOB, "executor=local", "executor.workers=2", f"run_dir={tmp_path}/run"])
    assert_same(result.path, reference.path)


@pytest.mark.slow
def test_nor_do_designs_that_are_left_out(tmp_path):
    bounded = within(tmp_path, n_parameters=35)
    serial = qnas.search([*SMALL, bounded, f"run_dir={tmp_path}/serial"])
    local = qnas.search([*SMALL, bounded, "executor=local", "executor.workers=2", f"run_dir={tmp_path}/local"])
    assert front_without_seconds(local.path) == front_without_seconds(serial.path)


@pytest.mark.slow
def test_what_goes_wrong_with_a_process_takes_its_design_only(tmp_path):
    first = ("search.generations=1", "executor=local", "executor.workers=2")
    plain = read_findings(qnas.search([*QUICKEST, "search.generations=1", f"run_dir={tmp_path}/plain"]).path)
    fingerprints = [evaluation.architecture.fingerprint for evaluation in plain.evaluations.values()]
    kinds = zip(fingerprints, ("threads", "death", "hang", "hog", "death_once"), strict=False)
    each = ",".join(f"'{fingerprint}:{kind}'" for fingerprint, kind in kinds)
    options = (f"objectives.options.mishap.each=[{each}]", f"objectives.options.mishap.marks={tmp_path}")
    limits = ("executor.seconds=8", "executor.memory_gib=1.5")
    result = qnas.search(with_mishaps("error", *options, *first, *limits, f"run_dir={tmp_path}/run"))
    found = read_findings(result.path).evaluations
    assert (tmp_path / fingerprints[4]).exists()
    assert {k: found[k].state for k in sorted(found)} == {
        0: State.COMPLETE, 1: State.LOST, 2: State.OUT_OF_TIME, 3: State.OUT_OF_MEMORY, 4: State.COMPLETE,
        5: State.COMPLETE,
    }  # fmt: skip
    code = "its process exited with code 9"
    assert found[1].reason == f"no answer in two attempts: first {code}, then {code}."
    assert found[2].reason.startswith("it took longer than the 8 s of executor.seconds; raise ")
    assert " GiB, over the 1.5 GiB of executor.memory_gib; raise " in found[3].reason
    assert all(found[k].values["flops"] == plain.evaluations[k].values["flops"] for k in (0, 4, 5))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "start", "end", "n"),
    [
        (
            "executor.seconds=0.001",
            "all 2 designs of the first generation failed, so there is nothing to search with; the first one (out of "
            "time): it took longer than the 0.001 s of executor.seconds; raise executor.seconds to give",
            "log.txt.",
            2,
        ),
        (
            "executor.memory_gib=0.05",
            "no design can be evaluated: executor.memory_gib is 0.05, but a process takes 0.",
            " GiB before it evaluates anything; raise executor.memory_gib.",
            0,
        ),
    ],
)
def test_a_limit_below_what_any_design_needs_ends_the_run_and_names_the_key(tmp_path, limit, start, end, n):
    local = ("executor=local", "executor.workers=2", "search.population=2", limit)
    with pytest.raises(RunError) as error:
        qnas.search([*QUICKEST, *local, f"run_dir={tmp_path}/run"])
    assert str(error.value).startswith(start) and str(error.value).endswith(end)
    assert n_evaluated(tmp_path / "run") == n


class Kills:
    """Kills processes that evaluate, each at a random moment of the first attempt of an evaluation."""

    def __init__(self, monkeypatch, n):
        self.left, self.n = n, 0
        self._random, self._lock, self._begun, self._request = Random(0), Lock(), set(), Child.request
        monkeypatch.setattr(Child, "request", lambda child, *arguments: self._watched(child, *arguments))

    def _watched(self, child, argument, *rest):
        with self._lock:
            spared = argument in self._begun or not self.left
            self._begun.add(argument)
            self.left -= not spared
        lasts = 0.08 if child.n_requests else 3.0  # an evaluation, and the start of a process
        timer = Timer(self._random.uniform(0, lasts), self._kill, [child])
        if not spared:
            timer.start()
        try:
            return self._request(child, argument, *rest)
        finally:
            if timer.is_alive():  # it was quicker; the next one is killed in its place
                timer.cancel()
                self.left += 1

    def _kill(self, child):
        os.kill(child.pid, signal.SIGKILL)
        self.n += 1


@pytest.mark.slow
def test_processes_that_are_killed_at_random_moments_change_nothing(reference, tmp_path, monkeypatch):
    kills = Kills(monkeypatch, 10)
    result = qnas.search([*JOB, "executor=local", "executor.workers=2", f"run_dir={tmp_path}/run"])
    assert kills.n == 10
    assert front_without_seconds(result.path) == front_without_seconds(reference.path)
    assert records_without_seconds(result.path) == records_without_seconds(reference.path)


def children_after(pid, run_dir, n, seconds=0.0):
    """The processes that a search has started, so long after its ledger has come to hold `n` evaluations."""
    process, deadline = psutil.Process(pid), time.monotonic() + 120
    while n_evaluated(run_dir) < n and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(seconds)
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def assert_all_gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=15)
    assert not alive


def kill_often(launcher, run_dir, overrides, n_kills, moment):
    """Kill a search, and each time the one that goes on with it, and let the last one come to its end.

    Args:
        moment: gives how many evaluations to await and how many seconds then.

    Returns:
        How many evaluations the ledger held at each kill.
    """
    found, command = [], ("search", *overrides, f"run_dir={run_dir}")
    while len(found) < n_kills:
        pid = launcher.start(*command)
        children = children_after(pid, run_dir, *moment())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        code = launcher.wait()
        assert code in (0, -signal.SIGKILL), launcher.errors.read_text()
        found += [n_evaluated(run_dir)] * (code != 0)
        assert_all_gone(children)
        if (run_dir / "config.yaml").exists():
            command = ("resume", run_dir)
    launcher.start(*command)
    assert launcher.wait() == 0, launcher.errors.read_text()
    return found


def assert_same(run_dir, reference):
    """All that a run leaves is the same but for the wall-clock, and there is nothing more."""
    assert front_without_seconds(run_dir) == front_without_seconds(reference)
    assert records_without_seconds(run_dir) == records_without_seconds(reference)
    weights = [{path.name: path.read_bytes() for path in (one / "weights").iterdir()} for one in (run_dir, reference)]
    assert weights[0] == weights[1]
    names = [{path.relative_to(one) for path in one.rglob("*")} for one in (run_dir, reference)]
    assert names[0] ^ names[1] <= {Path("ledger.json"), Path("ledger.url"), Path("ledger.jsonl")}


@pytest.mark.slow
def test_a_search_that_is_killed_at_25_random_moments_ends_as_if_it_had_not_been(reference, launcher, tmp_path):
    """The main process alone, so that its children must notice; while it starts, evaluates, and writes its results."""
    random, run_dir = Random(0), tmp_path / "run"

    def moment():
        n = n_evaluated(run_dir)
        if n == 12 or random.random() < 0.5:
            return n, random.uniform(0, 1.5)
        return n + 1, random.uniform(0, 0.15)

    found = kill_often(launcher, run_dir, [*JOB, "executor=local", "executor.workers=1"], 25, moment)
    assert len(found) == 25 and len(set(found)) >= 4
    assert n_evaluated(run_dir) == 12, "nothing is evaluated twice"
    assert_same(run_dir, reference.path)


@pytest.mark.slow
def test_so_does_one_with_its_ledger_in_a_database_that_stops_trainings_early(postgresql, launcher, tmp_path):
    """Here a design may stand in the ledger several times, and its training lies in a file in between."""
    random, run_dir = Random(0), tmp_path / "run"
    overrides = [*JOB, "training.epochs=4", "early_stopping=halving", "early_stopping.first=1", "executor=serial"]
    reference = qnas.search([*overrides, f"run_dir={tmp_path}/reference"])
    overrides.append(f"ledger={postgresql.new_database()}")
    kill_often(launcher, run_dir, overrides, 10, lambda: (0, random.uniform(0, 3)))
    assert_same(run_dir, reference.path)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM, signal.SIGINT, signal.SIGINT]])
def test_an_interrupted_run_leaves_no_process_and_says_how_to_go_on(launcher, tmp_path, numbers):
    """Whoever does not wait for the front so far goes without it."""
    run_dir = tmp_path / "run"
    pid = launcher.start("search", *JOB, "executor=local", "executor.workers=1", f"run_dir={run_dir}")
    workers = children_after(pid, run_dir, 2)
    for number in numbers:
        with suppress(ProcessLookupError):
            os.killpg(pid, number)  # as Ctrl-C in a terminal does
        time.sleep(0.05)
    assert launcher.wait() == 130
    front = " and its front in front.csv" * (run_dir / "front.csv").exists()
    said = f"qnas: interrupted. What was evaluated is in its ledger{front}; go on with: qnas resume {run_dir}"
    assert launcher.errors.read_text().splitlines() == [said]
    assert len(numbers) > 1 or len(qnas.Result(run_dir).front) >= 1
    assert len(workers) == 1
    assert_all_gone(workers)


@pytest.mark.slow
def test_a_script_needs_no_guard_and_its_processes_find_modules_beside_it(tmp_path):
    (tmp_path / "beside.py").write_text(SPACE.read_text())
    script = tmp_path / "script.py"
    local = ["executor=local", "executor.workers=1", "search.generations=1", "space=beside:space"]
    script.write_text(
        f"import qnas\n\nprint('once')\nqnas.search({[*QUICKEST[1:], *local, f'run_dir={tmp_path}/run']!r})\n"
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, "once\n"), ended.stderr
    assert n_evaluated(tmp_path / "run") == 6
