"""A file is the old one or the new one, never half of it."""

from pathlib import Path

import pytest

from qnas.front.files import write_at_once


@pytest.mark.parametrize(("content", "written"), [("a\n\u2190", b"a\n\xe2\x86\x90"), (b"\x00\xff", b"\x00\xff")])
def test_text_is_utf_8_and_bytes_are_bytes(tmp_path, content, written):
    write_at_once(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == written
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write_at_once(tmp_path / "file", "old")

    def fail(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", fail)
        with pytest.raises(OSError, match="disk full"):
            write_at_once(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
