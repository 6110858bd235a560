"""A masked model is an ordinary module: compiled or under autocast it computes and learns what it does without."""

import pytest
import torch
from torch import nn

from slth.learning import Biprop, EdgePopup, Supermask, attach

WHOLE = [EdgePopup(0.3), Biprop(0.5), Biprop(0.5, binary_activations=True)]  # one graph, without a break
BROKEN = [EdgePopup(0.3, scope="global"), Supermask()]  # a pool with a cache, draws of a generator: PyTorch runs these


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(4 * 36, 3, bias=False),
        )


def attached(method):
    masks = attach(network(), method, seed=5)
    for stage in method.stages(method.training):
        stage.begin(masks)
    return masks


def learn(masks, forward, *, steps=3):
    """Outputs and gradients of a few steps, in training mode and then in evaluation."""
    x, y = torch.rand(20, 1, 6, 6, generator=torch.Generator().manual_seed(3)), torch.arange(20) % 3
    optimizer = torch.optim.SGD(masks.scores, lr=0.5, momentum=0.9)
    found = []
    for _ in range(steps):
        out = forward(x)
        optimizer.zero_grad()
        nn.functional.cross_entropy(out, y).backward()
        found += [out.detach(), *(scores.grad.clone() for scores in masks.scores)]
        optimizer.step()
    masks.model.eval()
    with torch.no_grad():
        found.append(forward(x))
    return found


@pytest.mark.filterwarnings("ignore:Dynamo does not know how to trace")  # the generator of the supermask
@pytest.mark.parametrize("method", [*WHOLE, BROKEN[0], pytest.param(BROKEN[1], marks=pytest.mark.slow)], ids=repr)
def test_a_compiled_model_computes_and_learns_the_same(method):
    """To the last bit: aot_eager traces forward and backward, and runs the same operations."""
    plain, other = attached(method), attached(method)
    compiled = torch.compile(other.model, backend="aot_eager", fullgraph=method in WHOLE)
    torch._dynamo.reset()
    for one, two in zip(learn(plain, plain.model), learn(other, compiled), strict=True):
        assert torch.equal(one, two)
    for one, two in zip(plain, other, strict=True):
        assert torch.equal(one.mask.chosen(), two.mask.chosen())
        assert one.mask.gain() == two.mask.gain()
        assert torch.equal(two.original, two.values())


@pytest.mark.parametrize("method", [WHOLE[0], WHOLE[1], *BROKEN], ids=repr)
def test_under_autocast_the_mask_is_the_same_and_scores_stay_float32(method):
    plain, other = attached(method), attached(method)
    dtypes = set()
    other.model[4].register_forward_hook(lambda layer, _, out: dtypes.add((layer.weight.dtype, out.dtype)))
    x = torch.rand(20, 1, 6, 6)
    with torch.autocast("cpu", torch.bfloat16):
        out = other.model(x)
        effective = [tensor.location.module.eval().weight for tensor in other]
    assert dtypes == {(torch.float32, torch.bfloat16)}
    for one, two, weight in zip(plain, other, effective, strict=True):
        assert torch.equal(one.mask.chosen(), two.mask.chosen())
        assert torch.equal(one.location.module.eval().weight, weight)
    nn.functional.cross_entropy(out, torch.arange(20) % 3).backward()
    for scores in other.scores:
        assert scores.dtype == scores.grad.dtype == torch.float32
        assert scores.grad.abs().sum() > 0
