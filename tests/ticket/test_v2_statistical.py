"""Claims about a population in a version 2 file: read back as they are; each thing that cannot be is refused."""

import dataclasses
import json
import math

import pytest
from helpers.graph_tickets import graph_ticket, ticket_of
from helpers.tickets import any_ticket
from helpers.version2_files import changed, parts, sealed, text_of
from references import version2

from slth import InputError
from slth.certificate import Statistical
from slth.graph import Conv, Graph, Linear, Node
from slth.ticket import Inputs, TicketError, decode, encode

CLAIMS = (
    Statistical.from_counts("mnist", changed=3, examples=10_000),
    Statistical.from_counts("digits", changed=0, examples=360, confidence=0.95),
    Statistical.from_counts("all wrong", changed=7, examples=7, confidence=0.5),
)
SEED = next(seed for seed in range(40) if graph_ticket(seed)[0].claims.over_inputs)


def claiming(ticket, *statistical):
    return dataclasses.replace(ticket, claims=dataclasses.replace(ticket.claims, statistical=statistical))


@pytest.fixture(scope="module")
def file():
    """Of the smallest network: what is read of claims does not depend on it."""
    graph = Graph((Node("conv", Linear("conv", Conv(1, 1, (1,), (1,), (0, 0), (1,)), True), ("input",)),))
    ticket, _ = ticket_of(graph, Inputs((1, 2), lower=(0.0,), upper=(1.0,)), {})
    return parts(encode(claiming(ticket, *CLAIMS)))


@pytest.mark.parametrize("make", [lambda: any_ticket()[0], lambda: graph_ticket(SEED)[0]], ids=["chain", "graph"])
def test_claims_are_read_back_in_their_order(make):
    """By slth; and the independent reader finds the file whole, and the same coefficients in it."""
    ticket = claiming(make(), *CLAIMS)
    data = encode(ticket)
    read = decode(data)
    assert encode(read) == data
    assert read.claims == ticket.claims
    meta, _ = version2.split(data)
    assert meta["format"] == 2
    assert meta["claims"]["statistical"] == [dataclasses.asdict(claim) for claim in CLAIMS]
    found = version2.read(data)
    for path in ticket.maps:
        assert (found[path].positive == ticket.realised(path).positive).all()
        assert found[path].digest(ticket.realised(path).negative is not None) == ticket.digests[path]


def test_without_such_a_claim_the_file_is_as_before():
    chain = any_ticket()[0]
    assert parts(encode(chain))[0]["format"] == 1
    assert encode(claiming(claiming(chain, *CLAIMS))) == encode(chain)
    assert "statistical" not in parts(encode(graph_ticket(SEED)[0]))[0]["claims"]


def at(*keys):
    return ("claims", "statistical", *keys)


BAD = {
    "null": (at(), None, "expected a list"),
    "an object": (at(), {}, "expected a list"),
    "nothing claimed": (at(), [], "at least one claim"),
    "no claim": (at(0), "mnist", "expected an object"),
    "a key too many": (at(0, "alpha"), 0.01, "expected the keys"),
    "a key too few": (at(0, "confidence"), ..., "expected the keys"),
    "more changed than there are": (at(0, "changed"), 10_001, "no more changed than there are"),
    "fewer than none": (at(0, "changed"), -1, "an integer from 0"),
    "half an example": (at(0, "changed"), 3.0, "an integer from 0"),
    "true for one": (at(1, "changed"), False, "an integer from 0"),
    "no examples": (at(1, "examples"), 0, "an integer from 1"),
    "examples without end": (at(1, "examples"), 2**40 + 1, "an integer from 1"),
    "certainty": (at(0, "confidence"), 1.0, "confidence: expected a number between 0 and 1"),
    "no confidence": (at(0, "confidence"), 0.0, "confidence: expected a number between 0 and 1"),
    "more than certainty": (at(0, "confidence"), 1.5, "from 0 to 1"),
    "an integer for a float": (at(0, "confidence"), 1, "floating-point number from 0 to 1"),
    "a confidence that is no number": (at(0, "confidence"), "raw:NaN", "NaN is no number"),
    "a share that is no number": (at(0, "at_most"), "raw:NaN", "NaN is no number"),
    "a share without end": (at(0, "at_most"), "raw:1e999", "from 0 to 1"),
    "no share": (at(0, "at_most"), 0.0, "at_most is a share above 0"),
    "a negative share": (at(0, "at_most"), -0.5, "from 0 to 1"),
    "more than everybody": (at(2, "at_most"), math.nextafter(1.0, 2.0), "from 0 to 1"),
    "a share of none that the counts do not allow": (at(2, "at_most"), math.nextafter(1.0, 0.0), "allow with"),
    "no name": (at(0, "data"), "", "a printable text"),
    "a name that cannot be shown": (at(0, "data"), "a\x1b[31m", "a printable text"),
    "a name without end": (at(0, "data"), "d" * 1001, "a printable text"),
    "no text for a name": (at(0, "data"), None, "a printable text"),
    "one population twice": (at(1, "data"), "mnist", "two statistical claims speak of 'mnist'"),
    "one more changed": (at(0, "changed"), 4, "less than 4 of 10,000 allow with confidence 0.99"),
    "fewer examples": (at(0, "examples"), 9_999, "less than 3 of 9,999 allow"),
    "more confidence": (at(0, "confidence"), 0.9901, "less than 3 of 10,000 allow with confidence 0.9901"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused(file, name):
    path, value, sentence = BAD[name]
    meta, entries, body = file
    with pytest.raises(TicketError) as caught:
        decode(sealed(changed(meta, path, value), entries, body))
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_share_just_below_the_recomputed_one_is_refused_and_one_at_it_is_not(file):
    """q is stored a little above; less than that little is the least that is refused, and it may be larger."""
    meta, entries, body = file
    q = CLAIMS[0].at_most
    for share, holds in ((q * (1 - 2**-22), True), (q * (1 - 2**-19), False), (0.5, True), (1.0, True)):
        data = sealed(changed(meta, at(0, "at_most"), share), entries, body)
        if holds:
            assert decode(data).claims.statistical[0].at_most == share
        else:
            with pytest.raises(TicketError, match="allow with"):
                decode(data)


def test_a_hundred_claims_are_read_and_one_more_is_not(file):
    meta, entries, body = file
    many = [{**meta["claims"]["statistical"][0], "data": f"set {i}"} for i in range(101)]
    assert len(decode(sealed(changed(meta, at(), many[:100]), entries, body)).claims.statistical) == 100
    with pytest.raises(TicketError, match="a list of at most 100 members"):
        decode(sealed(changed(meta, at(), many), entries, body))


def test_every_flipped_bit_of_the_claims_changes_what_is_said_or_is_refused(file):
    """Under a right digest: a text in which a bit flipped is another claim that holds, or none at all."""
    meta, entries, body = file
    honest = text_of(meta)
    start = honest.index('"statistical"')
    end = honest.index("]", start)
    read = 0
    for place in range(start, end):
        for bit in range(7):
            flipped = chr(ord(honest[place]) ^ 1 << bit)
            text = honest[:place] + flipped + honest[place + 1 :]
            try:
                claims = decode(sealed(meta, entries, body, text=text)).claims.statistical
            except TicketError:
                continue
            read += 1
            assert claims != CLAIMS
            assert all(claim.holds for claim in claims)
            assert [dataclasses.asdict(claim) for claim in claims] == json.loads(text)["claims"]["statistical"]
    assert read > 100  # names and larger shares


def test_what_no_reader_accepts_is_not_written():
    ticket = graph_ticket(SEED)[0]
    for claim in (
        dataclasses.replace(CLAIMS[0], at_most=CLAIMS[0].at_most / 2),
        dataclasses.replace(CLAIMS[0], data="a\nb"),
        dataclasses.replace(CLAIMS[0], examples=2**41),
    ):
        with pytest.raises(InputError, match=r"cannot be written.*claims\.statistical\.0"):
            encode(claiming(ticket, claim))


def segmentation(count):
    """A convolution (2, 4, 4) to (3, 4, 4), with so many numbers for the errors of its outputs."""
    op = Linear("conv", Conv(2, 3, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)), False)
    graph = Graph((Node("conv", op, ("input",)),))
    ticket = ticket_of(graph, Inputs((2, 4, 4), lower=(0.0,), upper=(1.0,)), {})[0]
    errors = tuple(i / 64 for i in range(count))
    return dataclasses.replace(ticket, claims=dataclasses.replace(ticket.claims, output_error=errors))


@pytest.mark.parametrize("count", [1, 3, 48])
def test_errors_of_outputs_are_values_over_their_shape(count):
    ticket = segmentation(count)
    assert decode(encode(ticket)).claims == ticket.claims


@pytest.mark.parametrize("count", [2, 4, 12, 16, 47, 49])
def test_any_other_count_of_errors_is_refused(count):
    with pytest.raises(InputError, match=f"expected 1 or 3 or 48 numbers for outputs of shape .*; got {count}"):
        encode(segmentation(count))


def test_version_1_lists_every_output():
    """One number for several outputs is said by version 2, and can be written again as it was read."""
    chain = any_ticket()[0]
    one = dataclasses.replace(chain.claims, output_error=(max(chain.claims.output_error),))
    data = encode(dataclasses.replace(chain, claims=one))
    assert parts(data)[0]["format"] == 2
    assert encode(decode(data)) == data
