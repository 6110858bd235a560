"""Masks in the file of a constructed ticket: plain, coded where that saves an eighth, deflated by early versions."""

import json
import zlib

import numpy as np
import pytest
from attacks.sealing import honest, parts, sealed
from helpers.tickets import any_ticket

from slth.ticket import TicketError, decode, encode, pack


def bits_of(ticket):
    """Mask bits by tensor."""
    return {f"{path}/mixing": ticket.gadgets[path].cost(op).mask_bits for path, op in ticket.maps.items()}


def test_padding_bits_must_be_zero():
    meta, masks = parts(honest())
    bits = bits_of(any_ticket()[0])["layers/1/mixing"]
    assert bits % 8
    last = bytes([masks[1][-1] | 1 << (bits % 8)])
    with pytest.raises(TicketError, match="padding"):
        decode(sealed(meta, [masks[0], masks[1][:-1] + last]))


@pytest.mark.parametrize("density", [0.0, 0.02, 0.2, 0.4, 0.6, 0.9, 1.0])
def test_masks_are_coded_where_that_saves_an_eighth(density):
    ticket, _ = any_ticket((40, 30, 2), density=density)
    data = encode(ticket)
    meta, stored = parts(data)
    kinds = [layer["mask"]["encoding"] for layer in meta["layers"]]
    assert kinds[0] == ("bits" if 0.3 < density < 0.7 else "rans")
    for kind, mask, bits in zip(kinds, stored, bits_of(ticket).values(), strict=True):
        assert (kind == "rans") == (8 * len(mask) <= 7 * -(-bits // 8))
    read = decode(data)
    assert all((read.masks[path] == mask).all() for path, mask in ticket.masks.items())
    assert encode(decode(data)) == data


def deflated(data, level):
    """The same ticket with deflated masks, as early versions wrote sparse ones."""
    meta, masks = parts(data)[0], [zlib.compress(mask.tobytes(), level) for mask in decode(data).masks.values()]
    for layer, mask in zip(meta["layers"], masks, strict=True):
        layer["mask"] = {"encoding": "deflate", "bytes": len(mask)}
    return sealed(meta, masks)


def test_a_deflated_mask_is_read_however_it_was_deflated_and_written_in_one_way():
    data = encode(any_ticket((40, 30, 2), density=0.02)[0])
    files = {deflated(data, level) for level in range(10)}
    assert len(files) > 2
    assert {encode(decode(file)) for file in files} == {data}


def test_a_deflated_mask_must_inflate_to_exactly_its_bits():
    ticket, _ = any_ticket((40, 30, 2), density=0.02)
    data = deflated(encode(ticket), 6)
    meta, stored = parts(data)
    plain = [zlib.decompress(mask) for mask in stored]
    for bad in (zlib.compress(plain[0][:-1]), zlib.compress(plain[0] + b"\0"), zlib.compress(plain[0]) + b"\0", b"zz"):
        layers = json.loads(json.dumps(meta["layers"]))
        layers[0]["mask"]["bytes"] = len(bad)
        with pytest.raises(TicketError):
            decode(sealed({**meta, "layers": layers}, [bad, stored[1]]))


def test_a_mask_bomb_is_refused_before_it_inflates():
    ticket, _ = any_ticket((3, 4, 2))
    meta, masks = parts(encode(ticket))
    widths = [3, 4, 2**27]
    meta["network"]["arguments"]["widths"] = widths
    stored = zlib.compress(bytes(1000))
    meta["layers"][1]["mask"] = {"encoding": "deflate", "bytes": len(stored)}
    meta["tensors"][-1]["shape"] = [ticket.gadgets["layers/1"].neurons, widths[2], 1]
    with pytest.raises(TicketError, match="inflate"):
        decode(sealed(meta, [masks[0], stored]))


def test_pack_is_little_endian():
    assert pack(np.array([[True, False, False, False, False, False, False, False, True]])).tolist() == [1, 1]
