"""What a model says about examples: logits, and how many of its predictions are right."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth.learning.batches import Batches


def logits_of(outputs: Any) -> Tensor:
    """The outputs of a module, also of one that wraps them as Hugging Face does."""
    return outputs if isinstance(outputs, Tensor) else outputs.logits


def accuracy(model: nn.Module, test: Batches) -> int:
    """Correct predictions on all examples, in evaluation mode."""
    modes, hits = {module: module.training for module in model.modules()}, 0
    model.eval()
    with torch.no_grad():
        for start in range(0, len(test.x), test.size):
            x, y = test.take(np.arange(start, min(start + test.size, len(test.x))))
            hits += int((logits_of(model(x)).argmax(1) == y).sum())
    for module, mode in modes.items():
        module.training = mode
    return hits
