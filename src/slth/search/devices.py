"""From settings to the objects of PyTorch and Lightning Fabric."""

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn

from slth._errors import InputError
from slth.search.training import Training


def fabric_for(training: Training, *, devices: int = 1, accelerator: str = "cpu") -> Fabric:
    """A Fabric of one process or, under `torchrun`, of several."""
    if accelerator == "cpu" and training.precision == "16-mixed":
        raise InputError("precision 16-mixed needs a GPU; on a processor use bf16-mixed or 32-true")
    # Scores of a layer that keeps everything have no gradient. Buffers are as large as weights, and the same on all
    # processes; the statistics of norms, which are not, are set straight after each epoch.
    ddp = DDPStrategy(find_unused_parameters=True, broadcast_buffers=False)
    strategy = ddp if devices > 1 else "auto"
    return Fabric(accelerator=accelerator, devices=devices, strategy=strategy, precision=training.precision)


def optimizer_for(parameters: list[nn.Parameter], training: Training) -> torch.optim.Optimizer:
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, lr=training.lr, momentum=training.momentum, weight_decay=training.weight_decay
        )
    kind = torch.optim.Adam if training.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, lr=training.lr, weight_decay=training.weight_decay)
