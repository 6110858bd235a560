"""What a model says about examples: logits, and how many of its predictions are right."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth.learning.batches import Batches


def logits_of(outputs: Any) -> Tensor:
    """The outputs of a module, also of one that wraps them as Hugging Face does."""
    return outputs if isinstance(outputs, Tensor) else outputs.logits


@contextmanager
def evaluating(model: nn.Module) -> Generator[None]:
    """The model in evaluation mode; afterwards every module is in the mode it was in."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def accuracy(model: nn.Module, test: Batches) -> int:
    """Correct predictions on all examples, in evaluation mode."""
    hits = 0
    with evaluating(model), torch.no_grad():
        for start in range(0, len(test.x), test.size):
            x, y = test.take(np.arange(start, min(start + test.size, len(test.x))))
            hits += int((logits_of(model(x)).argmax(1) == y).sum())
    return hits
