"""Tickets with copies: the page says what the file means, and a file that contradicts itself is refused."""

import numpy as np
import pytest
from helpers.copies import constructed, network, relu_chain
from helpers.version2_files import changed, parts, sealed
from references import version2

from slth.network import realised, source
from slth.ticket import TicketError, decode, encode, take_apart


@pytest.fixture(scope="module")
def ticket():
    return constructed(relu_chain((5, 6, 4, 3)))


@pytest.mark.parametrize("kind", ["dense", "residual", "leaky", "transposed"])
def test_a_reader_of_the_page_alone_finds_the_same(kind):
    """Of the closest subsets, whose masks are stored as bits."""
    ticket = constructed(network(kind), objective="closest", tolerance=0.1, lower=-1.0 if kind == "leaky" else 0.0)
    for path, found in version2.read(encode(ticket)).items():
        ours = ticket.realised(path)
        assert (found.positive == ours.positive).all()
        assert (found.negative == (0 if ours.negative is None else ours.negative)).all()
        assert (found.bias is None) == (ours.bias is None)
        assert ours.bias is None or (found.bias == ours.bias).all()
        assert found.widths == [ticket.gadgets[path].neurons]
        assert found.digest(ours.negative is not None) == ticket.digests[path]
        assert all(ticket.heads[name] == head for name, head in found.heads.items())


@pytest.mark.parametrize(
    ("where", "value", "why"),
    [
        (("gadgets", "layers/1", "copies"), 5, "a divisor of the"),
        (("gadgets", "layers/1", "copies"), 65, "64"),
        (("gadgets", "layers/1", "constants"), 0, "constants from 1"),
        (("gadgets", "layers/1", "neurons"), 1, "an integer from"),
        (("gadgets", "layers/1", "gain"), 3.0, "power of two"),
        (("gadgets", "layers/1", "threshold"), 0.25, "0.5"),
        (("gadgets", "layers/1", "signed"), [[0, 3]], "signed"),
        (("gadgets", "layers/1", "kind"), "copied", "update slth"),
        (("gadgets", "layers/1", "shape"), [4, 6, 1], "shape"),
        (("gadgets", "layers/1", "lift"), "relu", "lift"),
    ],
)
def test_files_that_contradict_themselves_are_refused(ticket, where, value, why):
    meta, entries, body = parts(encode(ticket))
    with pytest.raises(TicketError, match=why):
        decode(sealed(changed(meta, where, value), entries, body))


def test_a_weight_is_taken_apart_by_any_of_its_copies(ticket):
    copies = ticket.copies["layers/1"]
    first, third = (take_apart(ticket, "layers/1", output=3, input=2 * copies + k) for k in (0, 3))
    assert (
        first.name
        == third.name
        == f"map layers/1, output 3, inputs {2 * copies} to {3 * copies - 1}, the copies of a channel"
    )
    (half,) = first.halves
    assert half.realised == ticket.realised("layers/1").positive[3, 2 * copies : 3 * copies, 0].sum()
    assert len(half.kept) == copies
    (bias,) = take_apart(ticket, "layers/1", output=3, input=None).halves
    assert bias.realised == ticket.realised("layers/1").bias[3]


@pytest.mark.parametrize("kind", ["dense", "plain", "residual", "concat", "transposed"])
def test_the_pruned_network_computes_what_is_realised(kind):
    """In float32, of fewest: a few weights of each channel, so little is lost."""
    import torch

    target = network(kind)
    made = constructed(target, tolerance=0.05)
    x = torch.tensor(np.random.default_rng(0).random((20, *target.input_shape)), dtype=torch.float32)
    ours, theirs = source(made)(x), realised(made)(x)
    assert (ours - theirs).abs().max() < 1e-4 * theirs.abs().max()
