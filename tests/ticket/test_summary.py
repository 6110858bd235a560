"""A ticket in rows for people: what is printed is true."""

import re
from dataclasses import replace

from helpers.graph_tickets import graph_ticket
from helpers.learned import any_learned
from helpers.tickets import any_ticket

from slth.ticket import summary


def test_a_ticket_prints_no_bound_below_the_one_it_holds():
    """Rounded up: what people read is a bound, too, not the nearest number."""
    ticket, _ = any_ticket()
    for i in range(50):
        bound = 0.1 + i / 7919
        maps = {p: replace(claim, tolerance=bound, weight_error=bound) for p, claim in ticket.claims.maps.items()}
        one = replace(ticket, claims=replace(ticket.claims, maps=maps, sup_error=bound))
        for certified, says in ((False, "the ticket says "), (True, "")):
            rows = dict(summary(one, certified=certified))
            text = rows["certified |f - ticket|" if certified else "bound on |f - ticket|"].removeprefix(says)
            shown, _, where = text.partition(" on every output and input, ")
            assert bound <= float(shown) < bound * 1.001
            assert where == "[-1, 1] in every coordinate"
            assert bound <= float(rows["largest weight error"].removeprefix(says)) < bound * 1.01
        assert bound <= float(rows["tolerance per weight"]) < bound * 1.01


def test_a_ticket_shows_itself():
    ticket, _ = any_ticket()
    assert re.match(r"Ticket\(relu_mlp 3-4-2, seed 5", repr(ticket))
    assert dict(summary(ticket))["network"] == "relu_mlp 3-4-2"
    assert "bits per target" in repr(ticket)


def test_a_graph_shows_itself():
    ticket, _ = graph_ticket(1, assumed=("an assumption",))
    rows = dict(summary(ticket))
    maps, nodes = len(ticket.maps), len(ticket.network.nodes)
    assert rows["network"] == f"graph of {maps} maps in {nodes} nodes"
    assert sum(int(part.split()[0]) for part in rows["nodes"].split(", ")) == nodes
    assert rows["assumed"] == "an assumption"
    assert rows["carried"].startswith(f"{2 * maps} gains (two per map)")
    assert f"Ticket(graph of {maps} maps, seed 1" in repr(ticket)


def test_of_many_maps_the_smallest_and_the_largest_number_stand_for_all():
    ticket, _ = any_ticket((2,) * 11)
    assert dict(summary(ticket))["candidates per weight"] == "5"
    tolerances = {path: 0.1 + i / 7 for i, path in enumerate(ticket.maps)}
    maps = {path: replace(claim, tolerance=tolerances[path]) for path, claim in ticket.claims.maps.items()}
    text = replace(ticket.claims, maps=maps).tolerance_text
    assert text == "0.1 to 1.39"  # 0.1 + 9/7 = 1.3857, rounded up


def test_notebooks_show_a_short_table_of_text():
    """Whatever a stranger's file says is text; a bound is rounded up."""
    ticket, _ = any_ticket()
    assert f"<td>at most {ticket.claims.sup_error:.4f}"[:18] in ticket._repr_html_()
    learned = any_learned()
    origin = replace(learned.provenance, method="<script>&")
    for one in (ticket, graph_ticket(1)[0], replace(learned, provenance=origin)):
        html = one._repr_html_()
        assert re.fullmatch(r"<table>(<tr><th>[^<>]+</th><td>[^<>]+</td></tr>)+</table>", html)
        assert html.count("<tr>") <= 6
