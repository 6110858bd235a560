"""Biprop: ±α where the mask keeps, signs for activations if they are asked for."""

import numpy as np
import pytest
import torch
from helpers.digits import mlp, percent, shuffle, trained
from torch import Tensor, nn

import slth
from slth import InputError
from slth.learning import Biprop, Training, attach
from slth.learning.ask import search
from slth.learning.methods.biprop import SignActivation
from slth.ticket import Bound


def test_effective_weights_are_plus_or_minus_alpha_the_mean_size_of_what_is_kept():
    masks = trained(Biprop(0.3), epochs=1.0)
    for tensor in masks:
        effective = tensor.location.module.weight.detach()
        kept, alpha = tensor.mask.chosen(), float(np.float32(tensor.mask.gain()))
        assert int(kept.sum()) == tensor.kept
        assert torch.equal(effective, torch.where(kept, torch.where(tensor.values() >= 0, alpha, -alpha), 0.0))
        exact = float(tensor.values()[kept].double().abs().mean())
        assert alpha == pytest.approx(exact, rel=1e-6)


def test_the_scale_follows_the_mask_in_every_forward_pass():
    masks = attach(mlp(), Biprop(0.1))
    first, *_ = masks
    seen = set()
    for shift in range(3):
        with torch.no_grad():
            first.mask.scores.copy_(first.mask.scores.roll(shift))
        seen.add(float(first.location.module.weight.detach().abs().max()))
        assert float(first.location.module.weight.detach().abs().max()) == float(np.float32(first.mask.gain()))
    assert len(seen) == 3


def test_binary_activations_take_the_place_of_every_relu_wherever_it_is_used():
    shared = nn.ReLU()
    model = nn.Sequential(nn.Linear(64, 30), shared, nn.Sequential(nn.Linear(30, 20), shared), nn.Linear(20, 10))
    masks = trained(Biprop(0.5, binary_activations=True), model=model)
    assert not any(isinstance(module, nn.ReLU) for module in model.modules())
    outputs: list[Tensor] = []
    for module in model.modules():
        if isinstance(module, SignActivation):
            module.register_forward_hook(lambda _module, _inputs, out: outputs.append(out))
    learned = percent(masks)
    assert len(outputs) == 2
    assert all(set(out.unique().tolist()) == {-1.0, 1.0} for out in outputs)
    shuffle(masks)
    assert learned > percent(masks) + 20


def test_a_ticket_with_binary_activations_is_bound_to_its_module():
    """No architecture of that name has signs for ReLUs, so no name rebuilds it."""
    training = Training(epochs=0.1, batch=64)
    real, binary = (
        search("mlp", "digits", Biprop(0.5, binary_activations=signs), training=training).ticket.network
        for signs in (False, True)
    )
    assert (real.name, binary) == ("mlp", Bound())


def test_a_sign_passes_the_gradient_where_x_is_at_most_1():
    x = torch.tensor([-2.0, -1.0, -0.3, -0.0, 0.0, 1e-30, 0.7, 1.0, 1.5], requires_grad=True)
    y = SignActivation()(x)
    y.backward(torch.arange(1.0, 10.0))
    assert y.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1, 1]
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 0]
    dense = torch.linspace(-1.5, 1.5, 100_001)
    assert set(SignActivation()(dense).unique().tolist()) == {-1.0, 1.0}


def test_a_ticket_with_binary_activations_goes_into_a_model_that_has_them():
    """In a model with ReLUs the same weights are another function, and nothing in it would say so."""
    x = torch.randn(50, 20, generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 3))
    ticket = attach(model, Biprop(0.5, binary_activations=True)).ticket()
    fresh = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 3))
    with pytest.raises(InputError, match=r"a sign in the place of every nn\.ReLU, and 1 is one: put .*SignActivation"):
        slth.apply(ticket, fresh)
    fresh[1] = SignActivation()
    assert torch.equal(slth.apply(ticket, fresh)(x), model(x))


def test_controls_of_binary_activations_have_them(monkeypatch):
    """The network of the name has ReLUs in their place: its accuracy would be that of something else."""
    built = []
    monkeypatch.setattr("slth.learning.controls.accuracy", lambda model, test: built.append(model) or 0)
    method = Biprop(0.5, binary_activations=True)
    search("mlp", "digits", method, arguments={"hidden": [10]}, training=Training(epochs=0.1), controls=True)
    assert len(built) == 4
    assert all(any(isinstance(part, SignActivation) for part in model.modules()) for model in built)
