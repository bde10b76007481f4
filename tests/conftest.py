"""What every test shares: plots without a screen, and no global state left changed."""

from contextlib import contextmanager

import jaxtyping
import matplotlib
import numpy as np
import pytest
import torch

from tests import postgresql as servers
from tests.experiment.launcher import Launcher
from tests.experiment.runs import SMALL
from tests.typechecks import n_calls, where_needed

matplotlib.use("Agg")
jaxtyping.jaxtyped = where_needed


def pytest_collection_modifyitems(items):
    """Slow tests first, and of these the last ones, such as that of the README: no end waits for them."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    items[:] = [*reversed(slow), *(item for item in items if not item.get_closest_marker("slow"))]


@pytest.fixture(autouse=True)
def global_random_state_is_untouched():
    """qnas never draws from, nor seeds, the global generators."""
    numpy_state, torch_state = np.random.get_state(), torch.random.get_rng_state()  # noqa: NPY002
    yield
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(numpy_state[1:], after[1:], strict=True))
    assert torch.equal(torch_state, torch.random.get_rng_state())


@pytest.fixture(autouse=True)
def calls_are_counted_anew():
    """Shapes are checked in the first calls of each test."""
    n_calls.clear()


@contextmanager
def _without_drawing():
    results = "qnas.experiment.results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{results}.png", lambda circuit: b"")
        patch.setattr(f"{results}.save_figure", lambda figure, path: path.write_bytes(b""))
        yield


@pytest.fixture(scope="module")
def blank_pictures():
    """Runs in this process draw nothing, which would take most of their time."""
    with _without_drawing():
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the small job, to be looked at and not to be changed; its pictures are blank."""
    import qnas  # not above: jaxtyping checks what is imported after the plug-ins of pytest

    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    with _without_drawing():
        return qnas.search([*SMALL, f"run_dir={run_dir}"])


@pytest.fixture(scope="module")
def launcher(tmp_path_factory):
    """Starts commands of qnas as from a terminal."""
    found = Launcher(tmp_path_factory.mktemp("launcher") / "errors")
    yield found
    found.close()


@pytest.fixture(scope="session")
def postgresql():
    """A server of PostgreSQL."""
    with servers.server() as running:
        yield running
