"""Large tickets are written, read and named where they lie: nothing of their size is copied."""

import hashlib
import tracemalloc

import numpy as np
import pytest
from helpers.gadgets import one_stage
from helpers.tickets import ASKED

from slth.certificate import Certificate, MapClaim
from slth.graph import Affine, chain, dense_chain
from slth.ticket import (
    Inputs,
    Provenance,
    Ticket,
    decode,
    encode,
    load,
    network_digest,
    save,
    target_digest,
)
from slth.ticket.assemble import gadget_tensors
from slth.ticket.buffers import buffer_of, hash_numbers, ones
from slth.ticket.format import rans
from slth.ticket.format.rans import compress, takes_more

MEGABYTE = 2**20


def peak_of(action):
    """What an action gives, and the most memory that it takes at once beside what was there."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = action()
        return found, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def large() -> Ticket:
    """20 MB of masks of density one half, which no coding makes an eighth smaller; nothing is solved or realised."""
    graph = dense_chain((2000, 4000, 2), (False, False))
    gadgets = {path: one_stage(20, 0, 20 * op.basis.inputs, (), 0.5, 1.0) for path, op in graph.maps.items()}
    rng = np.random.default_rng(0)
    sizes = {f"{path}/mixing": gadgets[path].cost(op).mask_bits for path, op in graph.maps.items()}
    masks = {path: rng.integers(0, 256, bits // 8, np.uint8) for path, bits in sizes.items()}
    tensors = gadget_tensors(graph, gadgets, masks)
    claim = MapClaim(0.5, 9.0, 9.0, 0, 9.0, None, None)
    return Ticket(
        seed=0,
        network=graph,
        gadgets=gadgets,
        inputs=Inputs((2000,), lower=(0.0,), upper=(1.0,)),
        tensors=tensors,
        masks=masks,
        heads={tensor.path: "0" * 64 for tensor in tensors},
        digests=dict.fromkeys(graph.maps, "0" * 64),
        claims=Certificate(dict.fromkeys(graph.maps, claim), None, None, None),
        provenance=Provenance(
            version="0.0.test",
            method="coin flips",
            asked=ASKED,
            target="0" * 64,
            names={path: (f"{path}.weight", None) for path in graph.maps},
        ),
    )


def test_a_ticket_is_written_and_read_without_copies(large, tmp_path):
    """Writing takes an eighth of the masks, to count ones, and reading the file itself. Before: five copies."""
    path, size = tmp_path / "t.slth", sum(mask.nbytes for mask in large.masks.values())
    assert size > 19 * MEGABYTE
    _, written = peak_of(lambda: save(large, path))
    found, read = peak_of(lambda: load(path))
    assert written < size / 4
    assert size <= read < 1.25 * size
    assert not any(mask.flags.owndata for mask in found.masks.values())
    assert (path.read_bytes() == encode(found), encode(found) == encode(large)) == (True, True)


def test_what_is_read_cannot_be_written_to(large):
    """Masks lie in the bytes of the file."""
    mask = decode(encode(large)).masks["layers/0/mixing"]
    assert not mask.flags.writeable


def test_the_digest_of_a_network_takes_no_memory_and_is_that_of_its_numbers():
    """-0.0 counts as 0.0, in whatever order the numbers are stored."""
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(700, 1500, 1))
    weight[3] = -0.0
    turned = Affine(np.asfortranarray(weight), rng.normal(size=700))
    plain = chain([Affine(weight, turned.bias)])
    digest, peak = peak_of(lambda: network_digest(plain, (1500,)))
    assert peak < 0.75 * MEGABYTE < weight.nbytes / 10
    assert target_digest({"a": turned}) == digest
    positive = np.where(weight == 0, 0.0, weight)
    assert hashlib.sha256(b"(700, 1500, 1) True" + positive.tobytes() + turned.bias.tobytes()).hexdigest() == digest


@pytest.mark.parametrize("shape", [(), (0,), (1,), (65536,), (65537,), (3, 0, 2), (5, 7)])
def test_numbers_are_hashed_in_order(shape):
    array = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    digest = hashlib.sha256()
    hash_numbers(digest, array)
    assert digest.hexdigest() == hashlib.sha256(array.astype("<f8").tobytes()).hexdigest()
    assert bytes(buffer_of(array)) == array.tobytes()


def test_ones_are_counted_wherever_bits_lie():
    """From every place of eight, in every length."""
    store = np.random.default_rng(2).integers(0, 256, 100, np.uint8)
    for start in range(9):
        for size in (0, 1, 7, 8, 9, 63, 90):
            bits = store[start : start + size]
            assert ones(bits) == int(np.unpackbits(bits).sum())
    assert ones(store[::3]) == int(np.unpackbits(store[::3]).sum())


def bits_with(kept: int, count: int, seed: int) -> np.ndarray:
    """So many bits in random order, packed."""
    bits = np.arange(count) < kept
    np.random.default_rng(seed).shuffle(bits)
    return np.packbits(bits, bitorder="little")


def words_of(bits: np.ndarray, count: int) -> int:
    """Words that the coder writes, however many."""
    return (len(compress(bits, count, most=10**6) or b"") - 10) // 4


COUNTS = (1, 31, 100, 1000, 4099, 100_003)
DENSITIES = (0.0, 1e-4, 0.01, 0.1, 0.29, 0.2945, 0.5, 0.7055, 0.9, 1.0)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("density", DENSITIES)
def test_no_stream_is_longer_than_it_is_said_to_be_at_least(count, density, monkeypatch):
    """W words are written: `takes_more` denies it of W and above, and says it from 3 + 2⁻¹⁹ count below W on.

    A word is 32 bits; up to 32 bits stay in the state, 32 are given away at the start, and 2⁻¹⁵ for each bit twice.
    """
    monkeypatch.setattr(rans, "takes_more", lambda *_, **__: False)
    kept = round(count * density)
    bits = bits_with(kept, count, seed=count)
    words, f = words_of(bits, count), rans._share(kept, count)
    assert not takes_more(kept, count, f, words=words)
    sure = words - 3 - count // 2**19
    assert sure < 0 or takes_more(kept, count, f, words=sure)


@pytest.mark.parametrize("count", [800, 10_000, 100_000])
def test_what_is_not_encoded_would_have_been_too_long(count, monkeypatch):
    """Every number of ones around the border at which coding saves an eighth: the same bytes, or none, as without."""
    most = -(-count // 8) * 7 // 8
    border = next(k for k in range(count // 2) if takes_more(k, count, rans._share(k, count), words=(most - 10) // 4))
    near = [*range(border - 60, border + 20), count // 2]
    masks = [bits_with(kept, count, seed=kept) for kept in near]
    found = [compress(mask, count, most=most) for mask in masks]
    monkeypatch.setattr(rans, "takes_more", lambda *_, **__: False)
    assert found == [compress(mask, count, most=most) for mask in masks]
    assert found[0] is not None
    assert found[-1] is None
