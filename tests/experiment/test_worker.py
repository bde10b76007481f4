"""What a process has imported before it says that it is ready."""

import subprocess
import sys

import pytest

CODE = """
import sys
import qnas.experiment.worker
before = set(sys.modules)
import torch
weight = torch.zeros(1, requires_grad=True)
torch.optim.Adam([weight])
print(sorted(name for name in set(sys.modules) - before if name.startswith("torch")))
"""


@pytest.mark.slow
def test_training_imports_nothing_more_of_torch():
    assert subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout == "[]\n"
