"""The commands. Nothing else prints.

Exit codes: 0 done, 1 a run failed, 2 a user's mistake (one sentence, no traceback).
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from qnas.errors import DesignError, QnasError, UsageError, unknown

if TYPE_CHECKING:  # the rooms are imported when a command needs them, so that `qnas spaces` is quick
    from qnas.config import Config
    from qnas.data import DataSettings, Splits
    from qnas.experiment.results import Findings
    from qnas.space import Space

_BEST_ROWS = 6
_N_SAMPLES = 3


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


def _run(config: Config, console: Console) -> None:
    from qnas.experiment.loop import run_search

    progress = Progress(console)
    before = {number: signal.signal(number, progress.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        findings = run_search(config, progress)
    except BaseException:
        if not progress.interrupted:
            raise
        kept = f" What was evaluated is in its ledger; go on with: qnas resume {config.run_dir}" * progress.started
        raise KeyboardInterrupt(f"interrupted.{kept}") from None
    finally:
        progress.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    _show_front(findings, console)
    if findings.remark:
        console.print(Text(f"Note: {findings.remark}"), soft_wrap=True)
    _show_files(config.run_dir, console)


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
        _show_files(chosen.run, console)
    else:
        note = f"Another qnas is at work in {chosen.run} and will write its files; nothing was written now."
        console.print(Text(note), soft_wrap=True)
    return 0


class Progress:
    """Live progress of a run: done, failed, hypervolume, time left, and the best of the front."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self.started = self.interrupted = False

    def interrupt(self, *_: object) -> None:
        """Handle SIGINT and SIGTERM, so that workers are not left behind.

        What is raised in a signal handler may be lost, e.g. in a callback of the garbage collector, or come out as
        another error; so it is noted, too.
        """
        self.interrupted = True
        raise KeyboardInterrupt

    def on_start(self, config: Config, *, n_evaluations: int, n_workers: int) -> None:
        """Open the live display."""
        self.started = True
        self._total = n_evaluations
        self._started, self._n_new = time.monotonic(), 0
        self._console.print(
            Text(
                f"Searching {config.space} on {config.data.name} with {config.search.name}: {self._total} designs, "
                f"{n_workers} worker{'s' * (n_workers > 1)}. Run folder: {config.run_dir}"
            ),
            soft_wrap=True,
        )
        waiting = self._panel(0, Text(f"0/{self._total} done   the first results take a few seconds more"))
        self._live = Live(waiting, console=self._console, refresh_per_second=4, transient=True)
        self._live.start()

    def on_evaluation(self, findings: Findings, design_id: int, *, known: bool) -> None:
        """Redraw."""
        if self.interrupted:
            raise KeyboardInterrupt
        assert self._live is not None
        self._n_new += not known
        n_done = len(findings.evaluations)
        failed = sum(not evaluation.complete for evaluation in findings.evaluations.values())
        line = Text.assemble(
            (f"{n_done}/{self._total} done", "bold"),
            f"   {failed} failed   hypervolume {self._hypervolume(findings)}   {self._time_left(n_done)}",
        )
        best = front_table(findings, "Best of the front so far", _BEST_ROWS)
        self._live.update(Group(self._panel(n_done, line), best))
        if not known and not self._console.is_terminal and n_done % max(1, self._total // 12) == 0:
            self._console.print(line)

    def _panel(self, n_done: int, line: Text) -> RenderableType:
        panel = Table.grid()
        panel.add_row(ProgressBar(total=self._total, completed=n_done, width=60))
        panel.add_row(line)
        return panel

    def _hypervolume(self, findings: Findings) -> str:
        """It has no unit before the first generation is complete."""
        if len(findings.evaluations) < findings.config.search.population:
            return "-"
        return f"{findings.hypervolume():.3f}"

    def _time_left(self, n_done: int) -> str:
        if not self._n_new:
            return "time left unknown"
        seconds = (time.monotonic() - self._started) / self._n_new * max(self._total - n_done, 0)
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"

    def on_end(self, findings: Findings) -> None:
        """Close the live display."""
        self.stop()

    def stop(self) -> None:
        """Close the live display, if it is open."""
        if self._live is not None:
            self._live.stop()


def front_table(findings: Findings, title: str, n_rows: int | None = None) -> RenderableType:
    """The front: objectives, with an arrow to the better side, and what the designs are made of."""
    from qnas.experiment.ledger import gene_values

    front = findings.front
    table = Table(title=_title(title), title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("id", justify="right")
    for objective in findings.objectives:
        arrow = "↑" if objective.direction == "maximize" else "↓"
        header = f"{objective.name} {arrow}"
        # numbers are never cut short
        table.add_column(Text(header), justify="right", no_wrap=True, min_width=len(header))
    table.add_column("design", no_wrap=n_rows is not None)  # a live display has as many lines as the screen
    for row in front.head(n_rows if n_rows is not None else len(front)).to_dict("records"):
        cells = [_value(row[objective.name]) for objective in findings.objectives]
        architecture = findings.evaluations[int(row["id"])].architecture
        table.add_row(str(row["id"]), *cells, Text(_summary(gene_values(findings.space, architecture))))
    return table


def _title(text: str) -> Text:
    """Of a table; what is no Text would be read as markup, in which [red] is a colour."""
    return Text(text, style="table.title")


def _value(value: int | float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _summary(genes: Mapping[str, object]) -> str:
    """The genes outside of repeated layers: names of parts as they are, everything else as gene=value."""
    top = {name: value for name, value in genes.items() if not any(part.isdigit() for part in name.split("."))}
    shown = {name.rpartition(".")[2]: value for name, value in top.items() if value is not False}
    return " ".join(_named(name, value) for name, value in shown.items())


def _named(name: str, value: object) -> str:
    if value is True:
        return name
    plain = isinstance(value, str) and value.isidentifier() and value != "none"
    return str(value) if plain else f"{name}={value}"


def _show_front(findings: Findings, console: Console) -> None:
    n_failed = sum(not evaluation.complete for evaluation in findings.evaluations.values())
    n_done = len(findings.evaluations)
    console.print(front_table(findings, f"Pareto front: {len(findings.front)} of {n_done} designs, {n_failed} failed"))
    if findings.unmet:
        console.print(Text(findings.unmet), soft_wrap=True)


def _show_files(run_dir: str, console: Console) -> None:
    for name, text in (
        ("front.csv", "the front as a table"),
        ("figures/front.png", "every pair of objectives"),
        ("designs/", "architecture, circuit and weights of each member"),
        ("ledger.jsonl", "every evaluation"),
    ):
        console.print(Text.assemble(f"  {Path(run_dir) / name}  ", (text, "dim")), soft_wrap=True)


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
    console.print(_title(f"{name}: {space.count} architectures"))
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
    "doctor": _doctor,
}


if __name__ == "__main__":
    sys.exit(main())
