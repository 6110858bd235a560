"""Realised coefficients are sums of kept products: checked with rational numbers, entry by entry."""

import hashlib
from fractions import Fraction

import numpy as np
from helpers.tickets import any_ticket

from slth.numerics import Stream, uniform
from slth.ticket import pack, realised_digest, take_apart


def rational(ticket, path):
    """P, N and b of FORMAT.md, from materialised tensors, as fractions."""
    gadget, op = ticket.gadgets[path], ticket.maps[path]
    lift, outputs = gadget.lift(path, op, ticket.seed), op.basis.outputs
    mixing = uniform(Stream(ticket.seed, f"{path}/mixing"), (gadget.neurons, outputs, op.basis.taps))
    mask = ticket.map_mask(path)
    slots = [("P", j) for j in range(op.basis.inputs)] + [("N", int(j)) for j in lift.spec.signed_inputs] + [("b", 0)]
    sums = {}
    for rank, (h, s, u) in enumerate(zip(lift.neuron, lift.slot, lift.value, strict=True)):
        kind, j = slots[s]
        gain = gadget.bias_gain if kind == "b" else gadget.gain
        for o in range(outputs):
            term = Fraction(gain) * Fraction(float(mixing[h, o, 0])) * Fraction(float(u)) * int(mask[o, rank])
            sums[kind, o, j] = sums.get((kind, o, j), Fraction(0)) + term
    return sums


def test_realised_coefficients_equal_the_rational_sums_exactly():
    ticket, _ = any_ticket(lower=-1.0)
    for path in ticket.maps:
        part = ticket.realised(path)
        for (kind, o, j), value in rational(ticket, path).items():
            got = {"P": part.positive, "N": part.negative, "b": part.bias}[kind]
            assert Fraction(float(got[o] if kind == "b" else got[o, j, 0])) == value


def test_partially_signed_inputs_have_a_negative_half_only_there():
    ticket, _ = any_ticket(lower=0.0)
    assert ticket.realised("layers/0").negative is None
    signed, _ = any_ticket(lower=-1.0)
    assert signed.realised("layers/0").negative.shape == (4, 3, 1)
    assert signed.realised("layers/1").negative is None


def test_the_digest_is_of_float64_in_the_written_order():
    ticket, _ = any_ticket()
    part = ticket.realised("layers/0")
    data = b"".join(np.asarray(a, "<f8").tobytes() for a in (part.positive, part.negative, part.bias))
    assert hashlib.sha256(data).hexdigest() == realised_digest(part) == ticket.digests["layers/0"]


def test_pack_puts_bit_i_into_bit_i_mod_8_of_byte_i_div_8():
    ticket, _ = any_ticket()
    gadget, op = ticket.gadgets["layers/0"], ticket.maps["layers/0"]
    mask = np.zeros((op.basis.outputs, gadget.lift_spec(op).live), np.bool_)
    mask_bits = gadget.cost(op).mask_bits
    mask.reshape(-1)[[0, 9, mask_bits - 1]] = True
    bits = pack(mask)
    assert bits[0] == 1
    assert bits[1] == 2
    assert bits[-1] == 1 << ((mask_bits - 1) % 8)
    assert (gadget.mask("layers/0", op, seed=ticket.seed, bits=bits) == mask).all()


def test_a_weight_taken_apart_adds_up_to_the_realised_coefficient():
    ticket, _ = any_ticket()
    for path, op in ticket.maps.items():
        part = ticket.realised(path)
        for o in range(op.basis.outputs):
            for j in range(op.basis.inputs):
                anatomy = take_apart(ticket, path, output=o, input=j)
                assert anatomy.halves[0].realised == part.positive[o, j, 0]
                if path == "layers/0":
                    assert anatomy.halves[1].realised == -part.negative[o, j, 0]
            assert take_apart(ticket, path, output=o, input=None).halves[0].realised == part.bias[o]
