"""The doctor finds this installation sound, and says what is not."""

import pytest
import torch

from qnas import doctor
from qnas.cli import main
from qnas.doctor import examine

CHECKS = ["versions", "machine", "configuration", "search spaces", "gradient on Aer"]


def test_this_installation_is_sound():
    found = examine()
    assert [name for name, _, _ in found] == CHECKS
    assert all(sound for _, sound, _ in found), found
    said = {name: text for name, _, text in found}
    assert f"torch {torch.__version__}" in said["versions"] and "qiskit-aer " in said["versions"]
    assert "cores" in said["machine"] and "GiB free" in said["machine"]
    assert "hybrid" in said["search spaces"]


def fail(*_):
    raise OSError("[disk] is gone")


@pytest.mark.parametrize(
    ("part", "check"),
    [
        ("environment", "versions"),
        ("compose", "configuration"),
        ("load_space", "search spaces"),
        ("QuantumLayer", CHECKS[4]),
    ],
)
def test_what_raises_is_a_finding_and_the_other_checks_go_on(monkeypatch, part, check, capsys):
    monkeypatch.setattr(doctor, part, fail)
    found = {name: (sound, text) for name, sound, text in examine()}
    assert found[check] == (False, "OSError: [disk] is gone")
    assert list(found) == CHECKS
    monkeypatch.setenv("COLUMNS", "150")
    assert main(["doctor"]) == 1
    assert "OSError: [disk] is gone" in capsys.readouterr().out


def test_a_wrong_gradient_is_found(monkeypatch):
    monkeypatch.setattr(torch, "sin", torch.cos)
    assert ("gradient on Aer", False) in [finding[:2] for finding in examine()]


def test_no_search_space_is_found(monkeypatch):
    monkeypatch.setattr(doctor, "space_names", dict)
    assert ("search spaces", False, "") in examine()
