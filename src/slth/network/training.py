r"""Train the small networks that tickets are made of: ReLU layers, cross entropy, SGD with momentum.

    a_0 = x,  a_k = relu(W_k a_{k-1} + b_k),  logits z = W_L a_{L-1} + b_L,  loss = mean of -log softmax(z)_y
    d_L = (softmax(z) - onehot(y)) / batch,   d_{k-1} = W_k^T d_k where a_{k-1} > 0 and 0 elsewhere
    v <- momentum v + d_k a_{k-1}^T + weight_decay W_k,   W_k <- W_k - rate v        (b_k likewise)

The gradient is written out, so that it goes straight into the velocity v. For 784-500-10 on one thread that takes
0.7 times as long as autograd with `torch.optim.SGD`, with which the tests compare it, and no global PyTorch mode
matters.

Source: the settings of experiment 1 of Pensia et al. (2020), arXiv:2006.07990, are the defaults.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from slth._errors import InputError
from slth._shapes import Parameter, TrainInputs, TrainLabels


def train_mlp(
    train_x: TrainInputs,
    train_y: TrainLabels,
    widths: Sequence[int],
    *,
    bias: bool = True,
    epochs: int = 10,
    lr: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    batch: int = 64,
    seed: int = 0,
    progress: Callable[[int, float], object] | None = None,
) -> dict[str, Parameter]:
    r"""Minimise the mean cross entropy of a ReLU network over its weights, $e$-th epoch at rate
    $\tfrac{1}{2}\,lr\,(1 + \cos(\pi e / epochs))$, $e = 0, 1, \ldots$

    Weights and biases start uniform in $\pm 1/\sqrt{inp}$. The same seed gives the same bytes on one machine with one
    number of threads; the global seed and thread count of PyTorch are neither read nor changed.

    Args:
        train_x: float32, shape (train, inp), finite; best within about [-3, 3]. Not copied, not modified.
        train_y: int64, shape (train,), labels 0 to `widths[-1]` - 1.
        widths: (inp, hidden, ..., classes), at least two.
        bias: False leaves all biases out.
        epochs: passes over the data, at least 1, each in a new random order.
        lr: learning rate of the first epoch, > 0.
        momentum: in [0, 1).
        weight_decay: $\ge 0$, added to the gradient as `weight_decay` times the parameter, biases too.
        batch: examples per step; the last step of an epoch takes what is left.
        seed: 0 to 2^64 - 1.
        progress: called after each epoch with its number, from 1, and its mean loss.

    Returns:
        Parameters named as in `nn.Sequential(Linear, ReLU, Linear, ...)`: "0.weight" (out, inp), "0.bias", "2.weight".

    Raises:
        InputError: an argument is out of its range, or training diverged.

    Cost: about 6 floating-point operations per weight, example and epoch; memory beyond the data is small.

    >>> x = np.array([[0.0], [1.0]], np.float32)
    >>> state = train_mlp(x, np.array([0, 1]), (1, 2), epochs=50, batch=2, weight_decay=0.0)
    >>> (x @ state["0.weight"].T + state["0.bias"]).argmax(1)
    array([0, 1])
    """
    _check_data(train_x, train_y, widths)
    _check_settings(epochs, lr, momentum, weight_decay, batch, seed)
    random = torch.Generator("cpu").manual_seed(seed)
    layers = [_Layer(inp, out, bias, random) for inp, out in pairwise(widths)]
    for epoch in range(epochs):
        rule = _Rule(0.5 * lr * (1 + math.cos(math.pi * epoch / epochs)), momentum, weight_decay)
        order = torch.randperm(len(train_x), generator=random, device="cpu").numpy()
        total = 0.0
        for step, start in enumerate(range(0, len(order), batch)):
            chosen = order[start : start + batch]
            loss = _step(layers, _tensor(train_x[chosen]), _tensor(train_y[chosen]), rule)
            if not math.isfinite(loss):
                raise InputError(
                    f"training diverged: the loss is {loss} at epoch {epoch + 1}, step {step + 1}; "
                    f"try a smaller lr (now {lr}) or inputs scaled to about [-1, 1]"
                )
            total += loss * len(chosen)
        if progress is not None:
            progress(epoch + 1, total / len(order))
    return _state(layers, lr)


class _Rule(NamedTuple):
    rate: float
    momentum: float
    weight_decay: float


class _Layer:
    """W (out, inp), b (out) or None, and their velocities."""

    def __init__(self, inp: int, out: int, bias: bool, random: torch.Generator):
        bound = 1 / math.sqrt(inp)

        def uniform(*shape: int) -> Tensor:
            return torch.empty(shape, dtype=torch.float32, device="cpu").uniform_(-bound, bound, generator=random)

        self.weight = uniform(out, inp)
        self.bias = uniform(out) if bias else None
        self.weight_velocity = torch.zeros_like(self.weight)
        self.bias_velocity = None if self.bias is None else torch.zeros_like(self.bias)

    def forward(self, a: Tensor) -> Tensor:
        return a @ self.weight.T if self.bias is None else torch.addmm(self.bias, a, self.weight.T)

    def update(self, a: Tensor, d: Tensor, rule: _Rule) -> None:
        v = self.weight_velocity
        torch.addmm(v, d.T, a, beta=rule.momentum, out=v).add_(self.weight, alpha=rule.weight_decay)
        self.weight.sub_(v, alpha=rule.rate)
        if self.bias is not None and self.bias_velocity is not None:
            v = self.bias_velocity.mul_(rule.momentum).add_(d.sum(0)).add_(self.bias, alpha=rule.weight_decay)
            self.bias.sub_(v, alpha=rule.rate)


def _step(layers: list[_Layer], x: Tensor, y: Tensor, rule: _Rule) -> float:
    """One step on one batch; the mean loss before it."""
    a = [x]
    for layer in layers[:-1]:
        a.append(layer.forward(a[-1]).relu_())
    log_softmax = torch.log_softmax(layers[-1].forward(a[-1]), dim=1)
    truth = y.unsqueeze(1)
    loss = -log_softmax.gather(1, truth).mean().item()
    d = log_softmax.exp_()
    d.scatter_add_(1, truth, torch.full_like(truth, -1, dtype=torch.float32)).div_(len(x))
    for k in reversed(range(len(layers))):
        d_below = (d @ layers[k].weight).mul_(a[k] > 0) if k else d
        layers[k].update(a[k], d, rule)
        d = d_below
    return loss


def _tensor(batch: np.ndarray) -> Tensor:
    return torch.as_tensor(batch, device="cpu")


def _state(layers: list[_Layer], lr: float) -> dict[str, np.ndarray]:
    state: dict[str, np.ndarray] = {}
    for k, layer in enumerate(layers):
        state[f"{2 * k}.weight"] = layer.weight.numpy()
        if layer.bias is not None:
            state[f"{2 * k}.bias"] = layer.bias.numpy()
    if not all(np.isfinite(values).all() for values in state.values()):
        raise InputError(f"training diverged in its last step: a weight is not finite; try a smaller lr (now {lr})")
    return state


def _check_data(x: np.ndarray, y: np.ndarray, widths: Sequence[int]) -> None:
    if x.dtype != np.float32 or x.ndim != 2 or y.dtype != np.int64 or y.shape != x.shape[:1] or not x.size:
        raise InputError(
            "expected float32 training inputs of shape (count, features), at least one, and int64 labels of shape "
            f"(count,), got {x.dtype} {x.shape} and {y.dtype} {y.shape}; load the training part, or use astype"
        )
    if not np.isfinite([x.min(), x.max()]).all():
        raise InputError("expected finite training inputs, got NaN or infinity; remove or repair those rows")
    if len(widths) < 2 or min(widths) < 1:
        raise InputError(f"expected two or more positive widths (inputs, hidden, ..., classes), got {tuple(widths)}")
    if widths[0] != x.shape[1]:
        raise InputError(f"expected widths[0] = {x.shape[1]}, the number of features, got {widths[0]}")
    if y.min() < 0 or y.max() >= widths[-1]:
        raise InputError(
            f"expected labels from 0 to {widths[-1] - 1} for widths[-1] = {widths[-1]} classes, "
            f"got {y.min()} to {y.max()}"
        )


def _check_settings(epochs: int, lr: float, momentum: float, weight_decay: float, batch: int, seed: int) -> None:
    if epochs < 1 or batch < 1:
        raise InputError(f"expected epochs >= 1 and batch >= 1, got {epochs} and {batch}")
    if not (0 < lr < math.inf and 0 <= momentum < 1 and 0 <= weight_decay < math.inf):
        raise InputError(
            "expected a finite lr > 0, momentum in [0, 1) and a finite weight_decay >= 0, "
            f"got {lr}, {momentum} and {weight_decay}"
        )
    if not 0 <= seed < 2**64:
        raise InputError(f"expected a seed from 0 to 2^64 - 1, got {seed}")
