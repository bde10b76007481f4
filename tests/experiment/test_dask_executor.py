"""The executor on Dask: one task per worker, workers that come, go and die, and what a future may raise."""

import concurrent.futures
import logging
import pickle
from types import SimpleNamespace

import pytest
from distributed import KilledWorker
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError

from qnas.errors import RunError
from qnas.experiment import dask_executor
from qnas.experiment.dask_executor import DaskExecutor, refusals
from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.executor import Executor
from qnas.experiment.supervision import Ending, Limits, stop
from qnas.experiment.versions import versions_with_python
from tests.experiment.test_executor import architectures, results, tasks

DIES = KilledWorker("task", SimpleNamespace(address="tcp://here"), 1)
COMPLETE, LOST = State.COMPLETE, State.LOST


class Future:
    """One of Dask's: its ending is what was evaluated, unless it raises; or nothing comes of it."""

    def __init__(self, ending, status="finished", error=None):
        self.status, self._ending, self._error = status, ending, error

    def add_done_callback(self, call):
        if self.status != "pending":
            call(self)

    def result(self, timeout):
        if self._error is not None:
            raise self._error
        return self._ending

    def cancel(self):
        self.status = "cancelled"


class Client:
    """Evaluates as it is given work; what is told to happen happens to submissions by their number."""

    status = "running"

    def __init__(self, trouble=None, workers=("a",), theirs=None):
        self._trouble, self.workers, self._theirs = trouble or {}, list(workers), theirs or {}
        self.submitted, self.ran = [], []

    def nthreads(self):
        return dict.fromkeys(self.workers, 1)

    def run(self, function, *arguments, workers=None, on_error="raise"):
        self.ran.append((function, arguments))
        if function is stop:
            return {}
        return {worker: self._theirs.get(worker) or function() for worker in workers}

    def cancel(self, futures, force):
        for future in futures:
            future.cancel()

    def submit(self, function, request, limits, run, workers, pure):
        self.submitted.append((pickle.loads(request).architecture, *workers))
        evaluation = Evaluation(pickle.loads(request).architecture, COMPLETE)
        trouble = self._trouble.get(len(self.submitted) - 1, ())
        if trouble == "gone":
            self.workers = [worker for worker in self.workers if worker not in workers]
            trouble = ("pending",)
        if isinstance(trouble, Ending):
            return Future(trouble)
        return Future(Ending(pickle.dumps(evaluation)), *trouble)


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch):
    monkeypatch.setattr(dask_executor, "_LOOK_SECONDS", 0.0)


def executor_of(client, **more):
    return DaskExecutor(lambda: client, 1, Limits(seconds=1.0), **more)


def run(client, **more):
    """In the order of submission."""
    found = sorted(results(executor_of(client, **more)), key=lambda pair: pair[0])
    assert [key for key, _ in found] == [0, 1, 2, 3, 4]
    assert [evaluation.architecture for _, evaluation in found] == architectures
    return [evaluation for _, evaluation in found]


def test_it_is_an_executor_that_connects_when_there_is_something_to_evaluate():
    executor = DaskExecutor(lambda: pytest.fail("connected"), 3, Limits())
    assert isinstance(executor, Executor) and executor.n_workers == 3
    executor.close()


def test_each_worker_has_one_task_at_a_time():
    client = Client(dict.fromkeys(range(5), ("pending",)), workers=["b", "a"])
    executor = executor_of(client)
    for key, task in enumerate(tasks()):
        executor.submit(key, task)
    assert client.submitted == [(architectures[0], "a"), (architectures[1], "b")]


def test_a_worker_that_joins_is_given_work():
    client = Client(dict.fromkeys(range(5), ("pending",)))
    executor = executor_of(client)
    executor.submit(0, tasks()[0])
    client.workers.append("late")
    executor.submit(1, tasks()[1])
    assert [worker for _, worker in client.submitted] == ["a", "late"]


def test_missing_workers_are_asked_for():
    asked = []
    run(Client(workers=["a"]), renew=asked.append)
    assert not asked
    executor = DaskExecutor(lambda: Client(workers=["a"]), 2, Limits(), renew=asked.append)
    executor.submit(0, tasks()[0])
    assert set(asked) == {1}


def test_at_the_end_the_workers_are_told():
    client = Client(dict.fromkeys(range(5), ("pending",)))
    executor = executor_of(client)
    executor.submit(0, tasks()[0])
    (future,) = executor._running
    executor.close()
    assert future.status == "cancelled"
    assert client.ran[-1] == (stop, (executor._run,))


def test_an_ending_without_an_answer_is_its_state_with_its_reason():
    found = run(Client({1: Ending(None, "OUT_OF_TIME", "it took too long.", 2.5)}))
    assert [one.state for one in found] == [COMPLETE, State.OUT_OF_TIME, *[COMPLETE] * 3]
    assert (found[1].reason, found[1].seconds) == ("it took too long.", 2.5)


def test_an_ending_that_every_task_would_have_ends_the_run():
    with pytest.raises(RunError, match=r"^no design can be evaluated: a process takes more\.$"):
        run(Client({1: Ending(None, "OUT_OF_MEMORY", "a process takes more.", in_vain=True)}))


# --- workers that die -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("death", [("error", DIES), "gone"])
def test_the_task_of_a_worker_that_dies_is_tried_once_more(death):
    client = Client({1: death}, workers=["a", "b"])
    assert {one.state for one in run(client)} == {COMPLETE}
    assert len(client.submitted) == 6


def test_a_task_whose_workers_die_twice_is_lost_alone():
    found = run(Client({1: ("error", DIES), 2: ("error", DIES)}))
    assert [one.state for one in found] == [COMPLETE, LOST, *[COMPLETE] * 3]
    how = "the Dask worker a died"
    assert found[1].reason == f"no answer in two attempts: first {how}, then {how}."


def test_a_run_without_any_worker_for_long_ends_with_a_sentence():
    with pytest.raises(RunError) as ended:
        run(Client({1: "gone"}), patience=0.0)
    assert str(ended.value) == "there has been no worker for 0 s; start some, and go on with `qnas resume`."


# --- what a future may raise ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "state", "said"),
    [
        (("error", RuntimeError("Error during deserialization")), State.ERROR, "RuntimeError: Error during deserializ"),
        (("error", FileNotFoundError("no module")), State.ERROR, "FileNotFoundError: no module"),
        (("error", MemoryError()), State.OUT_OF_MEMORY, "MemoryError"),
        (("finished", ModuleNotFoundError("No module named 'x'")), State.ERROR, "ModuleNotFoundError: No module named"),
        (Ending(pickle.dumps(RuntimeError("TypeError: no"))), State.ERROR, "RuntimeError: TypeError: no"),
    ],
)
def test_a_task_or_result_that_does_not_arrive_fails_alone(trouble, state, said):
    found = run(Client({1: trouble}))
    assert [evaluation.state for evaluation in found] == [COMPLETE, state, *[COMPLETE] * 3]
    assert found[1].reason.startswith(f"the task or its result could not be passed between processes: {said}")


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        ("cancelled", FutureCancelledError("evaluate-1", "scheduler-connection-lost"), ""),
        ("lost", concurrent.futures.CancelledError(), ""),
        ("finished", CommClosedError("in <TCP>: Stream is closed\nmore"), " (in <TCP>: Stream is closed)"),
    ],
)
def test_a_cluster_that_goes_away_ends_the_run_with_a_sentence(status, error, said):
    with pytest.raises(RunError) as ended:
        run(Client({1: (status, error)}))
    assert str(ended.value) == f"the connection to the workers was lost{said}; go on with `qnas resume`."


def test_so_does_one_that_no_longer_says_which_workers_it_has(monkeypatch):
    client = Client()
    monkeypatch.setattr(client, "nthreads", lambda: (_ for _ in ()).throw(CommClosedError("closed")))
    with pytest.raises(RunError, match=r"^the connection to the workers was lost \(closed\); go on with `qnas resume`"):
        run(client)


# --- versions -------------------------------------------------------------------------------------------------

OTHER = {**versions_with_python(), "torch": "1.0", "Python": "3.9"}


def test_workers_of_the_same_versions_may_evaluate():
    assert refusals(Client(), ["a"]) == {} and refusals(Client(), []) == {}


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (OTHER, "the worker b has Python 3.9 in place of 3.11, torch 1.0 in place of 2."),
        (
            ModuleNotFoundError("No module named 'qnas'"),
            "the worker b cannot evaluate: No module named 'qnas'; install",
        ),
        (ValueError(), "the worker b cannot evaluate: ValueError; install qnas-hqnn "),
    ],
)
def test_others_may_not_and_are_told_why(monkeypatch, theirs, said):
    monkeypatch.setattr("sys.version_info", SimpleNamespace(major=3, minor=11))
    (address,), (sentence,) = zip(*refusals(Client(theirs={"b": theirs}), ["a", "b"]).items(), strict=True)
    assert address == "b" and sentence.startswith(said)


def test_one_that_is_gone_again_is_no_matter():
    assert refusals(Client(theirs={"b": CommClosedError("gone")}), ["b"]) == {}


def test_one_that_joins_later_with_other_versions_is_left_out_with_a_warning(caplog):
    client = Client(workers=["a", "b"], theirs={"b": OTHER})
    with caplog.at_level(logging.WARNING, "qnas"):
        run(client)
    assert {worker for _, worker in client.submitted} == {"a"}
    assert len(caplog.records) == 1 and "the worker b has " in caplog.text


class Lost(Future):
    """Has its result on a worker that is gone before anybody has fetched it; Dask then waits for ever."""

    def __init__(self, client, worker):
        super().__init__(None)
        self._client, self._worker = client, worker

    def result(self, timeout):
        self._client.workers.remove(self._worker)
        self.status = "pending"
        raise TimeoutError


def test_so_is_one_whose_result_is_gone_with_its_worker(monkeypatch):
    client, submit = Client(workers=["a", "b"]), Client.submit

    def first(client, *arguments, workers, **options):
        future = submit(client, *arguments, workers=workers, **options)
        return future if len(client.submitted) > 1 else Lost(client, *workers)

    monkeypatch.setattr(Client, "submit", first)
    assert {one.state for one in run(client)} == {COMPLETE}
    assert [worker for _, worker in client.submitted].count("a") == 1 and len(client.submitted) == 6


def unfit(n=0):
    return Ending(pickle.dumps(Evaluation(architectures[n], LOST, reason="it cannot load the data.\nTraceback")))


def test_a_worker_that_lacks_what_the_run_needs_is_left_out_and_its_task_goes_to_another(caplog):
    client = Client({0: unfit()}, workers=["a", "b"])
    with caplog.at_level(logging.WARNING, "qnas"):
        assert {one.state for one in run(client)} == {COMPLETE}
    assert [worker for _, worker in client.submitted].count("a") == 1
    said = "the Dask worker a cannot evaluate: it cannot load the data; "
    assert caplog.messages == [f"{said}it is given nothing more", f"{said}design 0 is tried again"]


def test_where_all_lack_it_the_task_is_lost():
    found = run(Client({0: unfit(), 1: unfit()}))
    assert [one.state for one in found] == [LOST, *[COMPLETE] * 4]
    how = "the Dask worker a cannot evaluate: it cannot load the data"
    assert found[0].reason == f"no answer in two attempts: first {how}, then {how}."
