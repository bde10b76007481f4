"""`evaluate`, with what it imports when it is first called, so that no design is charged with these seconds."""

import torch._dynamo  # noqa: F401 - the first optimiser imports it, and needs a second

from qnas.experiment.evaluation import evaluate

__all__ = ["evaluate"]
