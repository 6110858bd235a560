"""Tickets with merged projections: the page says what the file means, and a file that contradicts itself is refused."""

import pytest
from helpers.attentions import network
from helpers.version2_files import changed, parts, sealed
from references import version2

from slth.construction import Request, construct
from slth.ticket import Inputs, Merged, TicketError, decode, encode, realised_digest

QUERY_KEY = "0/q/query-key/0"


@pytest.fixture(scope="module")
def ticket():
    target = network("alone")
    asked = Request(gadget="merged", objective="closest", tolerance=0.1)
    return construct(target, asked, inputs=Inputs(target.input_shape, lower=(-1.0,), upper=(1.0,)))


def test_a_reader_of_the_page_alone_finds_the_same(ticket):
    for path, found in version2.read(encode(ticket)).items():
        ours = ticket.realised(path)
        assert (found.positive == ours.positive).all()
        assert ours.negative is None
        assert (found.bias == ours.bias).all()
        assert found.widths == [ticket.gadgets[path].neurons]
        assert found.digest(False) == ticket.digests[path]


def test_it_is_read_as_it_was_written(ticket):
    again = decode(encode(ticket))
    assert encode(again) == encode(ticket)
    assert again.merged == ticket.merged
    assert {type(gadget) for gadget in again.gadgets.values()} == {Merged}
    assert all(realised_digest(again.realised(path)) == ticket.digests[path] for path in ticket.maps)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("part", "key-value", "update slth"),
        ("weights", -1, "weights"),
        ("lift", "relu", "linear, of merged projections"),
        ("kind", "two-layer", "part"),
        ("threshold", 0.25, "0.5"),
    ],
)
def test_files_that_contradict_themselves_are_refused(ticket, key, value, why):
    meta, entries, body = parts(encode(ticket))
    with pytest.raises(TicketError, match=why):
        decode(sealed(changed(meta, ("gadgets", QUERY_KEY, key), value), entries, body))
