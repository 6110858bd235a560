"""Loops as users write them, and the methods that run in them: with a schedule, and without one."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from slth.learning import Biprop, EdgePopup, Magnitude, PerturbedEdgePopup, Supermask
from slth.learning.batches import Batches
from slth.learning.devices import optimizer_for, set_rate
from slth.learning.steps import steps_of

SCHEDULED = [
    EdgePopup(0.1, scope="global"),
    EdgePopup(0.3, scope="global", ramp=1.0),
    Magnitude(0.2),
    Magnitude(0.3, rate=0.5, scope="global", rewind=2, kept_weights="reinitialise"),
    Magnitude(0.3, rate=0.5, criterion="random", pruned_weights="freeze_away", last_rate=0.1),
    Magnitude(0.3, rate=1.0, kept_weights="constant", retrain=False),
    Magnitude(1.0),
    PerturbedEdgePopup(0.5, 0.05),
    PerturbedEdgePopup(1.0, 0.05),
    PerturbedEdgePopup((1.0, 0.7, 0.2), 0.05),
    PerturbedEdgePopup((0.8, 0.3), 0.0),
    Supermask(),
]
AT_ONCE = [
    EdgePopup(0.3),
    EdgePopup(0.1, scope="global", ramp=0.0),
    Biprop(0.4),
    Biprop(0.4, binary_activations=True),
    Supermask(final="threshold"),
    PerturbedEdgePopup(0.5, 0.0),
]


def mk() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 3))


def norm_net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(20, 30), nn.BatchNorm1d(30), nn.ReLU(), nn.Linear(30, 3))


X = np.random.default_rng(0).normal(size=(64, 20)).astype(np.float32)
Y = X[:, :3].argmax(1)


def loss_of(masks):
    """The training loss of the model as it is."""
    return lambda: nn.functional.cross_entropy(masks.model(torch.from_numpy(X)), torch.from_numpy(Y))


def fit(masks, method, batches=None, *, steps=None, say=True):
    """The loop of a user: batches in the order, rates and optimisers of a search; what `step` said, call by call.

    Without `steps` each stage of the method is as long as in a search.
    """
    batches = Batches(X, Y, (0.0,), (1.0,), 16) if batches is None else batches
    training = replace(method.training, epochs=2.0 if method.training.epochs > 1 else method.training.epochs)
    training = replace(training, batch=batches.size)
    stages = method.stages(training)
    keys = [f"{masks.seed}/{stage.key or stage.name}" for stage in stages]
    plan = [(stage, step) for stage, key in zip(stages, keys, strict=True) for step in steps_of(stage, batches, key)]
    plan, said, stage = plan[:steps], [], 0
    optimizer = optimizer_for(masks.parameters, stages[0].training)
    masks.model.train()
    for number, (_, step) in enumerate(plan, 1):
        set_rate(optimizer, step.rate)
        x, y = batches.take(step.rows)
        optimizer.zero_grad()
        nn.functional.cross_entropy(masks.model(x), y).backward()
        optimizer.step()
        if say:
            said.append(masks.step(number / len(plan), loss_of(masks)))
            if said[-1]:
                stage += 1
                optimizer = optimizer_for(masks.parameters, stages[stage].training)
    return said, training
