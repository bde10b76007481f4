"""The commands, as a user meets them: what they print, what they leave, and how they say what is wrong."""

import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from qnas.cli import front_table, main
from qnas.errors import RunError, RunFolderError
from qnas.experiment.folder import RunFolder
from qnas.launch import compose
from qnas.model.hybrid import build_model
from qnas.progress import Progress
from qnas.space import draws, load_space
from tests.experiment.runs import (
    JOB,
    QUICKEST,
    SMALL,
    SPACE,
    contents,
    front_without_seconds,
    n_evaluated,
    with_mishaps,
)

pytestmark = pytest.mark.usefixtures("blank_pictures")

EXTRA = """
import qnas

@qnas.objective("minimize", "gates")
def n_gates(design):
    return design.circuit.size()
"""
NEVER = """
from qnas.space import Space, boolean
space = Space(a=boolean()).where(lambda a: False, because="nothing is allowed")
"""
LARGE = """
from qnas.space import Space, choice, integer, repeat
space = Space(
    n_qubits=integer(45, 50),
    encoding=choice("angle"),
    layers=repeat(1, 2, rotation="ry", entangler="cx", topology="line"),
)
"""
SMALL_SPACE = SPACE.read_text()
OVER_BUDGET = f"{SMALL_SPACE}\nspace = space.within(flops=3)"
NO_COUPLING = SMALL_SPACE.replace("residual", "nosuch")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder of the test's own, where nothing lies but what it needs; 100 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def qnas(*arguments, columns=80):
    """The command in a process of its own, its output piped."""
    environment = {**os.environ, "COLUMNS": str(columns)}
    command = [sys.executable, "-m", "qnas.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200, check=False)


# --- what is wrong --------------------------------------------------------------------------------------------


def sentence_of(capsys, arguments, code=2):
    """The one sentence on stderr, after the exit code; nothing else is printed and no run is begun."""
    assert main(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("qnas: ") and printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    assert not Path("run").exists()
    return printed.err


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "space=hybird",
            ["unknown search space 'hybird'", "did you mean 'hybrid'", "the path of a Python or YAML file"],
        ),
        ("space=nosuch.py", ["there is no file 'nosuch.py'", "give the path of a Python file"]),
        ("space=nomodule:space", ["the module of 'nomodule:space' cannot be imported", "No module named"]),
        ("objectives.names=[acuracy,flops]", ["unknown objective 'acuracy'", "did you mean 'accuracy'", "flops"]),
        ("objectives.names=[]", ["objectives.names is []", "name at least one"]),
        ("objectives.add=[nosuch.py]", ["there is no file 'nosuch.py'"]),
        ("objectives.options.expressibility.pairs=3", ["'pairs'", "did you mean 'n_pairs'"]),
        ("objectives.options.expressibility.n_pairs=0", ["n_pairs is 0; allowed is a whole number of at least 2"]),
        ("objectives.options.acuracy.n=3", ["unknown key of objectives.options, 'acuracy'", "mean 'accuracy'"]),
        ("data=irsi", ["unknown option of the group 'data', 'irsi'", "did you mean 'iris'", "Use data=..."]),
        ("data.name=irsi", ["unknown data set 'irsi'", "did you mean 'iris'", "breast_cancer"]),
        ("data=file", ["the data set 'file' needs data.path"]),
        ("data.test=2", ["data.test is 2", "between 0 and 1"]),
        ("search.populaton=8", ["unknown configuration key 'search.populaton'", "did you mean 'search.population'"]),
        ("traning.epochs=3", ["'traning.epochs'", "did you mean 'training'"]),
        ("search=nsga3x", ["unknown option of the group 'search', 'nsga3x'", "did you mean 'nsga3'"]),
        ("search.name=nsga3x", ["unknown searcher 'nsga3x'", "did you mean 'nsga3'", "the group 'qnas.searchers'"]),
        ("search.population=abc", ["search.population must be a whole number", "'abc'"]),
        ("search.population=0", ["search.population is 0", "whole numbers of at least 1"]),
        ("simulation.name=exakt", ["unknown simulator 'exakt'", "did you mean 'exact'"]),
        ("training.configuration=foo", ["training.configuration 'foo'", "end_to_end, quantum_only, pqc"]),
        ("training.epochs=0", ["training.epochs is 0", "greater than 0"]),
        ("executor.workers=0", ["executor.workers is 0", "whole numbers of at least 1"]),
        ("executor.name=locl", ["unknown executor 'locl'", "did you mean 'local'"]),
        ("seed=-1", ["seed is -1", "at least 0"]),
        ("seed", ["'seed' is not of the form key=value"]),
        ("seed=0,1", ["'seed=0,1' gives several values", "qnas search -m"]),
    ],
)
def test_a_mistake_is_one_sentence(capsys, override, said):
    sentence = sentence_of(capsys, ["search", "data=iris", "run_dir=run", override])
    assert all(part in sentence for part in said), sentence


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("search.population=4,0", "search.population is 0"),
        ("search.population=4,abc", "search.population must be a whole number"),
        ("space=hybrid,hybird", "unknown search space 'hybird'"),
    ],
)
def test_a_mistake_in_a_sweep_is_found_before_it_starts(capsys, point, said):
    assert said in sentence_of(capsys, ["search", "-m", "data=iris", "run_dir=run", point])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NEVER, ["designs drawn from the space is valid", "'nothing is allowed' excluded 100", "Relax a constraint"]),
        (LARGE, ["none of 100 sampled designs", "qubits needs", "PiB of memory", "GiB; use at most"]),
        (
            OVER_BUDGET,
            [
                "none of 500 sampled designs",
                "can be evaluated: the budget flops excluded 500 (at best: flops is at least ",
                "over the budget of 3)",
            ],
        ),
        (NO_COUPLING, ["none of 100 sampled designs", "can be built: unknown coupling 'nosuch'", "Allowed: "]),
        ("space = (", ["cannot be imported: SyntaxError", "line 1"]),
        ("spaces = 3", ["unknown search space of '", "mine.py', 'space'"]),
        ("space = 3", ["mine.py:space' is of type int", "declare it as Space(...)"]),
        ("1 / 0", ["cannot be imported: ZeroDivisionError"]),
    ],
)
def test_a_space_that_cannot_be_searched(capsys, monkeypatch, text, said):
    monkeypatch.setattr(draws, "MAX_REJECTED", 100)
    Path("mine.py").write_text(text)
    sentence = sentence_of(capsys, ["search", "space=mine.py", "data=iris", "run_dir=run"])
    assert all(part in sentence for part in said), sentence


def test_data_with_missing_values(capsys):
    Path("my.csv").write_text("a,b,y\n1,2,0\n3,,1\n")
    sentence = sentence_of(capsys, ["search", "data=file", "data.path=my.csv", "run_dir=run"])
    assert "one value is missing in '" in sentence
    assert "my.csv', in the columns 'b', first in data row 2" in sentence
    assert "fill them in or remove" in sentence


def test_a_file_without_objectives(capsys):
    Path("mine.py").write_text("x = 3\n")
    sentence = sentence_of(capsys, ["search", "objectives.add=[mine.py]", "run_dir=run"])
    assert "mine.py' registers no objective; decorate a function with @qnas.objective(...)" in sentence


def test_a_folder_that_holds_another_run(capsys, finished):
    before = contents(finished.path)
    arguments = [*SMALL, "search.population=7", "training.epochs=9", f"run_dir={finished.path}"]
    sentence = sentence_of(capsys, ["search", *arguments])
    assert "search.population is 6 there and 7 here; training.epochs is 1 there and 9 here" in sentence
    assert "choose another run_dir, where ledger.reuse takes over what this run has found, or continue" in sentence
    assert contents(finished.path) == before


def test_a_folder_that_holds_other_files(capsys):
    Path("thesis").mkdir()
    Path("thesis/chapter.tex").write_text("...")
    sentence = sentence_of(capsys, ["search", "data=iris", "run_dir=thesis"])
    assert "'thesis' exists and is not the folder of a run; choose another run_dir" in sentence
    assert [path.name for path in Path("thesis").iterdir()] == ["chapter.tex"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serch"], ["unknown command 'serch'", "did you mean 'search'", "See qnas --help"]),
        (["describe", "nosuch"], ["unknown search space 'nosuch'", "hybrid"]),
        (["describe", "hybrid", "--data", "irsi"], ["unknown data set 'irsi'", "did you mean 'iris'"]),
        (["describe", "--check", "hybrid", "--data", "no.csv"], ["there is no", "no.csv"]),
        (["resume", "nosuch"], ["'nosuch' holds no run", "no config.yaml"]),
        (["front", "nosuch"], ["'nosuch' holds no run", "no config.yaml"]),
    ],
)
def test_a_mistake_in_other_commands(capsys, arguments, said):
    sentence = sentence_of(capsys, arguments)
    assert all(part in sentence for part in said), sentence


def test_a_front_before_anything_was_evaluated(capsys):
    RunFolder.claim(compose(["data=iris", "run_dir=begun"]))
    assert "there is no ledger at 'begun/ledger.jsonl'" in sentence_of(capsys, ["front", "begun"])


def test_a_missing_argument_shows_the_usage(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["resume"])
    assert exit_.value.code == 2
    assert "usage: qnas resume [-h] run" in capsys.readouterr().err


def test_a_failed_run_has_another_exit_code(capsys):
    assert main(["search", *with_mishaps("error", "objectives.options.mishap.everywhere=true", "run_dir=run")]) == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith("qnas: all 6 designs of the first generation failed") and complaint.count("\n") == 1
    assert "ValueError: the mishap struck. See run/log.txt." in complaint


def test_a_sentence_is_not_wrapped_nor_taken_for_markup(capsys, monkeypatch):
    def raise_(*_):
        raise RunError("[bold]" + "word " * 60)

    monkeypatch.setattr("qnas.experiment.loop.run_search", raise_)
    assert main(["search", "run_dir=run"]) == 1
    assert capsys.readouterr().err == "qnas: [bold]" + "word " * 60 + "\n"


# --- search, resume, front ------------------------------------------------------------------------------------


def test_a_search_prints_its_course_and_its_front(capsys):
    assert main(["search", *SMALL, "run_dir=run"]) == 0
    printed = capsys.readouterr()
    lines = [line.rstrip() for line in printed.out.splitlines()]
    assert lines[0] == f"Searching {SPACE} on iris with nsga2: 12 designs, 1 worker. Run folder: run"
    assert lines[1].startswith("1/12 done   0 failed   hypervolume -   about ")
    assert re.match(r"12/12 done   0 failed   hypervolume 0\.\d{3}   finishing", lines[12])
    front = pd.read_csv("run/front.csv")
    assert lines[13] == f"Pareto front: {len(front)} of 12 designs, 0 failed"
    assert "accuracy ↑ expressibility ↓ flops ↓ design" in printed.out
    assert [int(line.split()[0]) for line in lines if re.match(r" +\d+ +0?\.?\d", line)] == front["id"].tolist()
    assert lines[-4:] == [
        "  run/front.csv  the front as a table",
        "  run/figures/front.png  every pair of objectives",
        "  run/designs  architecture, circuit and weights of each member",
        "  run/ledger.jsonl  every evaluation",
    ]
    assert printed.err == "" and "\x1b" not in printed.out


def test_failures_are_counted(capsys):
    assert main(["search", *with_mishaps("error", "run_dir=run")]) == 0
    printed = " ".join(capsys.readouterr().out.split())  # a title wraps over a narrow table
    assert re.search(r"Pareto front: \d of 12 designs, [1-9]\d* failed", printed)


def test_a_front_with_designs_that_were_stopped_early_says_so(capsys):
    assert (
        main(["search", *SMALL, "training.epochs=3", "early_stopping=halving", "early_stopping.first=1", "run_dir=run"])
        == 0
    )
    n_stopped = int(pd.read_csv("run/front.csv")["stopped_at"].notna().sum())
    assert n_stopped and f"Note: training of {n_stopped} of these designs was stopped early" in capsys.readouterr().out


def test_a_folder_with_brackets_is_printed_as_it_is(capsys):
    assert main(["search", *QUICKEST, "search.generations=1", "run_dir='[red]run'"]) == 0
    assert "  [red]run/front.csv  the front as a table" in capsys.readouterr().out
    assert Path("[red]run/front.csv").is_file()


def test_resuming_a_finished_run_evaluates_nothing_and_changes_nothing(capsys, finished, monkeypatch):
    monkeypatch.setattr("qnas.experiment.executor.evaluate", lambda task: pytest.fail("evaluated again"))
    before = contents(finished.path)
    assert main(["resume", str(finished.path)]) == 0
    printed = capsys.readouterr().out
    assert "Pareto front: " in printed and " left\n" not in printed
    assert contents(finished.path) == before


@pytest.mark.parametrize("command", ["resume", "front"])
@pytest.mark.parametrize(
    ("text", "said"), [("raise SystemExit", "has changed"), (None, "is missing")], ids=["edited", "missing"]
)
def test_a_run_whose_plug_in_has_changed_is_left_as_it_is(capsys, command, text, said):
    """The file is not even imported."""
    Path("extra.py").write_text(EXTRA)
    assert main(["search", *QUICKEST, "search.generations=1", "objectives.add=[extra.py]", "run_dir=begun"]) == 0
    capsys.readouterr()
    before = contents("begun")
    if text is None:
        Path("extra.py").unlink()
    else:
        Path("extra.py").write_text(text)
    sentence = sentence_of(capsys, [command, "begun"])
    assert f"extra.py' (objectives.add[0]) {said} since the run in 'begun' began" in sentence
    assert "restore what it began with, or choose another run_dir" in sentence
    assert contents("begun") == before


def test_front_shows_the_front_and_writes_it_identically(capsys, finished):
    before = contents(finished.path)
    for name in ("front.csv", "front.json", "figures/front.png", "figures/hypervolume.png"):
        (finished.path / name).unlink()
    assert main(["front", str(finished.path)]) == 0
    assert f"Pareto front: {len(finished.front)} of 12 designs" in capsys.readouterr().out
    assert contents(finished.path) == before


def test_the_front_of_a_run_that_goes_on_is_shown_and_its_files_are_left_to_it(capsys, finished, tmp_path):
    """As a search may leave them for a moment: the last line of the ledger half written, its lock taken, no front."""
    run = tmp_path / "run"
    shutil.copytree(finished.path, run)
    (run / "front.csv").unlink()
    with (run / "ledger.jsonl").open("ab") as file:
        file.write(b'{"op_code": 4')
    (run / "ledger.jsonl.lock").symlink_to(run / "ledger.jsonl")
    before = contents(run)
    with RunFolder(run).held():
        assert main(["front", "run"]) == 0
    printed = capsys.readouterr()
    assert f"Pareto front: {len(finished.front)} of 12 designs" in printed.out
    said = "Another qnas is at work in run and will write its files; nothing was written now."
    assert printed.out.splitlines()[-1] == said and "front.csv" not in printed.out
    assert contents(run) == before and printed.err == ""


def test_front_holds_the_folder_while_it_writes(finished, monkeypatch):
    def write_results(folder, findings):
        with pytest.raises(RunFolderError, match="another qnas is running in"), folder.held():
            pass

    monkeypatch.setattr("qnas.experiment.results.write_results", write_results)
    assert main(["front", str(finished.path)]) == 0


def test_a_sweep_leaves_a_folder_for_each_point(capsys, place):
    assert main(["search", "-m", *QUICKEST, "seed=0,1", "run_dir=sweep"]) == 0
    assert sorted(path.name for path in Path("sweep").iterdir()) == ["0", "1", "multirun.yaml"]
    assert [path.name for path in place.iterdir()] == ["sweep"]
    for seed in ("0", "1"):
        assert {row[-1] for row in front_without_seconds(f"sweep/{seed}")[1:]} == {seed}
    assert capsys.readouterr().out.count("Pareto front: ") == 2


def test_a_sweep_with_a_failed_run_reports_it_and_runs_the_others(capsys):
    everywhere = "objectives.options.mishap.everywhere=true,false"
    assert main(["search", "-m", *with_mishaps("error", everywhere, "run_dir=sweep")]) == 1
    assert capsys.readouterr().err.count("qnas: all 6 designs of the first generation failed") == 1
    assert not Path("sweep/0/front.csv").exists() and Path("sweep/1/front.csv").is_file()


# --- help -----------------------------------------------------------------------------------------------------


def test_the_help_of_a_search_names_groups_keys_and_examples(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["search", "--help"])
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert "data: breast_cancer, circles, digits, file, iris, mnist, moons, spirals, wine" in printed
    assert "training: end_to_end, pqc, quantum_only" in printed
    assert "  population: 24\n" in printed
    assert "qnas search data=iris search.population=8 search.generations=2 run_dir=runs/iris" in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_the_configuration_of_a_job_is_shown_and_nothing_run(capsys, place):
    assert main(["search", "--cfg", "job", "data=iris", "search.population=5"]) == 0
    printed = capsys.readouterr().out
    assert "  name: iris\n" in printed and "  population: 5\n" in printed and "hydra" not in printed
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_the_help_lists_the_commands(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"    {name} " in printed for name in ("search", "resume", "front", "spaces", "describe", "doctor"))


def test_the_version(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert re.fullmatch(r"qnas \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_spaces_are_listed(capsys):
    assert main(["spaces"]) == 0
    assert "hybrid" in capsys.readouterr().out


def test_a_space_is_described(capsys):
    assert main(["describe", str(SPACE)]) == 0
    printed = capsys.readouterr().out
    assert ": 48 architectures" in printed.replace("\n", " ")
    assert "encoding.iqp.repeats" in printed and "encoding is iqp" in printed.replace("=", "is").replace("'", "")
    assert "Circuits of two qubits, 48 designs; some genes do not exist in all of them." in printed
    assert "\nbuilt for digits: 64 features, 10 outputs\n" in printed
    assert printed.count("\nsample(") == 3 and printed.count("\nn_qubits=2 encoding=") == 3
    assert printed.count("q_1: ") >= 3 and printed.count("\ncircuit: 2 qubits, depth ") == 3
    assert printed.count("\nFLOPs of a sample: ") == printed.count(" ms a step here, ") == 3
    assert max(map(len, printed.splitlines())) <= 100


def test_other_designs_for_other_data(capsys):
    Path("my.csv").write_text("a,b,y\n" + "".join(f"{k},{-k},{k % 2}\n" for k in range(40)))
    assert main(["describe", str(SPACE), "--data", "my.csv", "--seed", "7"]) == 0
    printed = capsys.readouterr().out
    assert "\nbuilt for my.csv: 2 features, 2 outputs\n" in printed
    seven = load_space(str(SPACE)).sample(7)
    assert f"\nsample(7), fingerprint {seven.fingerprint}\n" in printed and "sample(9)" in printed
    assert f"\nweights: {build_model(seven, 2, 2, seed=0).n_parameters}; " in printed


def test_designs_that_cannot_be_built_are_shown_with_their_reason(capsys):
    Path("mine.py").write_text(NO_COUPLING)
    assert main(["describe", "mine.py", "--data", "iris"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("remark: it cannot be built: unknown coupling 'nosuch': ") == 3
    assert "qubits, depth" not in printed


def test_designs_over_a_budget_are_shown_with_their_cost(capsys):
    Path("mine.py").write_text(OVER_BUDGET)
    assert main(["describe", "mine.py", "--data", "iris"]) == 0
    printed = capsys.readouterr().out
    assert len(re.findall(r"^remark: flops is \d+, over the budget of 3$", printed, flags=re.M)) == 3
    assert printed.count("\nFLOPs of a sample: ") == 3


def test_a_space_without_mistakes_is_checked(capsys):
    assert main(["describe", "--check", str(SPACE), "--data", "iris"]) == 0
    note, last = capsys.readouterr().out.splitlines()
    assert note.startswith("note: in ") and " designs the circuit ignores some of its weights, " in note
    assert re.fullmatch(r"no mistakes found in \d\d designs built for iris", last)


def test_mistakes_are_found_one_on_each_line(capsys):
    Path("mine.yaml").write_text("n_qubits: {integr: [2, 3]}\nencoding: angle\nbudgets: {qubit: 3}")
    assert main(["describe", "--check", "mine.yaml", "--data", "iris"]) == 2
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert [line.startswith("mistake: ") for line in lines] == [True, True, True, False]
    assert lines[0].endswith("did you mean the gene 'integer'?") and "unknown budget 'qubit'" in lines[1]
    assert lines[3] == "3 mistakes found in 0 designs built for iris" and printed.err == ""


def test_brackets_are_printed_as_they_are(capsys, monkeypatch):
    """To rich, [red] and [false] are markup."""
    Path("[red]mine.yaml").write_text("flags: {choice: [[true, false], [true, false, true]]}\nname: '[bold]'")
    assert main(["describe", "[red]mine.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "[red]mine.yaml: 2 architectures" in printed
    assert "\nflags=[True, False" in printed and "name=[bold]" in printed
    assert "remark: it cannot be built: unknown value of the architecture, 'flags': " in printed
    monkeypatch.setattr("qnas.space.space_names", lambda: {"[red]": "[bold] ones"})
    assert main(["spaces"]) == 0
    assert re.search(r"\[red\] .*\[bold\] ones", capsys.readouterr().out)


def test_brackets_in_a_front_are_printed_as_they_are(finished, monkeypatch):
    monkeypatch.setattr(type(finished._findings.space), "gene_values", lambda *_: {"flags": "[true]"})
    console = Console(width=100)
    with console.capture() as captured:
        console.print(front_table(finished._findings, "[red] front"))
    assert "[red] front" in captured.get() and "flags=[true]" in captured.get()


def test_the_help_of_describe_names_the_kinds_of_files(capsys):
    with pytest.raises(SystemExit):
        main(["describe", "--help"])
    assert "a Python, YAML or JSON file" in " ".join(capsys.readouterr().out.split())


def test_a_bounded_space_in_yaml_is_described(capsys):
    Path("mine.yaml").write_text("n_qubits: {integer: [3, 6]}\nbudgets: {flops: 1e6}")
    assert main(["describe", "mine.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "mine.yaml: at most 4 architectures" in printed and "budget: flops at most 1,000,000" in printed


def test_the_doctor_is_content(capsys):
    assert main(["doctor"]) == 0
    assert "gradient on Aer" in capsys.readouterr().out


def test_an_interrupt_that_python_cannot_raise_is_noted_and_nothing_else_is_said(capsys, monkeypatch):
    class Late:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    begin, hook = Progress.on_start, sys.unraisablehook

    def on_start(*arguments, **keywords):
        begin(*arguments, **keywords)
        Late()

    monkeypatch.setattr(Progress, "on_start", on_start)
    assert main(["search", *QUICKEST, "run_dir=run"]) == 130
    assert capsys.readouterr().err.startswith("qnas: interrupted. What was evaluated is in its ledger")
    assert sys.unraisablehook is hook and n_evaluated("run") == 1


# --- processes ------------------------------------------------------------------------------------------------


def test_a_mistake_at_the_command_line():
    ended = qnas("describe", "hybird")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("qnas: unknown search space 'hybird'") and ended.stderr.count("\n") == 1


def in_a_terminal(*arguments, rows=40, columns=100):
    """The exit code, and what a terminal of that size receives."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | {"TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "qnas.cli", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    received = b""
    try:
        while select.select([ours], [], [], 120)[0]:
            received += os.read(ours, 65536)
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(ours)
    return process.wait(30), received.decode()


@pytest.mark.slow
def test_the_main_command_in_a_terminal():
    code, received = in_a_terminal("search", *JOB, "search.population=8", "run_dir=run")
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", re.sub(r"\r\n|\r|\x1b\[1A", "\n", received))
    assert "Searching hybrid on iris with nsga2: 16 designs, " in plain
    assert "\n0/16 done   the first results take a few seconds more" in plain, "before there is anything to show"
    assert re.search(r"\n\d+/16 done   0 failed   hypervolume 0\.\d{3}   about \d+ s left *\n", plain)
    assert "━━━━" in plain and "Best of the front so far" in plain
    assert max(map(len, plain.splitlines())) <= 100
    last = plain[plain.rindex("Pareto front: ") :]
    front = pd.read_csv("run/front.csv")
    assert last.startswith(f"Pareto front: {len(front)} of 16 designs, 0 failed")
    assert "Best of" not in last and received.rstrip().endswith("every evaluation\x1b[0m")
    assert received.count("\x1b[?25l") == received.count("\x1b[?25h") == 1, "the cursor comes back"
    assert n_evaluated("run") == 16
    assert list(front.columns[:6]) == ["id", "fingerprint", "accuracy", "expressibility", "trainability", "flops"]


@pytest.mark.slow
def test_the_quick_experiment_into_a_pipe_is_plain_text():
    small = ("search.population=4", "search.generations=1", "training.epochs=2", "executor=serial", "run_dir=run")
    ended = qnas("search", "experiment=quick", *small)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Searching hybrid on iris with nsga2: 4 designs, 1 worker. Run folder: run\n1/4 done" in ended.stdout
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", ended.stdout)
    assert max(len(line) for line in ended.stdout.splitlines()) <= 80
    assert len(pd.read_csv("run/front.csv")) >= 1
