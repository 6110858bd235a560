"""What a stage may measure at its end, to choose a final mask."""

from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from slth.learning.batches import Batches
from slth.learning.gradients import Gradients
from slth.learning.predictions import accuracy, evaluating
from slth.learning.training import Training
from slth.ticket import Candidate


@dataclass(frozen=True, slots=True)
class Measurements:
    """The model as it is now, in evaluation mode, on all examples: the same in every process.

    Attributes:
        batches, test: training examples; test examples, None: there are none, or no predictions.
    """

    model: nn.Module
    batches: Batches
    test: Batches | None
    training: Training
    gradients: Gradients
    fabric: Fabric

    def training_loss(self) -> float:
        """Mean loss over the training examples, each as it is, without augmentation."""
        total, examples = 0.0, len(self.batches.x)
        size = self.batches.size if self.test is None else self.test.size
        with evaluating(self.model), torch.no_grad():
            for start in range(0, examples, size):
                rows = np.arange(start, min(start + size, examples))
                x, y = self.batches.take(rows)
                total += len(rows) * float(self.gradients.mean_loss(self.model(x), y, self.training))
        mean = total / examples
        return mean if self.fabric.world_size == 1 else float(self.fabric.broadcast(mean))

    def candidate(self, mask: str) -> Candidate:
        """The mask that is on the model now, measured."""
        reached = None if self.test is None else accuracy(self.model, self.test) / len(self.test.x)
        return Candidate(mask, self.training_loss(), reached)
