"""The commands. Nothing else prints.

Exit codes: 0 done, 1 a run failed, 2 a user's mistake (one sentence, no traceback).
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qnas.errors import DesignError, QnasError, UsageError, unknown
from qnas.progress import Progress, front_table, measurement_table, templates_table, title_text

if TYPE_CHECKING:  # the rooms are imported when a command needs them, so that `qnas spaces` is quick
    from qnas.config import Config
    from qnas.data import DataSettings, Splits
    from qnas.experiment.results import Findings
    from qnas.space import Space

_N_SAMPLES = 3
_OF_TEMPLATES = ("qubits", "layers", "to")
_OF_DESIGNS = ("objectives", "option", "data", "epochs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = Console()
    try:
        if given and not given[0].startswith("-") and given[0] not in COMMANDS:
            raise UsageError(unknown("command", given[0], COMMANDS, "See qnas --help."))
        if given and given[0] == "search":  # everything behind it belongs to Hydra
            return _search(given[1:], console)
        chosen = _parser().parse_args(given or ["--help"])
        return COMMANDS[chosen.command](chosen, console)
    except QnasError as error:
        return _report(error)
    except KeyboardInterrupt as interruption:
        _complain(str(interruption) or "interrupted.")
        return 130


def _report(error: QnasError) -> int:
    """Say what is wrong; returns the exit code."""
    _complain(str(error))
    return 2 if isinstance(error, UsageError | DesignError) else 1


def _complain(sentence: str) -> None:
    Console(stderr=True).print(Text(f"qnas: {sentence}"), soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qnas", description="Search for hybrid quantum-classical neural networks.")
    parser.add_argument("--version", action="version", version=f"qnas {version('qnas-hqnn')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("search", help="search a space (Hydra overrides follow; qnas search --help)", add_help=False)
    for name, text in (
        ("resume", "go on with a run that was interrupted"),
        ("front", "show a run's front, and rewrite it unless the run goes on"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("run", help="the folder of the run")
    commands.add_parser("spaces", help="list the search spaces at hand")
    measure = commands.add_parser("measure", help="every objective of one architecture, or of one circuit in OpenQASM")
    measure.add_argument("design", nargs="?", help="architecture.json, the folder of a design, or circuit.qasm")
    measure.add_argument("--all", action="store_true", help="the 19 templates of Sim et al. 2019 instead, as a figure")
    measure.add_argument("--objectives", metavar="NAMES", help="which ones, such as accuracy,flops; by default all")
    measure.add_argument(
        "--option",
        action="append",
        metavar="NAME.KEY=VALUE",
        help="of an objective, such as duration.backend=fake_manila; several times for several",
    )
    measure.add_argument("--data", help="a data set, or a file of your own; by default the run's, or digits")
    measure.add_argument(
        "--epochs", type=int, help="of training, where objectives need it; by default the run's, or 25"
    )
    measure.add_argument("--seed", type=int, help="of weights, samples and training; by default the run's, or 0")
    measure.add_argument("--json", action="store_true", help="print JSON instead of a table")
    measure.add_argument("--qubits", type=int, help="of the templates (4)")
    measure.add_argument("--layers", type=int, help="of the templates (1)")
    measure.add_argument("--to", metavar="DIR", help="where the figure of the templates goes (templates)")
    describe = commands.add_parser(
        "describe", help="show the genes of a search space and what some of its designs cost, or find mistakes in it"
    )
    describe.add_argument("space", help="short name, path of a Python, YAML or JSON file, or module:attribute")
    describe.add_argument("--check", action="store_true", help="find mistakes; the exit code is 2 if there are any")
    describe.add_argument("--data", default="digits", help="data set or file that designs are built for (digits)")
    describe.add_argument("--seed", type=int, default=0, help="of the designs that are drawn (0)")
    commands.add_parser("doctor", help="check that this installation works")
    return parser


# --- search, resume, front ------------------------------------------------------------------------------------


def _search(arguments: Sequence[str], console: Console) -> int:
    from qnas.launch import hydra_main

    def job(config: Config) -> None:
        _run(config, console)

    return max((_report(error) for error in hydra_main(arguments, job)), default=0)


def _resume(chosen: argparse.Namespace, console: Console) -> int:
    from qnas.experiment.folder import RunFolder

    folder = RunFolder(Path(chosen.run))
    config = folder.read_config()
    folder.check(config)  # before any plug-in is loaded, which may have changed
    _run(config, console)
    return 0


class _Notes(logging.Handler):
    """Prints what the log says for the user's eyes."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Text(f"Note: {record.getMessage()}"), soft_wrap=True)


def _run(config: Config, console: Console) -> None:
    from qnas.experiment.loop import run_search
    from qnas.experiment.store import NOTES

    progress, notes = Progress(console), _Notes(console)
    NOTES.addHandler(notes)
    before = {number: signal.signal(number, progress.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    complain = sys.unraisablehook  # of interrupts that Python could not raise; they are noted
    sys.unraisablehook = lambda lost: None if lost.exc_type is KeyboardInterrupt else complain(lost)
    try:
        findings = run_search(config, progress)
    except BaseException:
        if not progress.interrupted:
            raise
        front = " and its front in front.csv" * Path(config.run_dir, "front.csv").exists()
        kept = f" What was evaluated is in its ledger{front}; go on with: qnas resume {config.run_dir}"
        kept *= progress.started
        raise KeyboardInterrupt(f"interrupted.{kept}") from None
    finally:
        progress.stop()
        NOTES.removeHandler(notes)
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = complain
    _show_front(findings, console)
    if findings.remark:
        console.print(Text(f"Note: {findings.remark}"), soft_wrap=True)
    _show_files(config, console)


def _front(chosen: argparse.Namespace, console: Console) -> int:
    from qnas.experiment.folder import RunFolder
    from qnas.experiment.results import read_findings, write_results

    folder = RunFolder(Path(chosen.run))
    with folder.held_if_free() as held:
        folder.check(folder.read_config())  # as for resume: a changed plug-in would rewrite the front by other rules
        findings = read_findings(chosen.run)
        if held:
            write_results(folder, findings)
    _show_front(findings, console)
    if held:
        _show_files(findings.config, console)
    else:
        note = f"Another qnas is at work in {chosen.run} and will write its files; nothing was written now."
        console.print(Text(note), soft_wrap=True)
    return 0


def _show_front(findings: Findings, console: Console) -> None:
    n_failed = sum(not evaluation.complete for evaluation in findings.evaluations.values())
    n_done = len(findings.evaluations)
    reused = f", {findings.n_reused} reused" if findings.config.ledger.reuse else ""
    title = f"Pareto front: {len(findings.front)} of {n_done} designs, {n_failed} failed{reused}"
    console.print(front_table(findings, title))
    if findings.unmet:
        console.print(Text(findings.unmet), soft_wrap=True)
    n_stopped = int(findings.front["stopped_at"].notna().sum()) if "stopped_at" in findings.front else 0
    if n_stopped:
        note = f"Note: training of {n_stopped} of these designs was stopped early; they may still improve."
        console.print(Text(note), soft_wrap=True)


def _show_files(config: Config, console: Console) -> None:
    from qnas.experiment.database import shown

    run_dir, url = config.run_dir, config.ledger.url
    for name, text in (
        ("front.csv", "the front as a table"),
        ("figures/front.png", "every pair of objectives"),
        ("designs/", "architecture, circuit and weights of each member"),
        ("ledger.jsonl" if url is None else shown(url), "every evaluation"),
    ):
        place = name if "://" in name else Path(run_dir) / name
        console.print(Text.assemble(f"  {place}  ", (text, "dim")), soft_wrap=True)


# --- spaces, describe, doctor -----------------------------------------------------------------------------------


def _spaces(chosen: argparse.Namespace, console: Console) -> int:
    from qnas.space import space_names

    table = Table(header_style="bold")
    table.add_column("space")
    table.add_column("what it holds")
    for name, text in space_names().items():
        table.add_row(Text(name), Text(text))
    console.print(table)
    return 0


def _describe(chosen: argparse.Namespace, console: Console) -> int:
    from qnas.experiment.evaluation import splits_of
    from qnas.space import load_space

    space, data = load_space(chosen.space), _data(chosen.data)
    splits = splits_of(data)
    if chosen.check:
        return _check(space, chosen, console)
    _show_space(space, chosen.space, console)
    _show_samples(space, splits, chosen, console)
    return 0


def _data(name: str) -> DataSettings:
    from qnas.data import DataSettings
    from qnas.data.file import READERS

    return DataSettings("file", path=name) if Path(name).suffix.lower() in READERS else DataSettings(name)


def _check(space: Space, chosen: argparse.Namespace, console: Console) -> int:
    from qnas.experiment.check import find_mistakes

    with console.status("building designs") as status:
        found = find_mistakes(
            space,
            _data(chosen.data),
            seed=chosen.seed,
            watch=lambda n_built: status.update(f"building designs for {chosen.data}: {n_built} so far"),
        )
    for text in found.mistakes:
        console.print(Text(f"mistake: {text}"), soft_wrap=True)
    for text in found.notes:
        console.print(Text(f"note: {text}"), soft_wrap=True)
    n = len(found.mistakes)
    counted = f"{n} mistake{'s' * (n != 1)}" if n else "no mistakes"
    console.print(Text(f"{counted} found in {found.n_built} designs built for {chosen.data}"), soft_wrap=True)
    return 2 if n else 0


def _show_space(space: Space, name: str, console: Console) -> None:
    from qnas.space.load import about_space

    about = about_space(name)
    console.print(title_text(f"{name}: {space.count} architectures"))
    if about:
        console.print(Text(about))
    table = Table(header_style="bold")
    for column in ("gene", "kind", "values", "condition"):
        table.add_column(column, overflow="fold")
    for row in space.describe():
        table.add_row(*(Text(row[column]) for column in ("gene", "kind", "values", "condition")))
    console.print(table)
    for sentence in dict.fromkeys(constraint.because for constraint in space.tree.constraints):
        console.print(Text(f"constraint: {sentence}"), soft_wrap=True)
    for budget, bound in space.budgets.items():
        console.print(Text(f"budget: {budget} at most {bound:,}"), soft_wrap=True)


def _show_samples(space: Space, splits: Splits, chosen: argparse.Namespace, console: Console) -> None:
    from qnas.experiment.description import describe
    from qnas.front.text import design_text
    from qnas.model.training import TrainingSettings

    console.print(Text(f"\nbuilt for {chosen.data}: {splits.n_features} features, {splits.n_outputs} outputs"))
    order = [key for key, _ in space.tree.fields]
    for seed in range(chosen.seed, chosen.seed + _N_SAMPLES):
        found = describe(space.sample(seed), splits, TrainingSettings(), budgets=space.budgets, width=console.width - 1)
        console.print(Text(f"\nsample({seed}), fingerprint {found.architecture.fingerprint}", style="bold"))
        console.print(Text(design_text(found.architecture, order)))
        if found.circuit:
            console.print(Text(found.circuit), soft_wrap=True)
        for line in (*(found.cost.lines() if found.cost else ()), *(f"remark: {text}" for text in found.remarks)):
            console.print(Text(line), soft_wrap=True)


# --- measure ---------------------------------------------------------------------------------------------------


def _measure(chosen: argparse.Namespace, console: Console) -> int:
    from qnas.experiment.measure import as_records, measure, read_options, subject_of

    if chosen.all is (chosen.design is not None):
        raise UsageError("name one architecture.json, folder of a design or circuit.qasm, or give --all instead.")
    _refuse(chosen, _OF_DESIGNS if chosen.all else _OF_TEMPLATES, "without" if chosen.all else "with")
    if chosen.all:
        return _measure_templates(chosen, console)
    names = chosen.objectives.split(",") if chosen.objectives else None
    data = None if chosen.data is None else _data(chosen.data)
    subject = subject_of(
        chosen.design,
        data=data,
        epochs=chosen.epochs,
        seed=chosen.seed,
        names=names,
        options=read_options(chosen.option or ()),
    )
    with Console(stderr=True).status("measuring") as status:
        found = list(measure(subject, watch=lambda name: status.update(f"measuring {name}")))
    if chosen.json:
        print(as_records(subject, found))
        return 0
    console.print(
        title_text(f"{chosen.design}, fingerprint {subject.design.architecture.fingerprint}, {subject.about}")
    )
    console.print(measurement_table(found))
    return 0


def _refuse(chosen: argparse.Namespace, options: Sequence[str], way: str) -> None:
    """Refuse options that would be ignored."""
    for option in options:
        if getattr(chosen, option) is not None:
            raise UsageError(f"--{option} goes {way} --all; of these there are --{', --'.join(options)}.")


def _measure_templates(chosen: argparse.Namespace, console: Console) -> int:
    from qnas.experiment.templates import about_templates, write_templates

    n_qubits, n_layers = 4 if chosen.qubits is None else chosen.qubits, 1 if chosen.layers is None else chosen.layers
    to = Path(chosen.to or "templates")
    with Console(stderr=True).status("measuring") as status:
        table = write_templates(
            to, n_qubits, n_layers, chosen.seed or 0, lambda name: status.update(f"measuring {name}")
        )
    if chosen.json:
        print(table.to_json(orient="records", indent=2))
        return 0
    console.print(title_text(about_templates(n_qubits, n_layers)))
    console.print(templates_table(table))
    for name, text in (("templates.png", "the scatter"), ("templates.csv", "its numbers")):
        console.print(Text.assemble(f"  {to / name}  ", (text, "dim")), soft_wrap=True)
    return 0


def _doctor(chosen: argparse.Namespace, console: Console) -> int:
    from qnas.doctor import examine

    table = Table(header_style="bold")
    for column in ("check", "", "what was found"):
        table.add_column(column)
    findings = examine()
    for name, sound, text in findings:
        table.add_row(name, "[green]ok[/]" if sound else "[red]no[/]", Text(text))
    console.print(table)
    return 0 if all(sound for _, sound, _ in findings) else 1


Command = Callable[[argparse.Namespace, Console], int]
COMMANDS: dict[str, Command] = {
    "search": lambda chosen, console: _search([], console),
    "resume": _resume,
    "front": _front,
    "spaces": _spaces,
    "describe": _describe,
    "measure": _measure,
    "doctor": _doctor,
}


if __name__ == "__main__":
    sys.exit(main())
