"""Layers of sets and pairs: equivariant whatever their coefficients; tickets of them."""

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth import InputError
from slth.graph import Permutation, partitions
from slth.graph.bases.permutation import small_matrices
from slth.layers import PermutationLinear, SetLinear, equivariance


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(1)


def sets():
    torch.manual_seed(0)
    layers = [SetLinear(2, 4), nn.ReLU(), SetLinear(4, 4), nn.ReLU(), Mean(), nn.Linear(4, 2)]
    return nn.Sequential(*layers).requires_grad_(False), (5, 2)


def pairs():
    torch.manual_seed(0)
    layers = [(2, 3, 2, 2), (3, 3, 2, 2), (3, 3, 2, 1), (3, 3, 1, 2), (3, 3, 2, 0)]
    parts = [p for i, o, r, w in layers for p in (PermutationLinear(i, o, reads=r, writes=w), nn.ReLU())]
    return nn.Sequential(*parts, nn.Linear(3, 2)).requires_grad_(False), (4, 4, 2)


def independent(reads, writes, members):
    """How many of the maps are linearly independent."""
    basis, count = Permutation(1, 1, reads, writes, members), members**reads
    x = np.eye(count).reshape(count, *(members,) * reads, 1)
    rows = [basis.apply(np.eye(basis.taps)[t].reshape(1, 1, -1), x).ravel() for t in range(basis.taps)]
    return np.linalg.matrix_rank(np.array(rows))


def test_of_order_2_there_are_15_maps_and_fewer_for_two_and_three_members():
    """Bell(4), and as many as the irreducible parts say: the sum of squares of their copies."""
    assert [independent(2, 2, n) for n in (1, 2, 3, 4, 5)] == [1, 8, 14, 15, 15]
    for n in range(1, 6):
        parts = small_matrices(2, 2, n)
        assert sum(part.shape[1] * part.shape[2] for part in parts) == independent(2, 2, n)
    assert [independent(1, 1, n) for n in (1, 2, 3)] == [1, 2, 2]
    assert independent(1, 2, 4) == independent(2, 1, 4) == 5


@pytest.mark.parametrize("members", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("orders", [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)])
def test_the_norm_is_that_of_the_matrix(orders, members):
    """Not above it by more than rounding: the parts are all of them, each once."""
    basis = Permutation(2, 3, *orders, members)
    rng, size = np.random.default_rng(members), members ** orders[0] * 2
    for _ in range(3):
        c = rng.normal(size=(3, 2, basis.taps))
        x = np.eye(size).reshape(size, *(members,) * orders[0], 2)
        true = np.linalg.norm(basis.apply(c, x).reshape(size, -1), 2)
        assert true * (1 - 1e-12) <= basis.norm(c) <= true * (1 + 1e-10)


def test_the_first_tap_takes_a_constant_to_itself():
    """So the constant of a lift, which is mixed at tap 0 alone, is a bias everywhere."""
    for reads, writes in ((1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)):
        basis = Permutation(1, 1, reads, writes, 3)
        c = np.eye(basis.taps)[0].reshape(1, 1, -1)
        assert (basis.apply(c, np.ones((1, *(3,) * reads, 1))) == 1).all()
        assert len(set(partitions(reads, writes))) == basis.taps


@pytest.mark.parametrize("make", [sets, pytest.param(pairs, marks=pytest.mark.slow)])
def test_tickets_commute_with_permutations_up_to_rounding(make, tmp_path):
    model, shape = make()
    ticket = slth.construct(model, input_shape=shape, input_range=(-1, 1), relative_tolerance=1e-2)
    path = tmp_path / "ticket.slth"
    slth.save(ticket, path)
    report = slth.verify(path, target=model)
    assert report.holds
    assert report.complete
    x = 2 * torch.rand(3, *shape, generator=torch.Generator().manual_seed(1)) - 1
    realised, source = slth.realised(slth.load(path)), slth.source(ticket)
    assert float((model(x) - realised(x)).abs().max()) < ticket.claims.sup_error
    assert torch.allclose(source(x), realised(x), atol=1e-5)
    found = equivariance(realised, x, group="S")
    assert found.whole
    assert found.largest < 1e-6 * found.size
    inner = nn.Sequential(*list(model)[:3])
    assert inner(x).shape[1 : len(shape)] == shape[:-1]
    assert equivariance(inner.double(), x.double(), group="S").largest < 1e-14


def test_a_sum_with_weights_by_position_is_noticed():
    x = torch.rand(2, 4, 3)
    assert equivariance(lambda x: x[:, 0], x, group="S").largest > 1e-3
    assert equivariance(lambda x: x.flip(1) + x, torch.rand(2, 7, 3), group="S").largest > 1e-3


def test_training_goes_through_the_layer():
    layer = PermutationLinear(1, 2, reads=2, writes=2).double()
    assert torch.autograd.gradcheck(layer, (torch.rand(1, 2, 2, 1, dtype=torch.float64, requires_grad=True),))


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda: PermutationLinear(1, 2, reads=3, writes=1), None, "order 1 or 2 to order 0, 1 or 2; got 3 to 1"),
        (lambda: SetLinear(0, 2), None, "at least one channel"),
        (lambda: SetLinear(2, 3), (3,), "expected values"),
        (lambda: SetLinear(2, 3), (4, 3), "was given values of shape"),
        (lambda: PermutationLinear(2, 3, reads=2, writes=2), (4, 3, 2), "was given values of shape"),
        (lambda: PermutationLinear(1, 1, reads=1, writes=2), (2000, 1), "at most 1,024 members"),
    ],
)
def test_wrong_sizes_are_refused_in_one_sentence(make, shape, words):
    with pytest.raises(InputError, match=words) as caught:
        make()(torch.zeros(2, *shape))
    assert "\n" not in str(caught.value)
