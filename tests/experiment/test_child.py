"""The process that evaluates, at its own end of the connection."""

import multiprocessing
import pickle
import sys
import threading

import pytest

from qnas.experiment import child
from qnas.experiment.child import serve


@pytest.fixture
def served(monkeypatch):
    """Our end, and the thread that serves the other one."""
    monkeypatch.setattr(child, "_die_with", lambda parent: None)
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=serve, args=(theirs.fileno(), 0, "tests.experiment.targets:echo"))
    thread.start()
    theirs._handle = None  # is served now, and closed there
    assert ours.recv_bytes() == b"ready"
    yield ours, thread
    ours.close()
    thread.join(10)


def test_it_answers_until_there_is_nobody_to_answer(served):
    connection, thread = served
    for argument in (1, {"a": 2}):
        connection.send_bytes(pickle.dumps(argument))
        assert pickle.loads(connection.recv_bytes()) == argument
    connection.close()
    thread.join(10)
    assert not thread.is_alive()


def test_what_it_cannot_read_is_an_answer_too(served):
    connection, _ = served
    connection.send_bytes(b"cnosuchmodule\nthing\n.")
    found = pickle.loads(connection.recv_bytes())
    assert repr(found) == """RuntimeError("ModuleNotFoundError: No module named 'nosuchmodule'")"""


def test_it_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(child, "_die_with", lambda parent: None)
    monkeypatch.setattr(child, "_IDLE_SECONDS", 0.0)
    ours, theirs = multiprocessing.Pipe()
    with ours:
        serve(theirs.fileno(), 0, "tests.experiment.targets:echo")
        theirs._handle = None
        assert ours.recv_bytes() == b"ready"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells")
def test_it_does_not_begin_when_its_parent_is_gone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: type("C", (), {"prctl": lambda *_: 0})())
    with pytest.raises(SystemExit):
        serve(-1, -1, "tests.experiment.targets:echo")
