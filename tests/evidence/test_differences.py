"""A network that is nearly the ticket's: what `verify` says of it, and that two ways to say a bias of zeros are one."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from references.zoo import trained
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import slth
from slth.graph import Affine
from slth.network import read_target
from slth.records import Verdict

SHAPE = (2, 5, 5)
DIFFERS = "not the network the ticket was made for: its digest differs"


def network(*, shifts=True):
    """Two convolutions with a normalisation behind each, and a layer."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 3, 2),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(12, 2),
    )
    trained(model)
    if not shifts:
        for norm in (model[1], model[4]):
            norm.running_mean.zero_()
            nn.init.zeros_(norm.bias)
    return model


def exported(model):
    """What an exporter makes of it: each convolution takes its normalisation, in float32."""
    parts = [fuse_conv_bn_eval(model[0], model[1]), nn.ReLU(), fuse_conv_bn_eval(model[3], model[4])]
    return nn.Sequential(*parts, *model[5:])


@pytest.fixture(scope="module")
def ticket():
    return slth.construct(network(), input_shape=SHAPE, input_range=(0, 1), tolerance=0.02)


def details(ticket, model):
    """What is said of the target, and whether anything is said of claims."""
    target = model if isinstance(model, slth.graph.Target) else read_target(model, input_shape=SHAPE)
    checks = slth.verify(ticket, target=target).checks
    said = {check.name: check for check in checks}
    assert said["coefficients"].verdict is Verdict.HOLDS
    assert "claims" in said  # recomputed all the same
    return said["target"].detail


def largest_difference(model, other):
    """max |W' − W| over the largest coefficient of the map, the largest over the maps."""
    old, new = (read_target(net, input_shape=SHAPE).coefficients.values() for net in (model, other))
    sizes = []
    for a, b in zip(old, new, strict=True):
        parts = [(a.weight, b.weight), (np.zeros(len(b.bias)) if a.bias is None else a.bias, b.bias)]
        sizes.append(max(abs(x - y).max() for x, y in parts) / max(abs(y).max() for _, y in parts))
    return max(sizes)


def test_the_network_itself_is_recognised(ticket):
    assert details(ticket, network()) == "it is the network the ticket was made for, bit for bit"


def test_a_normalisation_that_an_exporter_folded_is_named(ticket):
    """The two maps of convolutions differ by rounding to float32, the layer does not differ."""
    detail = details(ticket, exported(network()))
    assert detail.startswith(
        f"{DIFFERS}; the errors of 2 of 3 maps differ from those that the ticket states by at most"
    )
    assert "as rounding to float32 does where an exporter has folded 1 into 0, 4 into 3: make" in detail
    assert detail.endswith("make a ticket of this file")
    size = float(detail.split(" by at most ")[1].split()[0])
    assert 0 < size <= 1.1 * largest_difference(network(), exported(network())) < 2**-20


def test_the_other_way_round_it_is_named_too():
    """The ticket was made of the exporter's file, the module has its normalisations."""
    of_file = slth.construct(exported(network()), input_shape=SHAPE, input_range=(0, 1), tolerance=0.02)
    detail = details(of_file, network())
    assert "as rounding to float32 does where an exporter has folded 1 into " in detail
    assert detail.endswith("give the file that the ticket was made of")
    other = network()
    with torch.no_grad():
        other[1].weight *= 1.0001
    assert "exporter" not in details(of_file, other)


def test_what_is_said_to_differ_differs_at_least_so_much(ticket):
    """|e' − e| ≤ max |W' − W|, and other numbers than rounding are not called rounding."""
    other = copy.deepcopy(network())
    with torch.no_grad():
        other[7].weight[0, 0] += 3.0
    detail = details(ticket, other)
    assert detail.startswith(f"{DIFFERS}; the errors of 1 of 3 maps are not those that the ticket states, most of all")
    assert " those of 7, by " in detail
    size = float(detail.split(" by ")[-1].split()[0])
    assert 0.5 < size <= 1.1 * largest_difference(network(), other)


@pytest.mark.parametrize("what", ["no record", "float64", "more than rounding", "another map as well"])
def test_an_exporter_is_suspected_only_where_everything_fits(ticket, what):
    model = exported(network())
    if what == "no record":
        ticket = replace(ticket, provenance=replace(ticket.provenance, folded={"0": ("1",)}))
    elif what == "float64":
        model = model.double()
        with torch.no_grad():
            model[0].weight *= 1 + 2e-8
    else:
        with torch.no_grad():
            (model[0] if what == "more than rounding" else model[5]).weight *= 1.0001
    detail = details(ticket, model)
    assert detail.startswith(f"{DIFFERS}; the errors of ")
    assert "exporter" not in detail
    assert "most of all those of" in detail


def test_a_difference_that_the_errors_do_not_show_is_a_difference(ticket):
    """The coefficient that is off the least may be off a little more."""
    target = read_target(network(), input_shape=SHAPE)
    path = "7"
    error = abs(ticket.realised(path).positive - target.coefficients[path].weight)
    weight = target.coefficients[path].weight.copy()
    weight[np.unravel_index(error.argmin(), error.shape)] += 1e-9
    moved = {**target.coefficients, path: Affine(weight, target.coefficients[path].bias)}
    assert details(ticket, replace(target, coefficients=moved)) == DIFFERS


@pytest.mark.parametrize("made_of", ["module", "file"])
def test_a_bias_of_zeros_and_none_are_one_network(made_of):
    """Shifts of 0 fold to no bias; an exporter writes one of zeros. Both ways, claims are recomputed."""
    pair = {"module": network(shifts=False), "file": exported(network(shifts=False))}
    biases = {name: read_target(net, input_shape=SHAPE).graph.maps["0"].bias for name, net in pair.items()}
    assert biases == {"module": False, "file": True}
    ticket = slth.construct(pair.pop(made_of), input_shape=SHAPE, input_range=(0, 1), tolerance=0.02)
    (other,) = pair.values()
    assert details(ticket, other).startswith(f"{DIFFERS}; the errors of ")


def test_zeros_are_all_that_is_overlooked():
    """With equal weights it is the network, bit for bit; with another number in the bias it is another graph."""
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2))
    plain = read_target(model)
    ticket = slth.construct(plain, input_range=(0, 1), tolerance=0.02)
    biased = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    biased.load_state_dict({**model.state_dict(), "0.bias": torch.zeros(4)})
    checks = slth.verify(ticket, target=read_target(biased)).checks
    assert {check.verdict for check in checks} == {Verdict.HOLDS, Verdict.SAYS}
    with torch.no_grad():
        biased[0].bias[3] = 1e-30
    (check,) = [check for check in slth.verify(ticket, target=read_target(biased)).checks if check.name == "target"]
    assert "map 0 of 2 differs: the target's is 3 -> 4 with a bias, the ticket's 3 -> 4 without bias" in check.detail
    ticket = slth.construct(biased, input_range=(0, 1), tolerance=0.02)
    (check,) = [check for check in slth.verify(ticket, target=plain).checks if check.name == "target"]
    assert "map 0 of 2 differs: the target's is 3 -> 4 without bias" in check.detail
