"""Format version 1 can be read for ever."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import references.learned
import references.rans
from golden.make import golden_target, learned, sparse_target

from slth.evidence import verify
from slth.ticket import Miss, encode, load

GOLDEN = Path(__file__).parent / "v1.slth"
SPARSE = Path(__file__).parent / "v1-sparse.slth"
LEARNED = Path(__file__).parent / "v1-learned.slth"
LEARNED_DIGEST = "c7e80d95e589b3889c669a3d46b9be569c8cfbb87d7179df7c6aebf466cdd332"
DIGESTS = {
    GOLDEN: "a8b5bdba8f26ec0c1a210e99782eb67796359d61143285b34d17b4b9bc43ccd7",
    SPARSE: "caa7cdc5e839b7662cfe06195bb80ff0d70b9c506e6df4d4cfa675daf77d231b",
}
TARGETS = {GOLDEN: golden_target, SPARSE: sparse_target}
POSITIVE = [0.7235849812006165, 0.6445649043274955, -0.9382830527369492]
NEGATIVE = [-0.7249176652429696, 0.0, 0.9330662672725794]
BIAS = [-0.8777349359662594, -0.8044815448983513]


@pytest.mark.parametrize("path", DIGESTS, ids=lambda path: path.name)
def test_a_golden_ticket_is_small_and_unchanged(path):
    data = path.read_bytes()
    assert len(data) < 4096
    assert hashlib.sha256(data).hexdigest() == DIGESTS[path]


@pytest.mark.parametrize("path", DIGESTS, ids=lambda path: path.name)
def test_it_loads_verifies_and_is_written_back_the_same(path):
    ticket = load(path)
    assert encode(ticket) == path.read_bytes()
    assert verify(path).holds
    assert verify(path, target=TARGETS[path]()).holds


def test_it_computes_what_it_always_computed():
    """Realised coefficients, entry by entry, as they were when the format was fixed."""
    ticket = load(GOLDEN)
    first, last = ticket.realised("layers/0"), ticket.realised("layers/1")
    assert first.positive[0, :, 0].tolist() == POSITIVE
    assert first.negative[0, :, 0].tolist() == NEGATIVE
    assert last.bias.tolist() == BIAS
    for layer, part in zip(golden_target().coefficients.values(), (first, last), strict=True):
        assert np.abs(part.positive - layer.weight).max() <= 0.01


def test_the_sparse_one_has_what_the_other_has_not():
    """A coded mask, which the specification's own reader reads alike; no bias, no range, a long seed, a miss."""
    data, ticket = SPARSE.read_bytes(), load(SPARSE)
    start = 8 + int.from_bytes(data[:8], "little")
    assert data.count(b'\\"encoding\\":\\"rans\\"') == 1
    bits = ticket.map_mask("layers/0").reshape(-1).astype(int).tolist()
    assert data[start : start + 78] == references.rans.written(bits)
    assert references.rans.read(data[start : start + 78], 1248) == bits
    assert ticket.seed == 10**30 + 2
    assert ticket.inputs.lower is ticket.claims.sup_error is None
    assert ticket.provenance.asked["failure_probability"] == 0.9
    assert ticket.provenance.misses == (Miss("layers/1", 0, -1, "bias", 0.011072083264181742),)
    first, last = ticket.realised("layers/0"), ticket.realised("layers/1")
    assert first.bias is last.negative is None
    assert first.positive[1, :, 0].tolist() == [0.9748759536339264, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert first.negative[1, :, 0].tolist() == [-0.9734431188806809, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert last.bias.tolist() == [-0.51903636857908, -0.6403503615686645]


def test_the_learned_one_is_small_and_unchanged_and_made_again_the_same():
    data = LEARNED.read_bytes()
    assert len(data) < 2048
    assert hashlib.sha256(data).hexdigest() == LEARNED_DIGEST
    assert encode(load(LEARNED)) == data == encode(learned())
    assert verify(LEARNED).holds


def test_the_learned_one_has_the_weights_it_always_had():
    """Entry by entry; and the specification's own reader reads them alike."""
    ticket = load(LEARNED)
    _, state, heads, digests = references.learned.read(LEARNED.read_bytes())
    assert (heads, digests) == ([*ticket.heads.values()], [*ticket.digests.values()])
    first, last = ticket.effective("1.weight"), ticket.effective("3.weight")
    assert first[first != 0].tolist() == [0.375, 0.375, 0.375, -0.375]
    assert np.flatnonzero(first).tolist() == [0, 7, 81, 149]
    assert last.tolist() == [[0.0, -0.2638840675354004, -0.3412957787513733], [0.0, 0.0, 0.3050934672355652]]
    for name, values in (("1.weight", first), ("3.weight", last), *ticket.carried.items()):
        assert state[name].tobytes() == values.tobytes()


def test_the_learned_one_is_still_a_network():
    """Its architecture is rebuilt by name: the names of parameters never change."""
    from slth.network import module_of, state_of

    ticket = load(LEARNED)
    state = module_of(ticket).state_dict()
    assert {name: value.numpy().tobytes() for name, value in state.items()} == {
        name: value.tobytes() for name, value in state_of(ticket).items()
    }
