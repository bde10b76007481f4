"""Calls in processes of their own: limits, deaths, and nothing that stays behind."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from qnas.experiment import supervision
from qnas.experiment.supervision import Child, Limits, StoppedError, stop, supervise

FREE = Limits()
TARGETS = "tests.experiment.targets"
run = "this one"


@pytest.fixture(autouse=True)
def nothing_stays():
    """Each test has children of its own, and leaves none."""
    before = set(psutil.Process().children())
    yield
    stop(run)
    supervision._stopped.clear()
    assert not supervision._busy and not supervision._idle
    assert set(psutil.Process().children()) <= before


def called(target, argument=None, limits=FREE):
    return supervise(pickle.dumps(argument), limits, run, f"{TARGETS}:{target}")


def answer(target, argument=None, limits=FREE):
    return pickle.loads(called(target, argument, limits).answer)


def gone(pid):
    """Whether a process is gone, or will be at once."""
    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


# --- answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", [{"a": (1, 2.5)}, b"x" * 5_000_000])
def test_an_answer_comes_back(argument):
    ending = called("echo", argument)
    assert pickle.loads(ending.answer) == argument
    assert (ending.state, ending.reason) == ("COMPLETE", "") and 0 < ending.seconds < 60


def test_the_call_has_one_thread_a_session_of_its_own_and_no_input_and_may_print(capfd):
    assert answer("surroundings") == ("1", True, b"")
    assert capfd.readouterr().out.startswith("noise noise")


def test_a_process_is_kept_for_further_calls():
    first = answer("pid")
    assert first != os.getpid() and answer("pid") == first


def test_a_process_that_has_died_without_work_is_replaced_and_nobody_is_blamed():
    first = answer("pid")
    os.kill(first, signal.SIGKILL)
    supervision._idle[0]._process.wait()
    assert answer("pid") != first


def test_a_process_for_another_target_is_not_used():
    assert answer("pid") and answer("echo", 3) == 3


def test_an_answer_that_cannot_be_passed_is_an_error_and_the_process_goes_on():
    first = answer("unpicklable")
    assert isinstance(first, RuntimeError) and "pickle" in str(first)
    assert isinstance(answer("unpicklable"), RuntimeError) and len(supervision._idle) == 1


# --- limits ---------------------------------------------------------------------------------------------------


def test_what_takes_too_long_is_ended_with_all_it_started(tmp_path):
    ending = called("hang_with_a_process", str(tmp_path / "pid"), Limits(seconds=0.5))
    assert (ending.answer, ending.state) == (None, "OUT_OF_TIME") and 0.5 <= ending.seconds < 30
    assert ending.reason == (
        "it took longer than the 0.5 s of executor.seconds; raise executor.seconds to give a design more."
    )
    assert not supervision._idle
    assert gone(int((tmp_path / "pid").read_text()))


def test_the_start_of_the_process_is_not_counted():
    assert answer("echo", 1, Limits(seconds=0.02)) == 1


def test_what_takes_too_much_memory_is_ended():
    ending = called("hog", 300, Limits(memory_gib=0.25))
    assert (ending.answer, ending.state) == (None, "OUT_OF_MEMORY")
    said, _, advice = ending.reason.partition(" GiB, over the 0.25 GiB of executor.memory_gib; ")
    assert 0.25 <= float(said.removeprefix("its process took ")) < 0.5  # rounded: 0.2501 is said as 0.25
    assert advice == "raise executor.memory_gib to give a design more."
    assert called("hang", None, Limits(seconds=0.5, memory_gib=0.25)).state == "OUT_OF_TIME"


def test_what_earlier_calls_left_in_a_process_is_not_held_against_a_call():
    limits = Limits(memory_gib=0.2)
    first = answer("keep", 120, limits)
    assert answer("keep", 120, limits) != first, "in the process of the first it would be too much"


def test_a_limit_below_what_an_idle_process_takes_says_how_much_that_is():
    ending = called("echo", 1, Limits(memory_gib=0.001))
    assert (ending.answer, ending.state, ending.again, ending.in_vain) == (None, "OUT_OF_MEMORY", False, True)
    assert ending.reason.startswith("executor.memory_gib is 0.001, but a process takes 0.0")
    assert ending.reason.endswith(" GiB before it evaluates anything; raise executor.memory_gib.")


# --- deaths ---------------------------------------------------------------------------------------------------


def test_a_death_is_tried_again_in_a_new_process(tmp_path):
    first = answer("pid")
    assert answer("die_once", str(tmp_path / "mark")) not in (first, os.getpid())


@pytest.mark.parametrize(
    ("target", "argument", "how"),
    [
        ("leave", 0, "exited with code 0"),
        ("leave", 9, "exited with code 9"),
        ("die", signal.SIGSEGV, "was killed by SIGSEGV"),
        ("die", signal.SIGKILL, "was killed by SIGKILL, as the system does when memory runs out"),
        ("die", signal.SIGRTMIN + 1, f"was killed by signal {signal.SIGRTMIN + 1}"),
        ("no_such_function", None, "exited with code 1"),
    ],
)
def test_two_deaths_are_the_end_of_it_with_their_reasons(target, argument, how):
    ending = called(target, argument)
    assert (ending.answer, ending.state) == (None, "LOST")
    assert ending.reason == f"no answer in two attempts: first its process {how}, then its process {how}."


def test_a_process_that_hangs_up_and_lives_is_ended(monkeypatch):
    monkeypatch.setattr(supervision, "_END_SECONDS", 0.1)
    assert called("close_all").state == "LOST"


def test_a_process_that_does_not_start_is_given_up(monkeypatch):
    monkeypatch.setattr(supervision, "_START_SECONDS", 0.0)
    ending = called("echo", 1)
    assert ending.state == "LOST"
    assert ending.reason.startswith("no answer in two attempts: first the process that was to evaluate it did not st")


def without_processes(monkeypatch, n):
    """The first processes cannot be started."""
    start, left = subprocess.Popen, iter(range(n))

    def popen(*arguments, **options):
        if next(left, None) is not None:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)


def test_a_machine_that_can_start_no_process_is_asked_twice(monkeypatch):
    without_processes(monkeypatch, 1)
    assert answer("echo", 3) == 3


def test_and_then_the_call_is_lost_with_the_reason(monkeypatch):
    without_processes(monkeypatch, 2)
    ending = called("echo", 3)
    how = "no process could be started for it ([Errno 11] Resource temporarily unavailable)"
    assert (ending.answer, ending.state) == (None, "LOST")
    assert ending.reason == f"no answer in two attempts: first {how}, then {how}."


# --- the end of a run -----------------------------------------------------------------------------------------


def test_the_end_of_a_run_ends_its_calls_and_spares_those_of_others():
    endings = {}

    def call(of):
        try:
            endings[of] = supervise(pickle.dumps(1), Limits(seconds=1.5), of, f"{TARGETS}:hang").state
        except StoppedError as error:
            endings[of] = repr(error)

    threads = [threading.Thread(target=call, args=(of,)) for of in (run, "another")]
    for thread in threads:
        thread.start()
    while len(supervision._busy) < 2:
        time.sleep(0.01)
    stop(run)
    for thread in threads:
        thread.join()
    assert endings == {run: f"StoppedError({run!r})", "another": "OUT_OF_TIME"}
    with pytest.raises(StoppedError):
        called("echo")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a busy process ends after its answer")
def test_a_process_dies_with_its_supervisor_whatever_it_is_at():
    """Nobody but Linux tells a process that computes that its parent was killed."""
    code = (
        "import os, pickle; from qnas.experiment.supervision import Child\n"
        f"child = Child({TARGETS!r} + ':hang'); child._connection.recv_bytes(); print(child.pid, flush=True)\n"
        "child._connection.send_bytes(pickle.dumps(0)); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == -9, ended.stderr
    assert gone(int(ended.stdout))


def test_a_process_without_work_ends_when_its_supervisor_hangs_up():
    child = Child(f"{TARGETS}:echo")
    child._connection.recv_bytes()
    child._connection.close()
    assert child._process.wait(10) == 0
    child.close()


def test_what_a_client_that_is_gone_has_asked_for_is_ended():
    """A search that is killed cannot call `stop`, and its evaluation would hold the worker, a hanging one for ever."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
        with Client(cluster) as killed:
            killed.submit(supervise, pickle.dumps(None), FREE, run, f"{TARGETS}:hang")
            while not supervision._busy:
                time.sleep(0.01)
            (child,) = supervision._busy
        with Client(cluster) as another:
            ending = another.submit(supervise, pickle.dumps(3), FREE, run, f"{TARGETS}:echo").result(timeout=20)
        assert pickle.loads(ending.answer) == 3 and not child.alive
