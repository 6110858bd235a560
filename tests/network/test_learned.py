"""A learned ticket in a model: every number bit for bit, or one sentence and nothing changed."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.learned import mlp_ticket, ticket_with
from torch import nn

from slth import InputError
from slth.network import apply_to, module_of, source_of, state_of
from slth.ticket import Builtin, RandomTensor, decode, encode, save


class Small(nn.Module):
    """A convolution, its norm with statistics, and two layers that share their weights."""

    def __init__(self, tied=True):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.left, self.right = nn.Linear(4, 4), nn.Linear(4, 4)
        if tied:
            self.right.weight = self.left.weight

    def forward(self, x):
        return self.right(torch.relu(self.left(torch.relu(self.norm(self.first(x))).mean((2, 3)))))


def small_ticket(**options):
    """A ticket of `Small`: everything that is not masked is carried."""
    torch.manual_seed(0)
    model = Small()
    model(torch.randn(8, 2, 5, 5))  # moves the statistics
    tensors = [
        RandomTensor("first.weight", (4, 2, 3, 3), "normal", 0.25, 30, moved=True),
        RandomTensor("left.weight", (4, 4), "uniform", 0.5, 9, gain=2.0, aliases=("right.weight",)),
    ]
    masked = ("first.weight", "left.weight", "right.weight")
    carried = {name: value.numpy() for name, value in model.state_dict().items() if name not in masked}
    return ticket_with(tensors, carried=carried, **options)


def test_a_fresh_model_computes_the_same_bit_for_bit():
    """Through the file; two models that were nothing alike before."""
    ticket = decode(encode(small_ticket()))
    x = torch.randn(16, 2, 5, 5)
    outputs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = Small().eval()
        assert apply_to(ticket, model) is model
        outputs.append(model(x))
        for name, value in state_of(ticket).items():
            assert model.state_dict()[name].numpy().tobytes() == value.tobytes()
    assert torch.equal(*outputs)
    assert outputs[0].abs().max() > 0
    by_hand = Small().eval()
    by_hand.load_state_dict({name: torch.from_numpy(np.array(v)) for name, v in state_of(ticket).items()})
    assert torch.equal(by_hand(x), outputs[0])


def test_tied_parameters_stay_tied_and_untied_ones_take_two_copies():
    ticket = small_ticket()
    tied, untied = apply_to(ticket, Small()), apply_to(ticket, Small(tied=False))
    assert tied.left.weight is tied.right.weight
    assert torch.equal(untied.left.weight, untied.right.weight)
    x = torch.randn(3, 2, 5, 5)
    assert torch.equal(tied.eval()(x), untied.eval()(x))


def test_a_carried_parameter_that_is_tied_stands_once():
    model = nn.ModuleDict({"a": nn.Linear(2, 2), "embed": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    tensors = [RandomTensor("a.weight", (2, 2), "sign", 0.5, 2)]
    ticket = ticket_with(tensors, carried={"a.bias": np.ones(2, np.float32), "embed.weight": np.eye(5, 3, dtype="f4")})
    apply_to(ticket, model)
    assert torch.equal(model["head"].weight, torch.eye(5, 3))


def test_what_does_not_fit_is_named_and_nothing_is_changed():
    ticket = small_ticket()

    def other(change):
        model = Small()
        change(model)
        return model

    def widen(model):
        model.left = nn.Linear(4, 5)

    masked = other(lambda m: torch.nn.utils.parametrize.register_parametrization(m.first, "weight", nn.Identity()))
    cases = {
        r"left\.weight has shape \(5, 4\) in the model and \(4, 4\) in the ticket": other(widen),
        r"first\.weight is torch\.float64 in the model.*float\(\)": Small().double(),
        r"extra\.weight is part of the model, but not of the ticket": other(
            lambda m: m.add_module("extra", nn.Linear(1, 1))
        ),
        r"norm\.bias is part of the ticket, but not of the model": other(
            lambda m: m.add_module("norm", nn.BatchNorm2d(4, affine=False))
        ),
        r"norm\.num_batches_tracked is torch\.int32 in the model and torch\.int64": other(
            lambda m: setattr(m.norm, "num_batches_tracked", torch.tensor(0, dtype=torch.int32))
        ),
        r"right\.bias and left\.bias are one tied parameter": other(lambda m: setattr(m.right, "bias", m.left.bias)),
        r"first\.weight is parametrized in the model": masked,
        r"left\.weight does not know its shape yet": other(lambda m: setattr(m, "left", nn.LazyLinear(4))),
        r"first\.weight holds no numbers": other(lambda m: m.to("meta")),
    }
    for reason, model in cases.items():
        entries = [v for v in model.state_dict().values() if isinstance(v, torch.Tensor) and not v.is_meta]
        sizes = [v for v in entries if not isinstance(v, nn.parameter.UninitializedTensorMixin)]
        before = [v.clone() for v in sizes]
        with pytest.raises(InputError, match=reason):
            apply_to(ticket, model)
        assert all(torch.equal(a, b) for a, b in zip(before, sizes, strict=True))


def test_a_builtin_network_is_rebuilt_by_name():
    ticket = decode(encode(mlp_ticket()))
    model = module_of(ticket)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    x = torch.randn(5, 1, 8, 8)
    hidden = torch.relu(nn.functional.linear(x.flatten(1), *map(torch.from_numpy, _layer(ticket, "1"))))
    assert torch.equal(model(x), nn.functional.linear(hidden, *map(torch.from_numpy, _layer(ticket, "3"))))


def _layer(ticket, name):
    return ticket.effective(f"{name}.weight"), np.array(ticket.carried[f"{name}.bias"])


def test_a_bound_ticket_says_what_to_do():
    with pytest.raises(InputError, match=r"slth\.apply\(ticket, model\)"):
        module_of(small_ticket())


def test_a_network_that_is_not_the_tickets_own_is_refused_before_it_is_built():
    """Its sizes are a stranger's: petabytes on paper cost nothing."""
    for arguments, reason in (
        ({"inputs": [1, 8, 8], "classes": 10, "hidden": [13]}, "shape"),
        ({"inputs": [2**30], "classes": 2**30, "hidden": [2**30]}, "shape|cannot be built"),
        ({"inputs": [1, 8, 8], "classes": 10, "colour": 1}, "no argument"),
    ):
        ticket = mlp_ticket()
        object.__setattr__(ticket, "network", Builtin("mlp", arguments))
        with pytest.raises(InputError, match=reason):
            module_of(ticket)


def test_the_source_is_the_same_network_unpruned():
    ticket = small_ticket()
    state, source = state_of(ticket), source_of(ticket)
    assert state.keys() == source.keys()
    keep = state["left.weight"] != 0
    assert np.array_equal(state["left.weight"][keep], 2 * source["left.weight"][keep])
    assert (source["left.weight"] != 0).all()
    assert source["norm.running_mean"] is state["norm.running_mean"]


def test_reading_and_checking_need_no_torch(tmp_path):
    path = save(small_ticket(), tmp_path / "t.slth")
    code = f"import sys, slth; assert slth.verify({str(path)!r}).holds; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
