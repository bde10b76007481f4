"""Dask clusters: in this process, one that is there, one whose workers are jobs of Slurm."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from typing import Any

from qnas.config import ExecutorSettings
from qnas.errors import ConfigurationError, RunError
from qnas.experiment.dask_executor import DaskExecutor, refusals
from qnas.experiment.supervision import Limits

_LOG = logging.getLogger("qnas")
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application")
_CONNECT_SECONDS = 5
_PATIENCE_SECONDS = 120.0
_FIXED = {"cores": 1, "processes": 1}
"""Of a job of Slurm: it evaluates one design at a time, on one thread."""
_OPTIONS = {
    "distributed.admin.large-graph-warning-threshold": "1 GiB",  # a task may carry weights
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",  # with Dask's 20 ms, a process that waits takes 3% of a core
    "distributed.admin.tick.limit": "1 minute",
    "distributed.scheduler.allowed-failures": 0,  # a task whose worker died is ours to try again
    "distributed.worker.profile.enabled": False,
}


@contextmanager
def local(settings: ExecutorSettings, n_workers: int) -> Iterator[DaskExecutor]:
    """Threads of this process, which start with the first task and supervise one child process each."""
    with ExitStack() as stack:
        connect = cache(lambda: stack.enter_context(_local_cluster(n_workers)))
        with closing(DaskExecutor(connect, n_workers, _limits(settings))) as executor:
            yield executor


@contextmanager
def _local_cluster(n_workers: int) -> Iterator[Any]:
    from distributed import LocalCluster

    with _quiet():
        cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=False,
            dashboard_address=":0",  # any free port: the scheduler has a web server whether asked or not
            memory_limit=0,
        )
        with cluster, _client(cluster) as client:
            yield client


@contextmanager
def dask(settings: ExecutorSettings) -> Iterator[DaskExecutor]:
    """Workers of a scheduler that runs somewhere; those that come later are used, too."""
    with connected(settings) as client:
        n_workers, patience = len(client.nthreads()), _PATIENCE_SECONDS
        with closing(DaskExecutor(lambda: client, n_workers, _limits(settings), patience=patience)) as executor:
            yield executor


@contextmanager
def connected(settings: ExecutorSettings) -> Iterator[Any]:
    """A client of the scheduler at the address.

    Raises:
        ConfigurationError: no scheduler is there, it has no workers, or one that must not evaluate for this process.
    """
    with _quiet(), ExitStack() as stack:
        try:
            client = stack.enter_context(_client(settings.address))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"no Dask scheduler answers at executor.address={settings.address!r} ({_first_line(error)}); start one "
                "with `dask scheduler`, and give the address that it prints, such as tcp://10.0.0.1:8786."
            ) from error
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError as error:
            raise ConfigurationError(
                f"the Dask scheduler at {settings.address!r} has no workers; start some, in the environment of qnas, "
                f"with `dask worker {settings.address} --nthreads 1`."
            ) from error
        for sentence in refusals(client, client.nthreads()).values():
            raise ConfigurationError(sentence)
        yield client


@contextmanager
def slurm(settings: ExecutorSettings, n_jobs: int) -> Iterator[DaskExecutor]:
    """Jobs of Slurm, which are submitted with the first task; those that end before the run does are replaced."""
    refused: list[str] = []
    with ExitStack() as stack:
        connect = cache(lambda: stack.enter_context(_slurm_cluster(settings, refused)))

        def renew(n_workers: int) -> None:
            if refused and not n_workers:
                raise RunError(f"{refused[0]}; go on with `qnas resume`.")
            connect().cluster.scale(jobs=n_jobs)

        with closing(DaskExecutor(connect, n_jobs, _limits(settings), renew=renew)) as executor:
            yield executor


@contextmanager
def _slurm_cluster(settings: ExecutorSettings, refused: list[str]) -> Iterator[Any]:
    """A client of a cluster that has no jobs yet; a sentence for each that Slurm will not take is added to a list."""
    from dask_jobqueue.slurm import SLURMCluster, SLURMJob
    from distributed import Status

    class Job(SLURMJob):  # type: ignore[misc]  # dask-jobqueue has no types
        """Dask logs a failure and forgets it."""

        async def start(self) -> None:
            try:
                await super().start()
            except (RuntimeError, ValueError, OSError) as error:
                refused.append(f"Slurm did not take a job: {' '.join(str(error).split())}")
                _LOG.warning(refused[-1])
                self.status = Status.failed
                raise

    scheduler = {"dashboard_address": ":0"}
    with (
        _quiet(),
        SLURMCluster(job_cls=Job, scheduler_options=scheduler, **_FIXED, **settings.options) as cluster,
        _client(cluster) as client,
    ):
        yield client


def job_script(settings: ExecutorSettings) -> str:
    """What is submitted to Slurm for one worker.

    Raises:
        ConfigurationError: dask-jobqueue is not installed, there is no sbatch, or `executor.options` are not its own.
    """
    try:
        from dask_jobqueue.slurm import SLURMJob
    except ImportError as error:
        raise ConfigurationError(
            "executor=slurm needs dask-jobqueue; install it with: pip install 'qnas-hqnn[slurm]'."
        ) from error
    if shutil.which("sbatch") is None:
        raise ConfigurationError(
            "executor=slurm needs Slurm's command sbatch, which is not on the path; search where jobs are submitted, "
            "or use executor=local."
        )
    try:
        job = SLURMJob(scheduler="tcp://scheduler:8786", name="0", **_FIXED, **settings.options)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"executor.options cannot be used: {_first_line(error)}; allowed are keywords of "
            "dask_jobqueue.SLURMCluster but cores and processes, among them memory, walltime, queue and account."
        ) from error
    return str(job.job_script())


def _client(of: Any) -> Any:
    """A client that is closed by who opens it.

    Dask's own closes itself where it is collected, and waits in vain for its loop if that is in the thread of a loop,
    or at the end of the process.
    """
    from distributed import Client

    class Closed(Client):  # type: ignore[misc]  # Dask has no types
        def __init__(self) -> None:
            try:
                super().__init__(of, timeout=_CONNECT_SECONDS)
            except BaseException:
                self.close()
                raise

        def __del__(self) -> None:
            pass

    return Closed()


def _limits(settings: ExecutorSettings) -> Limits:
    return Limits(settings.seconds, settings.memory_gib)


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask with our options, and without its messages: what goes wrong becomes ours."""
    import dask as engine
    import distributed  # noqa: F401 - sets up these loggers

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with engine.config.set(_OPTIONS):
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        except KeyboardInterrupt:
            levels = [logging.CRITICAL] * len(loggers)  # what a second Ctrl-C breaks off may complain later
            raise
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
