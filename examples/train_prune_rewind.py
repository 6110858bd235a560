"""Train, prune, rewind, train; beside: prune. One random network on the digits, five times.

The first four are the lottery ticket of Frankle and Carbin (2019): the largest weights of a trained network, put back
to their random start, train as well again. The fifth is a strong one: the same start, never trained, only pruned.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy

import slth
from slth.learning import EdgePopup, Policy

digits = load_digits()
torch.manual_seed(0)
order = torch.randperm(len(digits.target))
x, y = torch.tensor(digits.data, dtype=torch.float32)[order] / 16 - 0.3, torch.tensor(digits.target)[order]
model = nn.Sequential(nn.Linear(64, 1000, bias=False), nn.ReLU(), nn.Linear(1000, 10, bias=False))
start = [weight.detach().clone() for weight in model.parameters()]
panels = []


def train(parameters, masks, lr):
    optimizer = torch.optim.Adam(parameters, lr=lr)
    for _ in range(40):
        for batch in torch.randperm(1400).split(100):
            optimizer.zero_grad()
            cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
            with torch.no_grad():
                for weight, mask in zip(parameters, masks, strict=True):
                    weight.mul_(mask)


def look(name):
    accuracy = (model(x[1400:]).argmax(1) == y[1400:]).float().mean().item()
    panels.append((name, accuracy, model[0].weight.detach().clone()))  # benchmarks/training_strip.py draws them
    print(
        f"{name:<8}{accuracy:6.1%} of the test digits, {(model[0].weight != 0).float().mean():4.0%} of the weights kept"
    )


weights, every = list(model.parameters()), [torch.ones(())] * 2
train(weights, every, lr=3e-3)
look("train")
with torch.no_grad():
    masks = [(weight.abs() > weight.abs().quantile(0.8)).float() for weight in weights]
    _ = [weight.mul_(mask) for weight, mask in zip(weights, masks, strict=True)]
    look("prune")
    _ = [weight.copy_(first * mask) for weight, first, mask in zip(weights, start, masks, strict=True)]
    look("rewind")
train(weights, masks, lr=3e-3)
look("train")
with torch.no_grad():
    _ = [weight.copy_(first) for weight, first in zip(weights, start, strict=True)]
found = slth.attach(model, EdgePopup(density=0.5), policy=Policy(weights="keep"))
train(list(found.parameters), every, lr=0.01)
look("prune")
