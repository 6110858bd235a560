"""A ticket in rows for people: what is printed is true."""

import re
from dataclasses import replace

from helpers.tickets import any_ticket

from slth.ticket import summary


def test_a_ticket_prints_no_bound_below_the_one_it_holds():
    """Rounded up: what people read is a bound, too, not the nearest number."""
    ticket, _ = any_ticket()
    for i in range(50):
        bound = 0.1 + i / 7919
        maps = {p: replace(claim, tolerance=bound, weight_error=bound) for p, claim in ticket.claims.maps.items()}
        one = replace(ticket, claims=replace(ticket.claims, maps=maps, sup_error=bound))
        rows = dict(summary(one))
        assert bound <= float(rows["certified |f - ticket|"].removesuffix(" on every output")) < bound * 1.001
        assert bound <= float(rows["largest weight error"]) < bound * 1.01
        assert bound <= float(rows["tolerance per weight"]) < bound * 1.01


def test_a_ticket_shows_itself():
    ticket, _ = any_ticket()
    assert re.match(r"Ticket\(relu_mlp 3-4-2, seed 5", repr(ticket))
    assert dict(summary(ticket))["network"] == "relu_mlp 3-4-2"
    assert "bits per target" in repr(ticket)
