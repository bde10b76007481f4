"""Every command and snippet of the README runs, in order, in one folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from qnas.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(bash|python|yaml)\n(.*?)```", README, flags=re.DOTALL)
FILE = re.compile(r"# (\w+\.(?:py|yaml))\n")
RUN = ("qnas", "pytest")
MAKE_BLOCK = [["make", "search"], ["make", "test"]]  # it installs, and runs these tests
MAKE_SEARCH = ["make", "-C", str(ROOT), "search"]
LESS = (
    "training.epochs=1",
    "objectives.options.expressibility.n_pairs=200",
    "objectives.options.trainability.n_starts=8",
    "executor=serial",
)
"""A search of the README takes less time here, and no processes of its own, in all but the snippets of Python."""


def commands(block):
    return [command for line in block.splitlines() if (command := shlex.split(line, comments=True))]


def run(command, folder):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def launch(launcher, arguments, folder):
    launcher.start(*arguments, *LESS * (arguments[0] == "search"), folder=folder)
    assert launcher.wait() == 0, f"{arguments}\n{launcher.errors.read_text()}"


def follow(language, block, folder, launcher):
    """Do what a block says; fails if that is nothing."""
    named = FILE.match(block)
    if named:
        (folder / named[1]).write_text(block)
    elif language == "python":
        (folder / "snippet.py").write_text(block)
        run([sys.executable, "snippet.py"], folder)
    else:
        given = commands(block) if language == "bash" else []
        ours = [command for command in given if command[0] in RUN]
        for command in ours:
            if command[0] == "qnas":
                launch(launcher, command[1:], folder)
            else:
                run(command, folder)
        assert ours or given == MAKE_BLOCK, f"nothing runs in\n{block}"


@pytest.mark.slow
def test_every_block_runs_in_order(launcher, tmp_path):
    assert len(BLOCKS) >= 6
    for language, block in BLOCKS:
        follow(language, block, tmp_path, launcher)


@pytest.mark.parametrize(
    ("language", "block"),
    [
        ("yaml", "n_qubits: 3\n"),
        ("yaml", "# my space.yaml\nn_qubits: 3\n"),
        ("bash", "ls\n"),
        ("bash", "# qnas spaces\n"),
    ],
)
def test_a_block_in_which_nothing_runs_fails(tmp_path, language, block):
    with pytest.raises(AssertionError, match="nothing runs in"):
        follow(language, block, tmp_path, launcher=None)


def test_every_block_is_of_a_language_that_runs():
    languages = re.findall(r"^ *```(\w+)", README, flags=re.MULTILINE)  # what names none is no code
    assert languages == [language for language, _ in BLOCKS]


def test_the_only_other_commands_are_those_that_run_these_tests():
    others = [c for language, block in BLOCKS if language == "bash" for c in commands(block) if c[0] not in RUN]
    assert others == MAKE_BLOCK


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".venv" / "installed").exists(), reason="qnas was not installed by make")
def test_make_search_runs(tmp_path):
    run([*MAKE_SEARCH, f"ARGS=experiment=quick training.epochs=1 run_dir={tmp_path / 'run'}"], ROOT)
    assert (tmp_path / "run" / "front.csv").exists()


def test_what_the_readme_promises_of_a_run_folder_is_what_the_code_writes():
    text = README.split("leaves a run folder:")[1].split("## Search")[0]
    for name in (
        "front.csv",
        "front.json",
        "figures/front.png",
        "figures/hypervolume.png",
        "ledger.jsonl",
        "references.bib",
        "config.yaml",
    ):
        assert f"`{name}`" in text


def test_a_space_of_your_own_takes_at_most_twenty_lines():
    (block,) = [block for _, block in BLOCKS if block.startswith("# my_space.py")]
    assert len(block.splitlines()) <= 20


@pytest.mark.slow
def test_what_describe_is_said_to_print_is_what_it_prints(tmp_path, monkeypatch, capsys):
    """But for the time of a step."""
    (block,) = [block for _, block in BLOCKS if block.startswith("# my_space.py")]
    design, check = re.findall(r"```\n(.*?)```\n", README.split("`qnas describe` prints")[1], flags=re.DOTALL)[:2]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "my_space.py").write_text(block)
    assert main(["describe", "my_space.py", "--data", "iris", "--seed", "2"]) == 0
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
    before, after = re.split(r"training: .* steps\n", design)
    assert before in printed and after.rstrip() in printed
    assert main(["describe", "--check", "my_space.py", "--data", "iris"]) == 0
    assert capsys.readouterr().out == check
