"""From settings to the objects of PyTorch and Lightning Fabric."""

import warnings
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.precision import Precision
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.single_device import SingleDeviceStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import nn

from slth._errors import InputError
from slth.learning.batches import seed_of
from slth.learning.training import Training


def fabric_for(training: Training, *, devices: int = 1, accelerator: str = "cpu") -> Fabric:
    """A Fabric of one process or, under `torchrun`, of several.

    Raises:
        InputError: a device that is not there, several of them outside `torchrun`, a precision it does not have.
    """
    if accelerator == "cpu" and training.precision == "16-mixed":
        raise InputError("precision 16-mixed needs a GPU; on a processor use bf16-mixed or 32-true")
    # Scores of a layer that keeps everything have no gradient. Buffers are as large as weights, and the same on all
    # processes; the statistics of norms, which are not, are set straight after each epoch.
    ddp = DDPStrategy(find_unused_parameters=True, broadcast_buffers=False)
    strategy = ddp if devices > 1 else "auto"
    try:
        fabric = Fabric(accelerator=accelerator, devices=devices, strategy=strategy, precision=training.precision)
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"cannot train on {devices} x {accelerator!r}: {said} Try cpu") from error
    if devices > 1 and not ddp.cluster_environment.creates_processes_externally:  # pyright: ignore
        raise InputError(
            f"{devices} devices need as many processes, and this is one; "
            f"start them with torchrun --nproc-per-node {devices} -m slth search ..."
        )
    return fabric


def is_plain(fabric: Fabric) -> bool:
    """One process in float32: Fabric's wrappers, which cost 0.2 ms a step, would do nothing."""
    return type(fabric.strategy) is SingleDeviceStrategy and type(fabric.strategy.precision) is Precision


def set_up(fabric: Fabric, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[Any, Any]:
    """(model, optimizer) as a loop calls them: in Fabric's wrappers, unless these do nothing."""
    if is_plain(fabric):
        return model, optimizer
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`broadcast_buffers`")  # its successor is not in all versions
        return fabric.setup(model, optimizer)


def seed_torch(text: str, device: torch.device) -> None:
    """What PyTorch draws from here on follows from a text."""
    torch.default_generator.manual_seed(seed_of(text))
    if device.type == "cuda":
        torch.cuda.manual_seed(seed_of(text))


def first_process() -> bool:
    """Whether this process writes what all of them found; alone, it does."""
    group = torch.distributed
    return not (group.is_available() and group.is_initialized() and group.get_rank() > 0)


def use_threads(count: int) -> None:
    """Threads of PyTorch, of this whole process."""
    torch.set_num_threads(count)


def optimizer_for(parameters: list[nn.Parameter], training: Training) -> torch.optim.Optimizer:
    """The optimiser that the settings name, over some parameters."""
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, lr=training.lr, momentum=training.momentum, weight_decay=training.weight_decay
        )
    kind = torch.optim.Adam if training.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, lr=training.lr, weight_decay=training.weight_decay)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate
