"""Gadgets without stages, read by a reader written from FORMAT.md alone; what does not fit is refused by name."""

import pytest
import torch
from helpers.version2_files import parts, sealed
from references import version2_gadgets
from torch import nn

import slth
from slth.ticket import TicketError, decode, encode

KINDS = ("single", "single-plain", "plain", "counts", "doubling")


@pytest.fixture(scope="module")
def made():
    """A ticket of each kind: grouped convolutions before a dense map, or dense maps alone; inputs of both signs."""
    torch.manual_seed(0)
    convolutions = nn.Sequential(nn.Conv1d(2, 4, 2, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2, bias=False))
    dense = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    found = {}
    for kind in KINDS:
        module, shape = (dense, (2,)) if kind == "doubling" else (convolutions, (2, 3))
        options = {"candidates": 3} if kind == "doubling" else {}
        found[kind] = slth.construct(
            module, input_shape=shape, input_range=((-1, 0), (1, 1)), gadget=kind, tolerance=0.2, seed=3, **options
        )
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_gives_the_same_coefficients_and_widths(kind, made):
    ticket = made[kind]
    for path, found in version2_gadgets.read(encode(ticket)).items():
        ours, gadget = ticket.realised(path), ticket.gadgets[path]
        assert (found.positive == ours.positive).all()
        assert (found.negative == (0 if ours.negative is None else ours.negative)).all()
        assert (found.bias is None) == (ours.bias is None)
        assert ours.bias is None or (found.bias == ours.bias).all()
        assert found.digest(ours.negative is not None) == ticket.digests[path]
        stated = list(gadget.widths) if kind == "doubling" else [gadget.neurons]
        assert found.widths in ([], stated)
        assert bool(found.widths) == (kind not in ("plain", "single-plain"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_written_the_same_again(kind, made):
    data = encode(made[kind])
    assert encode(decode(data)) == data


WRONG = {
    "single": [("candidates", 0), ("candidates", 2**16 + 1), ("neurons", 3), ("gain", 0.75), ("signed", [[0, 3]])],
    "single-plain": [("candidates", 2**16 + 1), ("gain", 0.75)],
    "plain": [("candidates", 65), ("constants", 0)],
    "counts": [("gain", 0.1), ("gain", -1.0), ("constants", 0)],
    "doubling": [
        ("copies", 1),
        ("copies", 65),
        ("widths", []),
        ("widths", [1, 2, 3]),
        ("widths", [2**31, 2**31]),
        ("gain", 3.0),
    ],
}


@pytest.mark.parametrize(("kind", "key", "value"), [(k, *change) for k in WRONG for change in WRONG[k]])
def test_what_no_gadget_says_is_refused_by_name(kind, key, value, made):
    meta, entries, body = parts(encode(made[kind]))
    path = next(iter(meta["gadgets"]))
    meta["gadgets"][path][key] = value
    with pytest.raises(TicketError, match=rf"gadgets\.{path}"):
        decode(sealed(meta, entries, body))


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_gadget_is_refused(kind, made):
    meta, entries, body = parts(encode(made[kind]))
    path = next(iter(meta["gadgets"]))
    meta["gadgets"][path]["kind"] = "tripling"
    with pytest.raises(TicketError, match="tripling"):
        decode(sealed(meta, entries, body))
