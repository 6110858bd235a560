"""Format version 1 can be read for ever."""

import hashlib
from pathlib import Path

import numpy as np
from golden.make import golden_target

from slth.evaluate import verify
from slth.ticket import encode, load

GOLDEN = Path(__file__).parent / "v1.slth"
DIGEST = "a8b5bdba8f26ec0c1a210e99782eb67796359d61143285b34d17b4b9bc43ccd7"
POSITIVE = [0.7235849812006165, 0.6445649043274955, -0.9382830527369492]
NEGATIVE = [-0.7249176652429696, 0.0, 0.9330662672725794]
BIAS = [-0.8777349359662594, -0.8044815448983513]


def test_the_golden_ticket_is_small_and_unchanged():
    data = GOLDEN.read_bytes()
    assert len(data) < 4096
    assert hashlib.sha256(data).hexdigest() == DIGEST


def test_it_loads_verifies_and_is_written_back_the_same():
    ticket = load(GOLDEN)
    assert encode(ticket) == GOLDEN.read_bytes()
    assert verify(GOLDEN).holds
    assert verify(GOLDEN, target=golden_target()).holds


def test_it_computes_what_it_always_computed():
    """Realised coefficients, entry by entry, as they were when the format was fixed."""
    ticket = load(GOLDEN)
    first, last = ticket.realised(0), ticket.realised(1)
    assert first.positive[0, :, 0].tolist() == POSITIVE
    assert first.negative[0, :, 0].tolist() == NEGATIVE
    assert last.bias.tolist() == BIAS
    for layer, part in zip(golden_target(), (first, last), strict=True):
        assert np.abs(part.positive - layer.weight).max() <= 0.01
