"""Clusters: of this process, of a Dask scheduler, of Slurm; one front on all, and a sentence for what is missing."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import qnas
from qnas.config import ExecutorSettings
from qnas.errors import ConfigurationError, RunError
from qnas.experiment import clusters
from qnas.experiment.clusters import job_script
from qnas.experiment.executor import check_executor, make_executor
from qnas.experiment.supervision import Limits
from tests.experiment.runs import SMALL, front_without_seconds
from tests.experiment.test_executor import architectures, results

ROOT = Path(__file__).parents[2]
DASK = str(Path(sys.executable).with_name("dask"))


def complaint(settings, kind=ConfigurationError):
    with pytest.raises(kind) as error:
        check_executor(settings)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.slow
def test_local_evaluates_every_task_and_leaves_no_process_and_no_setting():
    import distributed  # noqa: F401 - adds its own settings to those of Dask
    from dask import config

    before, options = set(psutil.Process().children()), dict(config.config)
    with make_executor(ExecutorSettings("local", workers=2)) as executor:
        found = dict(results(executor))
        assert len(set(psutil.Process().children()) - before) == 2
    assert [found[key].architecture for key in range(5)] == architectures
    assert all(one.complete for one in found.values())
    assert set(psutil.Process().children()) == before and config.config == options


def test_limits_reach_the_executor(monkeypatch):
    seen = []
    monkeypatch.setattr(clusters, "DaskExecutor", lambda connect, n, limits: seen.append(limits) or open(os.devnull))  # noqa: PTH123, SIM115
    with make_executor(ExecutorSettings("local", seconds=1.5, memory_gib=2.5)):
        assert seen == [Limits(1.5, 2.5)]


# --- a scheduler that is there --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "tcp://127.0.0.1", "ftp://here:1", ""])
def test_an_address_without_a_scheduler_is_a_sentence(monkeypatch, address):
    monkeypatch.setattr(clusters, "_CONNECT_SECONDS", 0.3)
    said = complaint(ExecutorSettings("dask", address=address))
    assert said.startswith(f"no Dask scheduler answers at executor.address={address!r} (")
    assert said.endswith("and give the address that it prints, such as tcp://10.0.0.1:8786.")


def test_it_is_found_before_the_run_folder_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(clusters, "_CONNECT_SECONDS", 0.3)
    with pytest.raises(ConfigurationError, match="no Dask scheduler answers"):
        qnas.search([*SMALL, "executor=dask", "executor.address=tcp://127.0.0.1:9", f"run_dir={tmp_path}/run"])
    assert not (tmp_path / "run").exists()


def test_a_scheduler_without_workers_is_a_sentence(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(clusters, "_CONNECT_SECONDS", 0.3)
    with LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        assert complaint(ExecutorSettings("dask", address=address)) == (
            f"the Dask scheduler at {address!r} has no workers; start some, in the environment of qnas, with "
            f"`dask worker {address} --nthreads 1`."
        )


def test_a_worker_of_other_versions_is_refused(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(clusters, "refusals", lambda client, workers: dict.fromkeys(workers, "it is too old."))
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        assert complaint(ExecutorSettings("dask", address=cluster.scheduler_address)) == "it is too old."


class Killer(qnas.Callbacks):
    """Kills a process once some designs are evaluated, and looks at another one."""

    def __init__(self, victim, witness):
        self._victim, self._witness, self._n, self.seen = victim, witness, 0, []

    def on_evaluation(self, findings, design_id, *, known):
        self._n += 1
        self.seen += psutil.Process(self._witness.pid).children()
        if self._n == 4:
            self._victim.kill()
            self._victim.wait()


@pytest.fixture
def scheduler(tmp_path):
    """A running one, with two workers; its address and they."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    file, processes = tmp_path / "scheduler.json", []

    def start(*command):
        with (tmp_path / "dask.log").open("a") as log:
            arguments = [DASK, *command, "--scheduler-file", str(file), "--no-dashboard"]
            processes.append(subprocess.Popen(arguments, cwd=tmp_path, stderr=log, env=environment))

    start("scheduler", "--port", "0", "--host", "127.0.0.1")
    start("worker", "--nthreads", "1", "--no-nanny")
    start("worker", "--nthreads", "1", "--no-nanny")
    while not file.exists():
        assert processes[0].poll() is None, (tmp_path / "dask.log").read_text()
        time.sleep(0.05)
    from distributed import Client

    with Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(2, timeout=60)
        yield client.scheduler_info()["address"], processes[1:]
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_dask_cluster_of_which_a_worker_is_killed_gives_the_same_front(finished, scheduler, tmp_path):
    address, (victim, other) = scheduler
    watcher, overrides = Killer(victim, other), ["executor=dask", f"executor.address={address}"]
    result = qnas.search([*SMALL, *overrides, f"run_dir={tmp_path}/run"], watcher)
    assert victim.poll() == -signal.SIGKILL and other.poll() is None
    assert front_without_seconds(result.path) == front_without_seconds(finished.path)
    assert watcher.seen and not psutil.Process(other.pid).children(), "what it started for the run is gone"


# --- Slurm ----------------------------------------------------------------------------------------------------

OPTIONS = {"memory": "4GiB", "walltime": "8:00:00", "queue": "long", "job_extra_directives": ["--gres=none"]}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Slurm's commands, as far as they are used: a job is a process of this machine, in a session of its own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    commands = {
        "sbatch": 'cp "$1" script_$$; setsid bash script_$$ >> jobs.log 2>&1 & echo "Submitted batch job $!"',
        "scancel": 'echo "$1" >> cancelled; kill -9 -- "-$1"',
    }
    for name, line in commands.items():
        (folder / name).write_text(f"#!/bin/bash\n{line}\n")
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_script_of_a_job(slurm):
    script = job_script(ExecutorSettings("slurm", workers=2, options=OPTIONS)).splitlines()
    assert script[0] == "#!/usr/bin/env bash"
    for line in ("-p long", "-n 1", "--cpus-per-task=1", "--mem=4G", "-t 8:00:00", "--gres=none"):
        assert f"#SBATCH {line}" in script
    command = script[-1]
    assert command.startswith(f"{sys.executable} -m distributed.cli.dask_worker tcp://")
    assert "--nthreads 1 " in command and "--memory-limit 4.00GiB" in command and "--nworkers" not in command


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"walltime": "1:00"}, "You must specify how much cores and memory per job you want to use"),
        ({"memory": "4GiB", "partition": "long"}, "unexpected keyword argument 'partition'"),
        ({"memory": "much"}, "ould not "),
        ({"memory": "4GiB", "cores": 8}, "multiple values for keyword argument 'cores'"),
    ],
)
def test_options_that_it_does_not_take_are_a_sentence(slurm, options, said):
    sentence = complaint(ExecutorSettings("slurm", workers=1, options=options))
    assert sentence.startswith("executor.options cannot be used: ") and said in sentence
    assert sentence.endswith("but cores and processes, among them memory, walltime, queue and account.")


def test_a_machine_without_slurm_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert complaint(ExecutorSettings("slurm", workers=1, options=OPTIONS)) == (
        "executor=slurm needs Slurm's command sbatch, which is not on the path; search where jobs are submitted, or "
        "use executor=local."
    )


def test_an_environment_without_dask_jobqueue_is_told_so(monkeypatch, slurm):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    monkeypatch.delitem(sys.modules, "dask_jobqueue.slurm", raising=False)
    assert complaint(ExecutorSettings("slurm", workers=1, options=OPTIONS)) == (
        "executor=slurm needs dask-jobqueue; install it with: pip install 'qnas-hqnn[slurm]'."
    )


def test_jobs_that_slurm_does_not_take_end_the_run_with_its_words(slurm):
    (slurm / "sbatch").write_text("#!/bin/bash\necho 'invalid partition specified: long' >&2\nexit 1\n")
    settings = ExecutorSettings("slurm", workers=1, options={**OPTIONS, "interface": "lo"})
    said = r"^Slurm did not take a job: .* invalid partition specified: long; go on with `qnas resume`\.$"
    with pytest.raises(RunError, match=said), make_executor(settings) as executor:
        next(results(executor))


class EndJob(qnas.Callbacks):
    """Ends one of the jobs once some designs are evaluated, as Slurm does when its time is over."""

    n = 0

    def on_evaluation(self, findings, design_id, *, known):
        self.n += 1
        if self.n == 4:
            job = min(int(path.name.removeprefix("script_")) for path in Path().glob("script_*"))
            (line,) = [one for one in Path("jobs").read_text().splitlines() if one.startswith(f"{job} ")]
            os.killpg(int(line.split()[1]), signal.SIGKILL)


@pytest.mark.slow
def test_jobs_of_slurm_give_the_same_front_also_when_one_ends_early(finished, slurm, tmp_path):
    (slurm / "sbatch").write_text(
        '#!/bin/bash\ncp "$1" script_$$; setsid bash script_$$ >> jobs.log 2>&1 & '
        'echo "$$ $!" >> jobs; echo "Submitted batch job $!"\n'
    )
    settings = ["executor=slurm", "executor.workers=2", "executor.options.interface=lo"]
    result = qnas.search([*SMALL, *settings, f"run_dir={tmp_path}/run"], EndJob())
    assert front_without_seconds(result.path) == front_without_seconds(finished.path)
    assert len(Path("jobs").read_text().splitlines()) >= 2
    assert len(Path("cancelled").read_text().splitlines()) >= 1
