"""Supermasks: Bernoulli draws in training, one fixed mask in evaluation, a gradient straight through the draw."""

from typing import Any

import numpy as np
import pytest
import torch
from helpers.digits import mlp, trained
from torch import Tensor, nn

from slth import InputError
from slth.learning import Masks, Supermask, attach


def supermask(**settings: Any) -> tuple[Masks, Any, Any]:
    masks = attach(nn.Sequential(nn.Linear(300, 100)), Supermask(**settings))
    (tensor,) = masks
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        tensor.mask.scores.copy_(3 * torch.randn(tensor.shape, generator=generator))
    return masks, tensor, tensor.mask


@pytest.mark.parametrize("rescale", [False, True])
def test_in_evaluation_the_supermask_is_fixed_and_exact(rescale):
    masks, tensor, mask = supermask(rescale=rescale)
    masks.model.eval()
    one, two = (masks.model[0].weight.detach() for _ in range(2))
    assert torch.equal(one, two)
    kept = mask.scores > 0
    gain = np.float32(mask.scores.numel() / int(kept.sum())) if rescale else np.float32(1)
    assert np.float32(mask.gain()) == gain
    assert torch.equal(one, torch.where(kept, tensor.values() * gain, torch.zeros(())))


def test_draws_are_bernoulli_with_the_sigmoid_of_m():
    """Band: 5 standard errors of the mean over a thousand draws, for ten groups of weights of like probability."""
    masks, tensor, mask = supermask(rescale=False)
    masks.model.train()
    draws = 100
    mean = sum((masks.model[0].weight.detach() / tensor.values()) for _ in range(draws)) / draws
    share = mask.scores.detach().sigmoid().flatten()
    for part in share.argsort().chunk(10):
        p = share[part]
        error = float((p * (1 - p)).sum().sqrt()) / len(part) / draws**0.5
        assert abs(float((mean.flatten()[part] - p).mean())) < 5 * error


@pytest.mark.parametrize("rescale", [False, True])
def test_a_draw_is_zero_or_the_weight_times_the_gain_exactly(rescale):
    masks, tensor, _ = supermask(rescale=rescale)
    masks.model.train()
    for _ in range(10):
        drawn = masks.model[0].weight.detach()
        kept = drawn != 0
        gain = np.float32(drawn.numel()) / np.float32(int(kept.sum())) if rescale else np.float32(1)
        assert torch.equal(drawn, torch.where(kept, tensor.values() * gain, torch.zeros(())))


def test_draws_follow_from_the_seed_and_the_step():
    def draws(seed: int) -> list[Tensor]:
        masks = attach(mlp(), Supermask(), seed=seed)
        torch.manual_seed(123 + seed)
        return [module.weight.detach() for _ in range(3) for module in (masks.model[0], masks.model[2])]

    one, two, other = draws(0), draws(0), draws(1)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0], one[2])
    assert not torch.equal(one[0] != 0, other[0] != 0)


def test_a_tied_weight_is_drawn_once_for_all_its_places():
    model = nn.Sequential(nn.Linear(50, 50), nn.Linear(50, 50))
    model[1].weight = model[0].weight
    attach(model, Supermask())
    first, second = [(model[0].weight.detach(), model[1].weight.detach()) for _ in range(2)]
    assert torch.equal(*first)
    assert torch.equal(*second)
    assert not torch.equal(first[0], second[0])


def test_the_supermask_gradient_is_straight_through_the_draw():
    """∂L/∂m = ∂L/∂w̃ · g w σ'(m), with the g of this draw."""
    masks, tensor, mask = supermask()
    masks.model.train()
    back = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(2))
    drawn = masks.model[0].weight
    drawn.backward(back)
    gain = drawn.numel() / int((drawn != 0).sum())
    share = mask.scores.detach().sigmoid()
    assert torch.allclose(mask.scores.grad, back * gain * tensor.values() * share * (1 - share), rtol=1e-4, atol=1e-7)


def test_a_supermask_that_keeps_nothing_is_no_ticket():
    with pytest.raises(InputError, match=r"0.weight: the supermask keeps nothing"):
        trained(Supermask(initial=-5.0), epochs=0.05, lr=1e-6)
    with pytest.raises(InputError, match="finite"):
        Supermask(initial=float("nan"))
