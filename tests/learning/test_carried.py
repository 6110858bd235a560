"""What a model holds beside its masked weights: carried as it is, or refused by name before anything is trained."""

from importlib import import_module

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import utils
from torch.nn.utils import parametrizations, parametrize, prune

import slth
from slth import InputError
from slth.learning import search
from slth.learning.training import Training

RNG = np.random.default_rng(0)
DATA = ((RNG.random((40, 20)).astype(np.float32), RNG.integers(0, 3, 40)), None)
QUICK = Training(epochs=1, batch=20)


def net(first=None, between=None):
    first = nn.Linear(20, 30) if first is None else first
    return nn.Sequential(first, *([] if between is None else [between]), nn.ReLU(), nn.Linear(30, 3))


class Beside(nn.Module):
    """A network with a buffer beside it."""

    def __init__(self, buffer=None, name="odd", persistent=True):
        super().__init__()
        self.net = net()
        if buffer is not None:
            self.register_buffer(name, buffer, persistent=persistent)

    def forward(self, x):
        return self.net(x)


class Stateful(Beside):
    def get_extra_state(self):
        return {"epoch": 3}

    def set_extra_state(self, state):
        pass


def named(name):
    model = nn.Sequential()
    model.add_module(name, nn.Linear(20, 3))
    return model


def quantised():
    return torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)


REFUSED = {
    "a causal mask": (lambda: Beside(torch.full((3,), -torch.inf)), "odd holds NaN or infinity"),
    "NaN": (lambda: Beside(torch.full((3,), torch.nan)), "odd holds NaN or infinity"),
    "bfloat16": (lambda: Beside(torch.ones(3, dtype=torch.bfloat16)), "odd is bfloat16; a ticket carries float16,"),
    "complex": (lambda: Beside(torch.ones(3, dtype=torch.complex64)), "odd is complex64"),
    "conjugate": (lambda: Beside(torch.ones(3, dtype=torch.complex64).conj()), "odd is complex64"),
    "float8": (lambda: Beside(torch.ones(3).to(torch.float8_e4m3fn)), "odd is float8_e4m3fn"),
    "uint16": (lambda: Beside(torch.ones(3).to(torch.uint16)), "odd is uint16"),
    "sparse": (lambda: Beside(torch.eye(3).to_sparse()), "odd is sparse_coo"),
    "compressed": (lambda: Beside(torch.eye(3).to_sparse_csr()), "odd is sparse_csr"),
    "quantised": (lambda: Beside(quantised()), "odd is quantised"),
    "meta": (lambda: Beside(torch.ones(3, device="meta")), "odd holds no numbers"),
    "extra state": (lambda: Stateful(), "_extra_state holds dict, and a ticket carries tensors only"),
    "lazy": (lambda: net(between=nn.LazyBatchNorm1d()), "1.weight does not know its shape yet"),
    "nine axes": (lambda: Beside(torch.ones((1,) * 9)), "at most 8 axes"),
    "a name of a buffer": (lambda: Beside(torch.ones(3), name="a\x1b[31m"), r"got 'a\x1b[31m'"),
    "a name of a layer": (lambda: named("a\0b"), r"got 'a\x00b.weight'"),
    "a name that is no text": (lambda: named("a\udc80"), r"got 'a\udc80.weight'"),
    "a long name": (lambda: named("a" * 1001), "a printable text of 1 to 1000 characters"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", REFUSED)
def test_what_no_ticket_carries_is_refused_before_the_first_step_and_the_model_is_as_it_was(case, monkeypatch):
    make, sentence = REFUSED[case]
    monkeypatch.setattr(import_module("slth.learning.find"), "train", None)  # would be a TypeError
    model = make()
    weights = [(name, p.detach().clone()) for name, p in model.named_parameters() if not hasattr(p, "materialize")]
    with pytest.raises(InputError) as caught:
        search(model, DATA, training=QUICK)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    now = dict(model.named_parameters())
    assert all(torch.equal(now[name], value) and now[name].requires_grad for name, value in weights)


def pruned(layer):
    prune.l1_unstructured(layer, "weight", 0.5)
    return layer


def with_pruned_bias(layer):
    prune.l1_unstructured(layer, "bias", 0.5)
    return layer


def parametrized(layer):
    parametrize.register_parametrization(layer, "weight", nn.Identity())
    return layer


CARRIED = {
    "plain": lambda: Beside(),
    "float16": lambda: Beside(torch.ones(3, dtype=torch.float16)),
    "one number": lambda: Beside(torch.tensor(3)),
    "nothing": lambda: Beside(torch.zeros(0, 3)),
    "a mask that is no state": lambda: Beside(torch.full((3,), -torch.inf), persistent=False),
    "odd letters": lambda: named("ünï/@ mask"),
    "weight norm": lambda: net(parametrizations.weight_norm(nn.Linear(20, 30))),
    "weight norm of old": lambda: net(utils.weight_norm(nn.Linear(20, 30))),
    "spectral norm": lambda: net(parametrizations.spectral_norm(nn.Linear(20, 30))),
    "spectral norm of old": lambda: net(utils.spectral_norm(nn.Linear(20, 30))),
    "orthogonal": lambda: net(parametrizations.orthogonal(nn.Linear(20, 30))),
    "pruned": lambda: net(pruned(nn.Linear(20, 30))),
    "pruned bias": lambda: net(with_pruned_bias(nn.Linear(20, 30))),
    "any parametrization": lambda: net(parametrized(nn.Linear(20, 30))),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CARRIED)
def test_the_ticket_of_a_search_goes_into_a_fresh_model_bit_for_bit(case, tmp_path):
    """Layers whose weights are computed from others keep what these are computed from."""
    model, fresh = CARRIED[case](), CARRIED[case]()
    found = search(model, DATA, training=QUICK)
    slth.save(found.ticket, tmp_path / "t.slth")
    assert slth.verify(tmp_path / "t.slth").holds
    slth.apply(slth.load(tmp_path / "t.slth"), fresh)
    x = torch.from_numpy(DATA[0][0])
    with torch.no_grad():
        assert torch.equal(fresh.eval()(x), model.eval()(x))


def frozen():
    model = net(between=nn.BatchNorm1d(30))
    model[1].running_mean.fill_(0.5)
    model[1].eval()
    model[1].weight.requires_grad_(False)
    return model


MODES = {
    "a frozen norm": frozen,
    "evaluation": lambda: net(between=nn.BatchNorm1d(30)).eval(),
    "training": lambda: net(between=nn.BatchNorm1d(30)),
}


@pytest.mark.parametrize("norms", ["plain", "carry", "train"])
@pytest.mark.parametrize("case", MODES)
def test_a_search_leaves_modes_and_the_statistics_of_a_frozen_norm_as_they_were(case, norms):
    model = MODES[case]()
    modes = [(name, module.training) for name, module in model.named_modules()]
    trains = [(name, parameter.requires_grad) for name, parameter in model.named_parameters()]
    mean, count = model[1].running_mean.clone(), model[1].num_batches_tracked.clone()
    found = slth.search(model, (DATA[0], DATA[0]), training={"epochs": 2, "batch": 20}, policy={"norms": norms})
    assert [(name, module.training) for name, module in model.named_modules()] == modes
    assert [(name, parameter.requires_grad) for name, parameter in model.named_parameters()] == trains
    moved = case == "training"
    assert torch.equal(model[1].running_mean, mean) != moved
    assert torch.equal(model[1].num_batches_tracked, count) != moved
    assert np.array_equal(found.ticket.carried["1.running_mean"], mean.numpy()) != moved


BAD_NAMES = ["a\x1bb", "a\0b", "a" * 1001, "a\udc80"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: ascii(name)[:8])
def test_names_that_no_ticket_holds_are_refused_before_solving(name, monkeypatch):
    from slth.api import _construct

    monkeypatch.setattr(_construct, "_construct", None)  # would be a TypeError
    weight = np.array([[0.5, -0.25]])
    inner = nn.Sequential()
    inner.add_module(name, nn.Conv1d(2, 2, 1))
    for target, shape in (({f"{name}.weight": weight}, None), (nn.Sequential(inner, nn.Tanh()), (2, 3))):
        with pytest.raises(InputError, match="expected a printable text of 1 to 1000 characters") as caught:
            slth.construct(target, input_shape=shape, input_range=(0, 1), tolerance=0.05)
        assert str(caught.value).isprintable()
