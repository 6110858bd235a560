"""Masks on weights that a model has: the ticket is weak, carries them, and says so. And what else is not strong."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth import InputError
from slth.learning import Biprop, EdgePopup, Magnitude, PerturbedEdgePopup, Policy, Supermask, attach
from slth.ticket import decode, encode

KEEP = Policy(law="kaiming_normal", weights="keep")
METHODS = [
    EdgePopup(0.5),
    EdgePopup(0.5, scope="global"),
    Biprop(0.4),
    Supermask(initial=0.1),
    Magnitude(0.3, rate=1.0),
    Magnitude(0.3, rate=0.5, retrain=False),
    PerturbedEdgePopup(0.5, 0.01, epochs_weights=0.5),
]


class Trained(nn.Module):
    """A network with a norm and biases, none of whose numbers are those it would start with."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.fc1, self.norm, self.fc2 = nn.Linear(64, 16), nn.BatchNorm1d(16), nn.Linear(16, 10)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.add_(0.05 * torch.randn(parameter.shape))

    def forward(self, x):
        return self.fc2(torch.relu(self.norm(self.fc1(x.flatten(1)))))


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_attach_keeps_the_numbers_of_the_model(method):
    model, before = Trained(), Trained()
    masks = attach(model, method, policy=KEEP)
    assert all(torch.equal(tensor.original, before.get_parameter(tensor.path)) for tensor in masks)
    assert all(torch.equal(tensor.values(), tensor.original) for tensor in masks)
    for name in ("fc1.bias", "norm.weight", "norm.bias", "fc2.bias"):
        assert torch.equal(model.get_parameter(name), before.get_parameter(name))
        assert masks.left_out[name].endswith("carried as it is")


def test_at_density_1_the_model_computes_what_it_did():
    model, x = Trained().eval(), torch.randn(5, 64)
    out = model(x)
    attach(model, EdgePopup(1.0), policy=KEEP)
    assert torch.equal(model(x), out)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_the_ticket_is_weak_says_so_and_gives_the_masked_model_back(method):
    model, before = Trained(), Trained()
    found = slth.search(model, "digits", method, policy=KEEP, training={"epochs": 0.5, "batch": 64, "lr": 0.01})
    ticket = decode(encode(found.ticket))
    assert not ticket.strong
    assert ticket.moved
    assert ticket.move_bound is None
    assert ticket.provenance.asked["policy"]["weights"] == "keep"
    assert slth.verify(ticket).holds
    fresh, x = slth.apply(ticket, Trained(seed=7)).eval(), torch.rand(20, 1, 8, 8)
    assert torch.equal(fresh(x), model.eval()(x))
    if isinstance(method, EdgePopup):
        for tensor in ticket.tensors:
            kept = ticket.mask(tensor.path)
            own = before.get_parameter(tensor.path).detach().numpy()
            assert np.abs(ticket.effective(tensor.path) - own * kept).max() < 1e-7


def test_a_projected_run_stays_near_the_weights_that_were_there():
    model, before = Trained(), Trained()
    method = PerturbedEdgePopup(0.5, 0.01, epochs_weights=1.0, lr_weights=1.0)
    ticket = slth.search(model, "digits", method, policy=KEEP, training={"epochs": 0.2}).ticket
    far = 0.0
    for tensor in ticket.tensors:
        own, kept = before.get_parameter(tensor.path).detach().numpy(), ticket.mask(tensor.path)
        far = max(far, float(np.abs(ticket.effective(tensor.path) - own)[kept].max()))
    assert 0.009 < far < 0.01 + 1e-6


def test_untrained_magnitude_masks_go_back_to_the_weights_that_were_there():
    model, before = Trained(), Trained()
    slth.search(model, "digits", Magnitude(0.3, rate=1.0, retrain=False), policy=KEEP, training={"epochs": 1.0})
    for name in ("fc1.weight", "fc2.weight"):
        own, now = before.get_parameter(name).detach(), model.get_parameter(name).detach()
        assert torch.allclose(now, torch.where(now != 0, own, 0.0), atol=1e-7)


def test_what_stands_beside_kept_weights_is_carried_unless_it_trains():
    policy = Policy(weights="keep")
    assert (policy.biases, policy.norms) == ("carry", "carry")
    policy = Policy(weights="keep", biases="train", norms="train")
    assert (policy.biases, policy.norms) == ("train", "train")
    with pytest.raises(InputError, match="weights: expected one of random, keep; got 'pretrained'"):
        Policy(weights="pretrained")


class Reader(nn.Module):
    """A recurrent layer over the rows of an image, and a head."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.rnn, self.head = nn.GRU(8, 12, batch_first=True), nn.Linear(12, 10)

    def forward(self, x):
        return self.head(self.rnn(x.squeeze(1))[0].mean(1))


def test_a_ticket_that_carries_weights_of_no_stream_is_not_strong():
    """The head alone is masked; the recurrent layer is as PyTorch initialised it."""
    model = Reader()
    before = copy.deepcopy(model)
    ticket = slth.search(model, "digits", EdgePopup(0.5), training={"epochs": 0.2}).ticket
    numbers = sum(p.numel() for p in before.rnn.parameters())
    assert not ticket.strong
    assert not ticket.moved
    assert ticket.unseeded_numbers == numbers
    assert repr(ticket).endswith(f"weights kept, {numbers} numbers of no stream)")
    found = slth.verify(decode(encode(ticket)))
    assert found.holds
    said = f"nothing moved; not strong: {numbers} carried numbers that no stream made"
    assert said in [check.detail for check in found.checks]


def test_with_all_its_matrices_masked_it_is():
    policy = {"include": ["rnn.weight*"]}
    found = slth.search(Reader(), "digits", EdgePopup(0.5), training={"epochs": 2.0, "batch": 32}, policy=policy)
    ticket = decode(encode(found.ticket))
    assert ticket.strong
    assert ticket.unseeded_numbers == 0
    assert [tensor.path for tensor in ticket.tensors] == ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "head.weight"]
    fresh, x = slth.apply(ticket, Reader()).eval(), torch.rand(9, 1, 8, 8)
    assert torch.equal(fresh(x), slth.apply(ticket, Reader()).eval()(x))
    assert found.accuracy > 0.25  # chance: 0.1


@pytest.mark.parametrize(
    ("policy", "strong"),
    [
        (Policy(), True),
        (Policy(biases="carry"), False),
        (Policy(biases="train"), False),
        (Policy(norms="carry"), False),
        (Policy(norms="train"), False),
        (Policy(skip=("fc1",)), False),
    ],
    ids=str,
)
def test_biases_and_norms_that_are_carried_or_trained_are_numbers_of_no_stream(policy, strong):
    """Running statistics are of the data, and count for nothing; zeros and ones are a rule."""
    ticket = slth.search(Trained(), "digits", EdgePopup(0.5), training={"epochs": 0.1}, policy=policy).ticket
    assert ticket.strong == strong
    assert (ticket.unseeded_numbers == 0) == strong
    assert any(name.endswith("running_var") for name in ticket.carried)


@pytest.mark.parametrize("weak", [EdgePopup(0.5), Magnitude(0.3, rate=1.0)], ids=repr)
def test_controls_mask_what_the_ticket_masks(weak):
    policy = Policy(include=("rnn.weight_hh*",), skip=("head",), biases="train")
    found = slth.search(Reader(), "digits", weak, training={"epochs": 0.1}, policy=policy, controls=True)
    assert set(found.controls) == {"random_mask", "shuffled_mask", "reinitialised", "dense"}


class Disguised(nn.Module):
    """Random numbers under the name of a statistic."""

    def __init__(self):
        super().__init__()
        self.fc, self.running_mean = nn.Linear(64, 10), nn.Parameter(torch.randn(10))

    def forward(self, x):
        return self.fc(x.flatten(1)) + self.running_mean


def test_a_name_alone_makes_no_statistic():
    ticket = attach(Disguised(), EdgePopup(0.5)).ticket()
    assert not ticket.strong
    assert ticket.unseeded_numbers == 10


@pytest.mark.parametrize("pruned", ["zero", "freeze", "freeze_away"])
def test_a_model_with_masks_computes_what_its_ticket_says_also_where_pruned_weights_are_held(pruned):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 30), nn.ReLU(), nn.Linear(30, 10))
    method = Magnitude(0.3, pruned_weights=pruned)
    masks = attach(model, method, policy=Policy(weights="keep"))
    optimizer = torch.optim.SGD(masks.parameters, lr=0.1)
    x = torch.rand(20, 1, 8, 8)
    for step in range(20):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), torch.arange(20) % 10).backward()
        optimizer.step()
        if masks.step((step + 1) / 20):
            optimizer = torch.optim.SGD(masks.parameters, lr=0.1)
    ticket = masks.ticket()
    fresh = slth.apply(ticket, nn.Sequential(nn.Flatten(), nn.Linear(64, 30), nn.ReLU(), nn.Linear(30, 10)))
    assert torch.equal(model.eval()(x), fresh.eval()(x))
