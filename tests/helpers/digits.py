"""Methods of search on the embedded digits: a small network, trained and looked at, with fixed seeds."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from slth.data import load
from slth.learning import Masks, Policy, Stage, attach
from slth.learning.batches import Batches
from slth.learning.predictions import accuracy
from slth.learning.trainer import train

_DIGITS = load("digits", shape=(-1,))
TRAIN = Batches(_DIGITS.train_x, _DIGITS.train_y, (0.0,), (1.0,), 64)
TEST = Batches(_DIGITS.test_x, _DIGITS.test_y, (0.0,), (1.0,), 1000)


def mlp(*widths: int) -> nn.Sequential:
    torch.manual_seed(0)
    sizes = (64, *(widths or (100,)), 10)
    layers = [part for inp, out in pairwise(sizes) for part in (nn.Linear(inp, out), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def trained(
    method: Any,
    *,
    epochs: float = 3.0,
    model: nn.Module | None = None,
    seed: int = 0,
    policy: Policy | None = None,
    watch: Callable[[Masks, str, str], None] | None = None,
    **settings: Any,
) -> Masks:
    """The masks of a method after its stages; `watch` is called with (masks, "begin" | "step" | "end", stage)."""
    masks = attach(mlp() if model is None else model, method, seed=seed, policy=policy)
    training = replace(method.training, epochs=epochs, batch=64, **settings)
    stages = method.stages(training)
    if watch is not None:
        stages = [watched(stage, watch) for stage in stages]
    train(masks, stages, TRAIN, None, asked={})
    return masks


def watched(stage: Stage, watch: Callable[[Masks, str, str], None]) -> Stage:
    def also(what: str, first: Callable[[Masks], None]) -> Callable[[Masks], None]:
        def call(masks: Masks) -> None:
            first(masks)
            watch(masks, what, stage.name)

        return call

    return replace(
        stage,
        begin=also("begin", stage.begin),
        after_step=also("step", stage.after_step),
        end=also("end", stage.end),
    )


def percent(masks: Masks) -> float:
    """Accuracy on the test digits."""
    return 100 * accuracy(masks.model, TEST) / len(TEST.x)


def shuffle(masks: Masks) -> None:
    """The control: as many weights of every layer, at random."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for scores in masks.scores:
            scores.copy_(scores.flatten()[torch.randperm(scores.numel(), generator=generator)].view(scores.shape))


def largest_move(masks: Masks) -> float:
    """max |W − W₀|: the difference of two float32 numbers, in float64."""
    return max(float((t.original.detach().double() - t.values().double()).abs().max()) for t in masks)
