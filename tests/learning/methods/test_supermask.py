"""Supermasks: Bernoulli draws in training, one draw or the likelier half at the end, a gradient straight through."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from helpers.digits import TEST, TRAIN, mlp, trained
from torch import Tensor, nn

import slth
from slth import InputError
from slth.learning import Masks, Policy, Supermask, attach
from slth.learning.methods.supermask import keep
from slth.learning.predictions import accuracy
from slth.learning.trainer import train
from slth.numerics import Stream, uniform
from slth.ticket import choice_in, decode, encode, summary


def supermask(**settings: Any) -> tuple[Masks, Any, Any]:
    masks = attach(nn.Sequential(nn.Linear(300, 100)), Supermask(**settings))
    (tensor,) = masks
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        tensor.mask.scores.copy_(3 * torch.randn(tensor.shape, generator=generator))
    return masks, tensor, tensor.mask


def named_draw(tensor: Any, number: int) -> Tensor:
    """1[u < p], u the middle of what 24 bits of the stream "path/draw/number" leave open, in float64."""
    drawn = uniform(Stream(tensor.seed, f"{tensor.path}/draw/{number}"), tensor.shape).astype(np.float64)
    return torch.from_numpy((drawn + 1) / 2 + 2.0**-25) < tensor.mask.scores.detach().double().sigmoid()


@pytest.mark.parametrize("final", ["draw", "threshold"])
@pytest.mark.parametrize("rescale", [False, True])
def test_in_evaluation_the_supermask_is_fixed_and_exact(rescale, final):
    masks, tensor, mask = supermask(rescale=rescale, final=final)
    masks.model.eval()
    one, two = (masks.model[0].weight.detach() for _ in range(2))
    assert torch.equal(one, two)
    kept = mask.scores > 0 if final == "threshold" else named_draw(tensor, 0)
    assert torch.equal(mask.chosen(), kept)
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


def test_a_named_draw_keeps_a_weight_with_the_probability_of_its_m():
    """Band: 5 standard errors of the mean over forty draws, for ten groups of weights of like probability."""
    masks, _, mask = supermask()
    kept = []
    for number in range(40):
        keep(masks, number)
        kept.append(mask.chosen())
    mean = torch.stack(kept).float().mean(0).flatten()
    share = mask.scores.detach().sigmoid().flatten()
    for part in share.argsort().chunk(10):
        p = share[part]
        error = float((p * (1 - p)).sum().sqrt()) / len(part) / 40**0.5
        assert abs(float((mean[part] - p).mean())) < 5 * error
    assert len({one.numpy().tobytes() for one in kept}) == 40


def loss_of(masks: Masks) -> float:
    """Of all training examples at once."""
    masks.model.eval()
    x, y = TRAIN.take(np.arange(len(TRAIN.x)))
    with torch.no_grad():
        return float(nn.functional.cross_entropy(masks.model(x), y))


@pytest.mark.parametrize("final", ["draw", "threshold"])
def test_the_ticket_keeps_the_best_of_ten_draws_or_the_likelier_half(final):
    """Brute force: every draw by itself, from the m that were found."""
    method = Supermask(final=final)
    masks = attach(mlp(), method, seed=3)
    history = train(masks, method.stages(replace(method.training, epochs=1.0)), TRAIN, TEST, asked={})
    found = {one["mask"]: one for one in history[-1]["candidates"]}
    assert list(found) == ["threshold", *(f"draw {number}" for number in range(10))]
    kept = [tensor.mask.chosen() for tensor in masks]
    losses, right = {}, {}
    for mask, number in zip(found, (None, *range(10)), strict=True):
        keep(masks, number)
        losses[mask], right[mask] = loss_of(masks), accuracy(masks.model, TEST) / len(TEST.x)
    assert {mask: one["training_loss"] for mask, one in found.items()} == pytest.approx(losses, rel=1e-5)
    assert {mask: one["accuracy"] for mask, one in found.items()} == right
    threshold = losses.pop("threshold")
    best = min(losses, key=losses.__getitem__)
    assert history[-1]["chosen"] == (best if final == "draw" else "threshold")
    for tensor, mask in zip(masks, kept, strict=True):
        wanted = named_draw(tensor, int(best.split()[1])) if final == "draw" else tensor.mask.scores > 0
        assert torch.equal(mask, wanted)
    assert threshold > max(losses.values())  # 3.35 against 1.70 to 2.61: after one epoch most m are near 0


def test_a_ticket_of_a_draw_is_strong_and_does_what_the_search_says_of_it():
    found = slth.search(None, "digits", "supermask", training={"epochs": 3.0})
    ticket = decode(encode(found.ticket))
    assert ticket.strong
    assert slth.verify(ticket).holds
    said = choice_in(ticket.provenance.asked)
    assert said.chosen.startswith("draw ")
    assert slth.evaluate(ticket, "digits").accuracy.value == found.accuracy == found.choice.best.accuracy
    draws = [one.accuracy for one in said.of("draw")]
    (row,) = [text for _, text in summary(ticket) if text.startswith("10 draws")]
    assert f"accuracy {np.mean(draws):.2%} ± {np.std(draws, ddof=1):.2%}" in row


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
        trained(Supermask(initial=-5.0, final="threshold"), epochs=0.05, lr=1e-6)
    with pytest.raises(InputError, match=r"0.weight: the supermask keeps nothing.*higher initial"):
        trained(Supermask(initial=-20.0), epochs=0.05, lr=1e-6)
    with pytest.raises(InputError, match="finite"):
        Supermask(initial=float("nan"))
    with pytest.raises(InputError, match="final, the mask of the ticket: expected draw or threshold, got 'half'"):
        Supermask(final="half")


@pytest.mark.parametrize(
    "said",
    [{"densities": {"*": 0.2}}, {"first": 0.5}, {"last": 0.5}, {"allocation": "erk"}, {"scaled": True}],
    ids=lambda said: next(iter(said)),
)
def test_a_learned_density_cannot_be_asked_for(said):
    """Nothing of it would happen; the model is as it was."""
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError, match=f"learns its density, layer by layer, so {next(iter(said))}="):
        attach(model, Supermask(), policy=Policy(**said))
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
