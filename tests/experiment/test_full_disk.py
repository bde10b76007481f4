"""A disk that is full ends a run with one sentence, and once there is room the run ends as if nothing had happened."""

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

import qnas
from qnas.cli import main
from qnas.errors import RunError, RunFolderError
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import Ledger
from qnas.front.files import write_at_once
from qnas.launch import compose
from tests.experiment.runs import SMALL, front_without_seconds, records_without_seconds
from tests.experiment.test_ledger import COMPLETE, FAILED, objectives, space


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one mebibyte; skips the test where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk, and not everywhere")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def filled(disk, n_left):
    """A file that leaves so many bytes of a disk free."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast.write_bytes(bytes(max(free - n_left, 0)))
    return ballast


@pytest.mark.parametrize("n_left", [0, 4096, 20480, 32768])
def test_a_run_on_a_full_disk_says_how_to_go_on_and_ends_with_the_same_front(
    finished, small_disk, n_left, capsys, monkeypatch
):
    """Wherever it strikes: in the log, in weights, in the ledger or in the results."""
    run, written = small_disk / "run", []
    append = Ledger.append

    def appended(ledger, design_id, evaluation):
        append(ledger, design_id, evaluation)
        written.append(design_id)
        if len(written) == 3:
            filled(small_disk, n_left)

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append", appended)
        assert main(["search", *SMALL, f"run_dir={run}"]) == 1
    said = capsys.readouterr().err.strip()
    assert said == (
        f"qnas: the run folder {str(run)!r} cannot be written: No space left on device; what was evaluated so far is "
        f"kept, so make room or mend that, and go on with: qnas resume {run}"
    )
    assert 3 <= len(written) <= 12
    (small_disk / "ballast").unlink()
    assert main(["resume", str(run)]) == 0
    assert front_without_seconds(run) == front_without_seconds(finished.path)
    assert records_without_seconds(run) == records_without_seconds(finished.path)
    assert not list(run.rglob("*.unfinished"))


def test_a_folder_that_cannot_be_begun_is_refused(small_disk):
    filled(small_disk, 0)
    with pytest.raises(RunFolderError, match=r"run_dir '.*' cannot be made: .*No space left on device; choose another"):
        RunFolder.claim(compose([*SMALL, f"run_dir={small_disk}/run"]))


@pytest.fixture
def no_room(monkeypatch):
    """The second half of what is written does not fit any more."""

    def fsync(number):
        half = os.fstat(number).st_size - 100
        os.ftruncate(number, half)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", fsync)
    return monkeypatch


def test_a_line_that_did_not_fit_is_mended_with_a_note(tmp_path, no_room, caplog):
    path = tmp_path / "ledger.jsonl"
    with no_room.context() as patched:
        patched.setattr("os.fsync", lambda number: None)
        ledger = Ledger(path, objectives, space)
        ledger.append(0, COMPLETE)
    with pytest.raises(RunError, match="cannot be written: No space left on device; what was evaluated so far is kept"):
        ledger.append(1, FAILED)
    assert not path.read_bytes().endswith(b"\n")
    no_room.undo()
    again = Ledger(path, objectives, space)
    assert "the last line of ledger.jsonl was cut short" in caplog.text
    again.append(1, FAILED)
    assert list(again.evaluations()) == [(0, COMPLETE), (1, FAILED)]


def test_of_a_file_that_cannot_be_completed_nothing_is_left(tmp_path, monkeypatch):
    (tmp_path / "kept").write_text("before")

    def write(path, content):
        path.touch()
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(OSError, match="full"):
        write_at_once(tmp_path / "kept", "after")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


def test_a_new_name_is_on_the_disk_too_where_that_can_be_asked_for(tmp_path, monkeypatch):
    """Or a database may hold an evaluation whose weights a power cut has taken."""
    synced = []

    def fsync(number):
        synced.append(stat.S_ISDIR(os.fstat(number).st_mode))
        if synced[-1]:
            raise OSError(errno.EINVAL, "not on this file system")

    monkeypatch.setattr("os.fsync", fsync)
    write_at_once(tmp_path / "file", "text")
    assert synced == [False, True] and (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("private", [True, False])
def test_a_private_file_is_its_owner_s(tmp_path, private):
    write_at_once(tmp_path / "file", "text", private=private)
    assert bool((tmp_path / "file").stat().st_mode & 0o044) is not private


def test_the_results_of_a_folder_that_cannot_be_written(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("qnas.experiment.results.write_front", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(RunError, match=r"the run folder '.*/run' cannot be written: full; .* qnas resume .*/run$"):
        qnas.search(
            [*SMALL, "search.generations=1", "objectives.names=[accuracy,expressibility]", f"run_dir={tmp_path}/run"]
        )
