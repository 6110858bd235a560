"""Realised coefficients are sums of kept products: checked with rational numbers, entry by entry."""

import hashlib
from fractions import Fraction

import numpy as np
from helpers.tickets import any_ticket

from slth.numerics import Stream, uniform
from slth.ticket import pack, realised_digest, take_apart, unpack


def rational(ticket, index):
    """P, N and b of FORMAT.md, from materialised tensors, as fractions."""
    layer, lift = ticket.layers[index], ticket.lift(index)
    spec = layer.lift
    mixing = uniform(Stream(ticket.seed, f"{layer.path}/mixing"), (layer.neurons, layer.outputs, layer.taps))
    mask = unpack(layer, ticket.masks[index])
    slots = [("P", j) for j in range(spec.inputs)] + [("N", int(j)) for j in spec.signed_inputs] + [("b", 0)]
    sums = {}
    for rank, (h, s, u) in enumerate(zip(lift.neuron, lift.slot, lift.value, strict=True)):
        kind, j = slots[s]
        gain = layer.bias_gain if kind == "b" else layer.gain
        for o in range(layer.outputs):
            term = Fraction(gain) * Fraction(float(mixing[h, o, 0])) * Fraction(float(u)) * int(mask[o, rank])
            sums[kind, o, j] = sums.get((kind, o, j), Fraction(0)) + term
    return sums


def test_realised_coefficients_equal_the_rational_sums_exactly():
    ticket, _ = any_ticket(lower=-1.0)
    for index in range(2):
        part = ticket.realised(index)
        for (kind, o, j), value in rational(ticket, index).items():
            got = {"P": part.positive, "N": part.negative, "b": part.bias}[kind]
            assert Fraction(float(got[o] if kind == "b" else got[o, j, 0])) == value


def test_partially_signed_inputs_have_a_negative_half_only_there():
    ticket, _ = any_ticket(lower=0.0)
    assert ticket.realised(0).negative is None
    signed, _ = any_ticket(lower=-1.0)
    assert signed.realised(0).negative.shape == (4, 3, 1)
    assert signed.realised(1).negative is None


def test_the_digest_is_of_float64_in_the_written_order():
    ticket, _ = any_ticket()
    part = ticket.realised(0)
    data = b"".join(np.asarray(a, "<f8").tobytes() for a in (part.positive, part.negative, part.bias))
    assert hashlib.sha256(data).hexdigest() == realised_digest(part) == ticket.digests[0]


def test_pack_puts_bit_i_into_bit_i_mod_8_of_byte_i_div_8():
    ticket, _ = any_ticket()
    layer = ticket.layers[0]
    mask = np.zeros((layer.outputs, layer.lift.live), np.bool_)
    mask.reshape(-1)[[0, 9, layer.mask_bits - 1]] = True
    bits = pack(mask)
    assert bits[0] == 1
    assert bits[1] == 2
    assert bits[-1] == 1 << ((layer.mask_bits - 1) % 8)
    assert (unpack(layer, bits) == mask).all()


def test_a_weight_taken_apart_adds_up_to_the_realised_coefficient():
    ticket, _ = any_ticket()
    for index, layer in enumerate(ticket.layers):
        part = ticket.realised(index)
        for o in range(layer.outputs):
            for j in range(layer.lift.inputs):
                anatomy = take_apart(ticket, index, o, j)
                assert anatomy.halves[0].realised == part.positive[o, j, 0]
                if index == 0:
                    assert anatomy.halves[1].realised == -part.negative[o, j, 0]
            assert take_apart(ticket, index, o, None).halves[0].realised == part.bias[o]
